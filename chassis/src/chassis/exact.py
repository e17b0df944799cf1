"""Request bodies without loss: numbers stay exact decimals, and what no store could keep is refused at the door."""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, NoReturn, cast

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from chassis.errors import Invalid

MAX_DEPTH: Final = 64
MAX_NAMES: Final = 1000
MAX_NUMBER_LENGTH: Final = 64
MAX_EXPONENT: Final = 40
# An escaped NUL, behind an even number of backslashes: PostgreSQL stores no such text.
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class _NotKept(ValueError):
    pass


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > MAX_NUMBER_LENGTH or abs(number.adjusted()) > MAX_EXPONENT:
        raise _NotKept("a number is longer than any amount can be")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _NotKept("a number is longer than any amount can be")
    return int(text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_NAMES:  # each of them would be a complaint of its own
        raise _NotKept("an object has too many names")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotKept("a name stands twice in one object")
    return found


def exact_json(body: bytes) -> Any:
    """The value of an RFC 8259 text in UTF-8, fractions as Decimal. Raises Invalid for the field `body`."""
    try:
        orjson.loads(body)  # strict where `json` is not: encoding, lone surrogates, NaN, depth
        found = json.loads(body, parse_float=_decimal, parse_int=_integer, object_pairs_hook=_pairs)
    except _NotKept as error:
        _refuse(str(error), error)
    except (ValueError, RecursionError) as error:
        _refuse("this is not valid JSON", error)
    if _NUL.search(body):
        _refuse("a text holds a NUL character")
    if _is_deeper(found, MAX_DEPTH):
        _refuse("this is nested too deeply")
    return found


def _refuse(rule: str, cause: Exception | None = None) -> NoReturn:
    raise Invalid(field="body", rule_broken=rule) from cause


def _is_deeper(found: Any, levels: int) -> bool:
    level = [found]
    for _ in range(levels + 1):
        level = [outer for outer in level if isinstance(outer, dict | list)]
        if not level:
            return False
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return True


def _as_on_the_wire(schema: Any) -> Any:
    """The schema with its JSON side wherever it tells JSON from Python: exact_json has kept the written forms."""
    if isinstance(schema, list):
        return [_as_on_the_wire(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "json-or-python":
        kept = {name: schema[name] for name in ("metadata", "serialization", "ref") if name in schema}
        return {**_as_on_the_wire(schema["json_schema"]), **kept}
    return {
        name: part if name in ("metadata", "serialization") else _as_on_the_wire(part)
        for name, part in schema.items()
    }


def _written_day(given: object) -> object:
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise ValueError("a date, YYYY-MM-DD")
    return given


WrittenDay = Annotated[date, BeforeValidator(_written_day)]
"""A date in an address or a query; a bare number is no date there, though pydantic would count seconds from 1970."""


class Body(BaseModel):
    """What a request may bring. Unknown names are refused; values take the form they have on the wire.

    Models inside a Body are Bodies too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cast("CoreSchema", _as_on_the_wire(handler(source)))
