"""The small shapes that rulebooks are made of: exact numbers, intervals, days, words in two languages, sources."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from casework.bands import Interval

Grade = Annotated[str, Field(pattern=r"^[A-F]$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _exact(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("an exact number is needed")  # noqa: TRY004 - pydantic turns it into a located error
    return Decimal(value)


def _interval(value: Any) -> Any:
    return Interval.parse(value) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != len("2016-01-01"):
        raise ValueError("a date is needed")
    return date.fromisoformat(value)


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Band = Annotated[Interval, BeforeValidator(_interval), PlainSerializer(str)]
Day = Annotated[date, BeforeValidator(_day)]
Setting = int | Decimal | str | bool
Values = Annotated[Mapping[str, Any], Field(default_factory=dict)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class Text(Frozen):
    """The same words in Chinese and English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


class Source(Frozen):
    """Where the law says so: the instrument's document number and the article in it."""

    instrument: str
    article: str


class Sourced(Frozen):
    source: Source
    verified: bool
