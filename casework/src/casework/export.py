"""An export: a whole list as a file, as it stood at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from casework.case import Kept, Sha256
from casework.edition import State
from casework.round import Line

ListName = Literal["cases", "titles", "recommendation"]
Format = Literal["csv", "xlsx"]
ExportState = Literal["waiting", "done", "failed"]
RegionPrefix = Annotated[
    str, Field(pattern="^[0-9]{2}([0-9]{2}){0,2}$", description="of GB/T 2260 codes: 44, 4417 or 441702")
]


class Filters(Kept):
    """What narrows a list; None narrows nothing."""

    programme: Line | None = None
    level: Line | None = None
    state: State | None = None
    round_id: UUID | None = None
    region: RegionPrefix | None = None
    valid_on: date | None = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in self if value is not None}


FILTERS: Final[Mapping[ListName, tuple[str, ...]]] = {
    "cases": ("programme", "level", "state", "round_id", "region"),
    "titles": ("programme", "level", "region", "valid_on"),
    "recommendation": ("round_id", "region"),
}


class Export(Kept):
    """`as_of`: what was committed by then is in the file. `reason`: the code of the refusal that ended it."""

    export_id: UUID
    list: ListName
    format: Format
    filters: Filters
    asked_by: str
    asked_at: datetime
    attempts: int = 0
    state: ExportState = "waiting"
    reason: str | None = None
    file_key: str | None = None
    rows: int | None = None
    bytes: int | None = None
    sha256: Sha256 | None = None
    as_of: datetime | None = None
    done_at: datetime | None = None
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the API's name of it, `width` in characters; `words`: what the list calls each code."""

    name: str
    heading: str
    width: int
    words: Mapping[str, str] = field(default_factory=dict)

    def of(self, row: Mapping[str, Any]) -> Any:
        value = row[self.name]
        return self.words.get(value, value) if self.words else value


_CASE = Column("case_id", "案件编号", 38)
_WHOSE = (
    Column("enterprise_name", "企业名称", 36),
    Column("enterprise_id", "统一社会信用代码", 22),
    Column("region", "行政区划代码", 14),
)
_WHAT = (Column("programme", "认定项目", 16), Column("level", "级别", 12))
COLUMNS: Final[Mapping[ListName, tuple[Column, ...]]] = {
    "cases": (
        _CASE, *_WHOSE, *_WHAT,
        Column("case_type", "申请类型", 14), Column("state", "状态", 12), Column("applied_on", "申请日期", 12),
        Column("edition", "适用版本", 12), Column("round_id", "批次编号", 38), Column("verdict", "评价结论", 10),
        Column("proposal", "拟办意见", 10), Column("drafted_at", "起草时间", 20), Column("changed_at", "更新时间", 20),
    ),
    "titles": (
        Column("number", "证书编号", 20), *_WHOSE, *_WHAT,
        Column("granted_on", "发证日期", 12), Column("valid_until", "有效期至", 12), Column("revoked_on", "撤销日期", 12),
        Column("edition", "适用版本", 12), Column("title_id", "资格编号", 38), _CASE,
    ),
    "recommendation": (Column("place", "名次", 8), *_WHOSE, Column("score", "得分", 10), _CASE),
}  # fmt: skip


def as_number(exact: str | None) -> Decimal | str | None:
    """A number where it has an end; `211/3` stays as it is, because a rounded score may be another's."""
    return exact if exact is None or "/" in exact else Decimal(exact)
