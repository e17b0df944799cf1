"""The register of IP assets from a workbook or a CSV file: all of it, or every reason why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from casework.sheets import (
    Column,
    NotAWorkbook,
    Reason,
    Record,
    Refusal,
    Table,
    read_single,
    read_table,
)
from casework.sheets.refusals import BEFORE_FOUNDING
from casework.sheets.values import choice, day, text, uscc, yes_no
from casework.sheets.words import IP_KINDS, WAYS_ACQUIRED

REPEATED_ASSET = Reason("repeated-asset", "Row {other} already holds the asset {asset} of this enterprise.")
EXPIRES_BEFORE_GRANT = Reason("expires-before-grant", "{value} is before the grant on {granted}.")

ASSETS = Table(
    "知识产权",
    (
        Column("asset_id", "编号", text, synonyms=("知识产权编号", "专利号", "授权号"), filled=True),
        Column("enterprise_id", "统一社会信用代码", uscc, synonyms=("社会信用代码", "信用代码"), filled=True),
        Column("kind", "种类", choice(IP_KINDS), synonyms=("类别", "知识产权种类", "类型"), filled=True),
        Column("acquired", "取得方式", choice(WAYS_ACQUIRED), synonyms=("获得方式",), filled=True),
        Column("granted_on", "授权日期", day, synonyms=("授权公告日",), filled=True),
        Column("expires_on", "届满日期", day, synonyms=("到期日期", "有效期至")),
        Column("in_force", "是否有效", yes_no, synonyms=("有效",), filled=True),
        Column("owned", "是否自有", yes_no, synonyms=("是否本企业所有",), filled=True),
        Column("related", "是否与主要产品相关", yes_no, synonyms=("是否支持主要产品",), filled=True),
    ),
)


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One right in the register; `expires_on` None where a right has no end date or none is known."""

    asset_id: str
    enterprise_id: str
    kind: str
    acquired: str
    granted_on: date
    expires_on: date | None
    in_force: bool
    owned: bool
    related: bool


@dataclass(frozen=True, slots=True)
class Register:
    """`assets` is empty as soon as one cell is refused; else `records` are the rows that they were read from."""

    assets: tuple[AssetRow, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    rows: int = 0
    records: tuple[Record, ...] = field(default=(), repr=False)


def read_register(content: bytes) -> Register:
    """An .xlsx with the sheet 知识产权, or a CSV file (UTF-8 or GBK) with the same columns."""
    try:
        grid = read_single(content, ASSETS)
    except NotAWorkbook as error:
        return Register(refusals=error.refusals)
    records, found = read_table(grid, ASSETS)
    found += _contradictions(records)
    if found:
        found.sort(key=lambda refusal: refusal.row or 0)
        return Register(refusals=tuple(found), rows=len(records))
    return Register(
        assets=tuple(_asset(record) for record in records), rows=len(records), records=tuple(records)
    )


def held_against(register: Register, founded: Mapping[str, date]) -> Register:
    """The register, refused where a right of its own is older than the enterprise; one from others may be older."""
    found = [
        record.refuse("granted_on", BEFORE_FOUNDING, value=str(row.granted_on), founded=str(founded[row.enterprise_id]))
        for row, record in zip(register.assets, register.records, strict=True)
        if row.acquired == "self" and row.granted_on < founded.get(row.enterprise_id, row.granted_on)
    ]  # fmt: skip
    return replace(register, assets=(), records=(), refusals=tuple(found)) if found else register


def _contradictions(records: list[Record]) -> Iterator[Refusal]:
    seen: dict[tuple[object, object], int] = {}
    for record in records:
        asset, owner = record.values.get("asset_id"), record.values.get("enterprise_id")
        if asset and owner and (other := seen.setdefault((owner, asset), record.row)) != record.row:
            yield record.refuse("asset_id", REPEATED_ASSET, other=str(other), asset=str(asset))
        granted, expires = record.values.get("granted_on"), record.values.get("expires_on")
        if isinstance(granted, date) and isinstance(expires, date) and expires < granted:
            yield record.refuse(
                "expires_on", EXPIRES_BEFORE_GRANT, value=str(expires), granted=granted.isoformat()
            )


def _asset(record: Record) -> AssetRow:
    values = record.values
    granted, expires = values["granted_on"], values.get("expires_on")
    if not isinstance(granted, date) or not isinstance(expires, date | None):
        raise TypeError(granted, expires)
    return AssetRow(
        asset_id=str(values["asset_id"]),
        enterprise_id=str(values["enterprise_id"]),
        kind=str(values["kind"]),
        acquired=str(values["acquired"]),
        granted_on=granted,
        expires_on=expires,
        in_force=values["in_force"] is True,
        owned=values["owned"] is True,
        related=values["related"] is True,
    )
