"""The values that facts are made of. Numbers stay exact; what cannot be used is refused by a named rule."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from casework.uscc import is_uscc

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
# What nearly every amount is: no other rule can refuse it.
_PLAIN = re.compile(r"-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,12})?\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MAX_NUMBER = Decimal(10) ** 18
_MAX_PLACES = 12


def broken(rule: str, **values: Any) -> PydanticCustomError:
    return PydanticCustomError("rule", "{rule}", {"rule": rule, "values": values})


def exact_number(value: Any) -> Any:
    if type(value) is str and _PLAIN.match(value):
        return Decimal(value)
    if isinstance(value, float):
        raise broken("float")
    if isinstance(value, str) and _NUMBER.match(value):
        value = Decimal(value) if len(value) <= 40 else _MAX_NUMBER
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise broken("not_a_number", given=str(value)[:40])
    return _bounded(Decimal(value))


def _bounded(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise broken("not_finite")
    if abs(number) >= _MAX_NUMBER:
        raise broken("too_many_digits")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MAX_PLACES:
        raise broken("too_many_places", places=_MAX_PLACES)
    return number


def _not_negative(number: Decimal) -> Decimal:
    if number < 0:
        raise broken("negative", given=str(number))
    return number


def _whole(value: Any) -> Any:
    if type(value) is int and abs(value) < _MAX_NUMBER:
        return value
    number = exact_number(value)
    if number != number.to_integral_value():
        raise broken("not_whole", given=str(value))
    return int(number)


def _day(value: Any) -> Any:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DAY.match(value):
        raise broken("not_a_date", given=str(value)[:40])
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise broken("not_a_date", given=value) from error


def _code(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _right_uscc(text: str) -> str:
    if not is_uscc(text):
        raise broken("uscc", given=text[:40])
    return text


Number = Annotated[Decimal, BeforeValidator(exact_number)]
Money = Annotated[Number, AfterValidator(_not_negative)]
Count = Annotated[Number, AfterValidator(_not_negative)]
Whole = Annotated[int, BeforeValidator(_whole)]
FiscalYearNumber = Annotated[Whole, Field(ge=1949, le=2999)]
Day = Annotated[date, BeforeValidator(_day)]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Identifier = Annotated[str, BeforeValidator(_code), Field(min_length=1, max_length=200)]
Uscc = Annotated[str, BeforeValidator(_code), AfterValidator(_right_uscc)]
Region = Annotated[str, BeforeValidator(_code), Field(pattern=r"^[0-9]{6}$")]
