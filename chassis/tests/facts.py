"""Events, records and tables that the chassis's tests share."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from chassis.database import Database
from chassis.marks import Arrived
from contracts.certification import EnterpriseRegistered, TitleGranted
from contracts.envelope import Envelope, Event

FIRM = "91441702MA4UABCD1F"
OTHER_FIRM = "91441702MA4UABCE1G"


def registered(enterprise_id: str = FIRM, name: str = "示例精密制造有限公司") -> EnterpriseRegistered:
    return EnterpriseRegistered(
        enterprise_id=enterprise_id,
        name=name,
        region="441702",
        established_on=date(2010, 3, 15),
        contact_email=None,
    )


def granted(enterprise_id: str = FIRM) -> TitleGranted:
    return TitleGranted(
        title_id=uuid4(), case_id=uuid4(), enterprise_id=enterprise_id, programme="hnte", level="national",
        number=f"GR{uuid4().hex[:10]}", granted_on=date(2016, 11, 30), valid_until=date(2019, 11, 29),
    )  # fmt: skip


def record(
    event: Event, sequence: int, *, offset: int = 0, partition: int = 0, payload: bytes | None = None
) -> Any:
    """What aiokafka would hand over for the event."""
    envelope = Envelope(
        event_id=uuid4(), source="/huiqi/certification", type=event.type, topic=event.topic, key=event.key,
        sequence=sequence, time=datetime(2016, 8, 1, tzinfo=UTC), actor="officer:li",
    )  # fmt: skip
    return SimpleNamespace(
        topic=event.topic, partition=partition, offset=offset, key=event.key.encode(),
        value=event.payload() if payload is None else payload, headers=tuple(envelope.to_headers()),
    )  # fmt: skip


def arrived(event: Event, sequence: int, **where: Any) -> Arrived:
    return Arrived.of(record(event, sequence, **where))


async def make_effects(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE effects (caused_by text PRIMARY KEY, name text NOT NULL)")


async def effects(db: Database) -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT caused_by, name FROM effects ORDER BY caused_by")
    return [(row["caused_by"].rpartition("/")[2], row["name"]) for row in rows]


async def mark(
    db: Database, topic: str, key: str, consumer: str = "testing"
) -> tuple[int, bool, bool] | None:
    row = await db.fetchrow(
        "SELECT sequence, parked, waiting FROM inbox WHERE consumer = $1 AND topic = $2 AND key = $3",
        consumer, topic, key,
    )  # fmt: skip
    return (row["sequence"], row["parked"], row["waiting"]) if row else None
