"""What is kept of a failure holds no personal fields: an error repeats what it was about."""

from typing import Any

import pytest

from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.inbox import Consumers
from chassis.marks import Arrived
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.certification import EnterpriseRegistered
from facts import arrived, registered

PHONE, MAIL = "13812345678", "zhang@firm.example"


@pytest.fixture
async def db(make_database: Databases) -> Database:
    return await make_database()


def repeating(error: type[Exception]) -> Consumers:
    heard = Consumers("testing")

    @heard.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, _tx: Transaction) -> None:
        told = f"{event.name}\0, {PHONE}, {MAIL}"
        raise Invalid(field="contact", rule_broken=told) if error is Invalid else error(told)

    return heard


async def apply(db: Database, heard: Consumers, *records: Arrived) -> None:
    settings: Any = None
    await Subscription(db, settings, heard, []).apply(records)


async def test_the_error_of_a_parked_event(db: Database) -> None:
    await apply(db, repeating(KeyError), arrived(registered(name="a"), 1))
    error = await db.fetchval("SELECT error FROM parked")
    assert "KeyError: 'a\\x00, ***, ***'" in error


async def test_the_words_of_a_refusal(db: Database) -> None:
    await apply(db, repeating(Invalid), arrived(registered(name="a"), 1))
    assert await db.fetchval("SELECT detail FROM event_refusals") == "contact: a\\0, ***, ***"
