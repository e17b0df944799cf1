"""The kinds of value that an event may hold, each with one written form on the wire.

Writers are strict: a float for money, a date with a time, a naive time or a number for a string are refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_EXACT: Final = Context(prec=100)
_USCC_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_FORM: Final = "^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"
_USCC_TERMS: Final = tuple(
    {character: value * pow(3, place, 31) for value, character in enumerate(_USCC_CHARACTERS)}
    for place in range(17)
)


def check_character(first_seventeen: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015, section 5.4).

    Raises ValueError when a character is not one of the code's 31 or when there are not 17.
    """
    if len(first_seventeen) != 17:
        raise ValueError("a unified social credit code has 17 characters before its check character")
    try:
        total = sum(terms[character] for terms, character in zip(_USCC_TERMS, first_seventeen, strict=True))
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is no character of a unified social credit code") from None
    return _USCC_CHARACTERS[-total % 31]


def _checked_uscc(code: str) -> str:
    if check_character(code[:17]) != code[17]:
        raise ValueError("the check character of the unified social credit code is wrong")
    return code


@dataclass(frozen=True, slots=True)
class _DecimalString:
    """A finite decimal in plain notation: at most `digits` digits, `places` of them after the point."""

    digits: int
    places: int
    padded: bool = False

    @property
    def pattern(self) -> str:
        return rf"^-?(0|[1-9][0-9]{{0,{self.digits - self.places - 1}}})(\.[0-9]{{1,{self.places}}})?$"

    def write(self, value: Decimal) -> str:
        return format(value, f".{self.places}f") if self.padded else format(_EXACT.plus(value), "f")

    def plain(self, value: Decimal) -> Decimal:
        """The same number without zeros beyond the last permitted place, so that it can be written."""
        exponent = value.as_tuple().exponent
        return (
            value.normalize(_EXACT)
            if isinstance(exponent, int) and not -self.places <= exponent <= 0
            else value
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def number(*, strict: bool) -> CoreSchema:
            return core_schema.decimal_schema(
                strict=strict, allow_inf_nan=False, max_digits=self.digits, decimal_places=self.places
            )

        written = core_schema.str_schema(pattern=self.pattern, strict=True)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([written, number(strict=False)]),
            python_schema=core_schema.no_info_after_validator_function(self.plain, number(strict=True)),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "decimal", "pattern": self.pattern}


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("the instant lies outside the years 1 to 9999 in UTC") from None


class _DayString:
    PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.str_schema(pattern=self.PATTERN, strict=True)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([written, core_schema.date_schema(strict=False)]),
            python_schema=core_schema.date_schema(strict=True),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


class _InstantString:
    PATTERN = (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
    )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.str_schema(pattern=self.PATTERN, strict=True)
        aware = core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema(
                [written, core_schema.datetime_schema(strict=False, tz_constraint="aware")]
            ),
            python_schema=core_schema.datetime_schema(strict=True, tz_constraint="aware"),
        )
        return core_schema.no_info_after_validator_function(_to_utc, aware)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


Money = Annotated[Decimal, _DecimalString(digits=18, places=2, padded=True)]
"""Yuan, at most 16 digits before the point and 2 after it; always written with two: `"1200000.00"`."""

Share = Annotated[Decimal, _DecimalString(digits=18, places=12)]
"""An exact share or rate, never a percentage: 4.35 % is `"0.0435"`."""

Score = Annotated[Decimal, _DecimalString(digits=18, places=12)]
"""Points of an evaluation, exact."""

Day = Annotated[date, _DayString()]
"""A legal date in Asia/Shanghai."""

Instant = Annotated[datetime, _InstantString()]
"""An aware time, brought to UTC."""

# PostgreSQL stores neither NUL nor lone surrogates, and other control characters have no business in a fact.
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")
]
Slug = Annotated[str, StringConstraints(max_length=64, pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A name that may stand in a topic."""

EnterpriseId = Annotated[str, StringConstraints(pattern=_USCC_FORM), AfterValidator(_checked_uscc)]
"""The unified social credit code (GB 32100-2015): 18 characters with a right check character."""

TOPIC_FORM: Final = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")
