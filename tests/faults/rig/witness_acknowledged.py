"""What was acknowledged is there, with the content that was acknowledged."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from rig.journal import Intent, Journal
from rig.witness_effects import Done, where_of
from rig.witness_rows import Row, Rows, Seen

# Which table holds what an intent of this kind has written, what identifies its row, and what of the answer stands there.
_KEPT: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "draft": ("cases", ("case_id",), ("enterprise_id", "programme", "case_type")),
    "grant": ("titles", ("case_id",), ("title_id", "number", "enterprise_id", "granted_on", "valid_until")),
    "consent": (
        "consents", ("consent_id",),
        ("enterprise_id", "bank_id", "purpose", "fields", "text_version", "on_title", "given_on", "expires_on"),
    ),
    "referral": ("referrals", ("referral_id",), ("enterprise_id", "bank_id", "product_id", "purpose", "created_at")),
    "outcome": ("outcomes", ("outcome_id",), ("referral_id", "bank_reference", "kind", "recorded_at")),
    "product": ("products", ("bank_id", "product_id"), ()),
    "read-message": ("notifications", ("notification_id",), ("read_at",)),
}  # fmt: skip
# Rows that carry a mark of the one intent that may have written them, and how often: table, column, mark.
_MARKED: Final[Mapping[str, tuple[str, str, Callable[[Intent], str]]]] = {
    "consent": ("consents", "text_version", lambda intent: intent.id),
    "outcome": ("outcomes", "bank_reference", lambda intent: intent.id),
    "import": ("imports", "imported_by", lambda intent: intent.actor),
}
_VERSIONED: Final = {"enterprise": "enterprises", "facts": "enterprise_facts"}


def check_acknowledged(seen: Seen, journal: Journal, rows: Rows, done: Mapping[str, Done]) -> None:
    tables = {name: _by_column(found) for name, found in rows.tables.items()}
    for intent in journal.writes():
        answer = done.get(intent.id)
        if answer is not None and intent.kind in _KEPT:
            _check_kept(seen, intent, answer, tables)
        if answer is not None and intent.kind in _VERSIONED:
            _check_version(seen, intent, answer, rows)
        if intent.kind in _MARKED:
            _check_marked(seen, intent, answer, rows)
    _check_needs(seen, journal, rows, done)
    _check_withdrawn(seen, journal, rows, done)


def _by_column(found: list[Row]) -> Callable[[tuple[str, ...], tuple[str, ...]], list[Row]]:
    indexes: dict[tuple[str, ...], dict[tuple[str, ...], list[Row]]] = {}

    def look(columns: tuple[str, ...], wanted: tuple[str, ...]) -> list[Row]:
        if columns not in indexes:
            index: dict[tuple[str, ...], list[Row]] = defaultdict(list)
            for row in found:
                index[tuple(str(row[column]) for column in columns)].append(row)
            indexes[columns] = index
        return indexes[columns].get(wanted, [])

    return look


Tables = Mapping[tuple[str, str], Callable[[tuple[str, ...], tuple[str, ...]], list[Row]]]


def _check_kept(seen: Seen, intent: Intent, done: Done, tables: Tables) -> None:
    table, names, columns = _KEPT[intent.kind]
    seen.counts("I1", 1)
    wanted = tuple(str(done.content[name]) for name in names)
    found = tables[intent.service, table](names, wanted)
    where = {**where_of(intent), "table": table, "row": "/".join(wanted)}
    if len(found) != 1:
        promise = "I2" if found else "I1"
        seen.breaks(promise, f"acknowledged, and {len(found)} rows of it are there", **where)
        return
    for column in columns:
        if same(found[0][column]) != same(done.content[column]):
            why = f"acknowledged with {column} {done.content[column]}, and {found[0][column]} is there"
            seen.breaks("I1", why, **where)


def same(value: Any) -> Any:
    """One form for what a row and an answer say of the same."""
    match value:
        case datetime():
            return value.timestamp()
        case date() | UUID():
            return str(value)
        case Decimal():
            return str(value.normalize())
        case str() if len(value) > 18 and value[4] == "-" and value[10] == "T":
            return datetime.fromisoformat(value).timestamp()
        case list():
            return sorted(orjson.dumps(part, option=orjson.OPT_SORT_KEYS) for part in value)
        case _:
            return value


def _check_version(seen: Seen, intent: Intent, done: Done, rows: Rows) -> None:
    """The entry has the version that was told, with that content, or a later one."""
    seen.counts("I1", 1)
    table, where = _VERSIONED[intent.kind], where_of(intent)
    mine = [r for r in rows.of(intent.service, table) if r["enterprise_id"] == intent.about["enterprise_id"]]
    version = int((done.etag or '"0"').strip('"'))
    if not mine or mine[0]["version"] < version:
        stands = mine[0]["version"] if mine else "nothing"
        seen.breaks("I1", f"version {version} was told, and {stands} is there", **where)
    elif mine[0]["version"] == version:
        given = orjson.loads(intent.body or b"null")
        kept = mine[0]["facts"] if intent.kind == "facts" else mine[0]
        other = [name for name, value in given.items() if same(kept.get(name)) != same(value)]
        if other or mine[0]["changed_by"] != intent.actor:
            seen.breaks("I1", f"version {version} is there with another content", **where, differs=other)


def _check_marked(seen: Seen, intent: Intent, done: Done | None, rows: Rows) -> None:
    table, column, mark = _MARKED[intent.kind]
    found = [row for row in rows.of(intent.service, table) if row[column] == mark(intent)]
    seen.counts("I2", 1)
    if len(found) > 1:
        seen.breaks("I2", f"{len(found)} rows in {table} of one request", **where_of(intent))
    if found and done is None:
        seen.breaks("I3", f"it was not done, and a row of it is in {table}", **where_of(intent))
    if not found and done is not None:
        seen.breaks("I1", f"it was done, and no row of it is in {table}", **where_of(intent))


def _check_needs(seen: Seen, journal: Journal, rows: Rows, done: Mapping[str, Done]) -> None:
    """What a referral is for was written by one of those who were told that it was."""
    written: dict[str, set[str]] = defaultdict(set)
    for intent in journal.writes():
        if intent.kind in {"referral", "need"} and intent.id in done:
            written[str(done[intent.id].content["referral_id"])].add(f"周转 {intent.id}")
    for row in rows.of("finance-link", "referrals"):
        seen.counts("I3", 1)
        if row["loan_use"] is not None and row["loan_use"] not in written[str(row["referral_id"])]:
            where = {"service": "finance-link", "referral_id": str(row["referral_id"])}
            seen.breaks("I3", f"a need that nobody was told of: {row['loan_use']}", **where)


def _check_withdrawn(seen: Seen, journal: Journal, rows: Rows, done: Mapping[str, Done]) -> None:
    ended = {str(row["consent_id"]): row["ended_because"] for row in rows.of("finance-link", "consents")}
    state = {str(row["referral_id"]): row["state"] for row in rows.of("finance-link", "referrals")}
    for intent in journal.writes():
        if intent.id not in done or intent.kind not in {"withdraw-consent", "withdraw-referral"}:
            continue
        seen.counts("I1", 1)
        stands = ended.get(intent.about.get("consent_id", "")) or state.get(
            intent.about.get("referral_id", "")
        )
        if stands != "withdrawn":
            seen.breaks("I1", f"told to be withdrawn, and it is {stands}", **where_of(intent))
