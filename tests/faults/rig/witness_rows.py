"""What the witness looks at: rows of the services' tables as they stand, read past the proxies."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import orjson

from rig.ground import Ground
from rig.tally import TALLY

SPEAKERS: Final = ("certification", "ip-enterprise", "finance-link", "notifier")
LISTENERS: Final = (*SPEAKERS, TALLY.name)
CASEWORK: Final = ("certification", "ip-enterprise")
_EVENTS: Final = (
    "SELECT topic, key, sequence, event_id, type, actor, caused_by, payload FROM events ORDER BY id"
)
_TABLES: Final = {
    "certification": (
        "enterprises", "enterprise_facts", "cases", "decisions", "judgements", "notices", "titles", "assets",
    ),
    "ip-enterprise": (
        "enterprises", "assets", "imports", "cases", "decisions", "judgements", "notices", "titles",
    ),
    "finance-link": ("enterprises", "titles", "products", "consents", "referrals", "outcomes"),
    "notifier": ("enterprises", "notifications"),
    "tally": ("applied", "counters"),
}  # fmt: skip
_ALL: Final = ("idempotency", "parked", "parked_decisions", "inbox", "rig_marks")
_OF_THE_RIG: Final = "operator:rig"

Row = dict[str, Any]
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One break of a promise, and where."""

    promise: str
    why: str
    where: dict[str, Any]


@dataclass(slots=True)
class Seen:
    """What was looked at, by promise, what is wrong with it, and what is worth knowing besides."""

    checked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def counts(self, promise: str, checked: int) -> None:
        self.checked[promise] += checked

    def breaks(self, promise: str, why: str, **where: Any) -> None:
        self.findings.append(Finding(promise, why, where))


@dataclass(frozen=True, slots=True)
class Told:
    """One event of its owner. `fact` is the kebab name within its type."""

    service: str
    topic: str
    key: str
    sequence: int
    event_id: str
    type: str
    actor: str
    caused_by: str | None
    payload: Row

    @property
    def fact(self) -> str:
        return self.type.split(".")[3]

    @property
    def place(self) -> Place:
        return self.topic, self.key, self.sequence

    @property
    def cause(self) -> str:
        return f"{self.topic}/{self.key}/{self.sequence}"


@dataclass(slots=True)
class Rows:
    """Tables by (service, table), and the events of all services in the order of their ids."""

    told: list[Told] = field(default_factory=list)
    tables: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def of(self, service: str, table: str) -> list[Row]:
        return self.tables.get((service, table), [])

    def of_clients(self) -> "Rows":
        """Without the events that the rig's own faults have said, of which there is no row."""
        theirs = [told for told in self.told if told.actor != _OF_THE_RIG or told.caused_by is not None]
        return Rows(theirs, self.tables)

    def last_of_key(self, topic: str, facts: Collection[str]) -> dict[str, Told]:
        """The last event of each key of a topic, by its number, among these facts."""
        last: dict[str, Told] = {}
        for told in self.told:
            if told.topic == topic and told.fact in facts:
                known = last.get(told.key, told)
                last[told.key] = told if known.sequence <= told.sequence else known
        return last

    def aside(self, listener: str) -> set[Place]:
        """What a listener has set aside instead of applying it, or an operator has discarded in its stead."""
        rows = [r for r in self.of(listener, "parked_decisions") if r["decision"] == "discarded"]
        rows += self.of(listener, "parked")
        return {(r["topic"], r["key"], r["sequence"]) for r in rows if r["sequence"] is not None}


async def read_rows(ground: Ground) -> Rows:
    rows = Rows()
    for service in LISTENERS:
        connection = await asyncpg.connect(ground.database(service))
        try:
            await connection.set_type_codec(
                "jsonb", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads
            )
            for table in (*_TABLES[service], *_ALL):
                sql = f"SELECT * FROM {table}"
                rows.tables[service, table] = [dict(row) for row in await connection.fetch(sql)]
            rows.told += [_told(service, row) for row in await connection.fetch(_EVENTS)]
        finally:
            await connection.close()
    return rows


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def _told(service: str, row: asyncpg.Record) -> Told:
    return Told(
        service, row["topic"], row["key"], row["sequence"], str(row["event_id"]), row["type"], row["actor"],
        row["caused_by"], _payload(row["payload"]),
    )  # fmt: skip


def _payload(text: str) -> Row:
    """Empty where it is not an object: a fault of the rig may have said anything."""
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def pair(seen: Seen, rows: Iterable[Any], told: Iterable[Any], what: str, **where: Any) -> None:
    """Every row has its one event and every event its row; both are given by what identifies them."""
    kept, said = Counter(iter(rows)), Counter(iter(told))
    for name in kept.keys() | said.keys():
        seen.counts("I1", 1)
        if kept[name] > said[name]:
            seen.breaks("I1", f"{what}: the row is there, and its event is not", about=str(name), **where)
        elif said[name] > kept[name] > 0:
            seen.breaks("I2", f"{what}: {said[name]} events of {kept[name]} row", about=str(name), **where)
        elif said[name] > kept[name]:
            seen.breaks(
                "I3", f"{what}: the event was said, and its row is not there", about=str(name), **where
            )
