"""Due and leased rows."""

import asyncio
from datetime import timedelta

from chassis.clock import FixedClock
from chassis.database import Database, Transaction
from chassis.errors import Refused
from chassis.testing import Databases
from chassis.work import Delivery, Done, GiveUp, Job, Outcome, Retry, Worker, add_work, cancel_work
from facts import make_effects


class TooLate(Refused):
    """It is too late."""


async def note(job: Job, tx: Transaction) -> None:
    await tx.execute("INSERT INTO effects (caused_by, name) VALUES ($1, $2)", job.subject, job.kind)


async def count(db: Database) -> int:
    return int(await db.fetchval("SELECT count(*) FROM effects"))


async def states(db: Database) -> list[tuple[str, str]]:
    return [(r["state"], r["reason"]) for r in await db.fetch("SELECT state, reason FROM work ORDER BY id")]


async def once(worker: Worker, *kinds: str) -> int:
    jobs = await worker.lease(list(kinds))
    await asyncio.gather(*(worker._perform(job) for job in jobs))
    return len(jobs)


async def prepared(make_database: Databases, *subjects: str, kind: str = "k", **due: timedelta) -> Database:
    db = await make_database()
    await make_effects(db)
    async with db.transaction() as tx:
        for subject in subjects:
            await add_work(tx, kind, subject, {}, db.clock.now() + due.get("due", timedelta()))
    return db


async def test_a_deadline_is_met_once_when_it_is_due_and_not_before(
    make_database: Databases, clock: FixedClock
) -> None:
    db = await prepared(make_database, "a", due=timedelta(days=10))
    worker = Worker(db, {"k": note})
    assert await once(worker, "k") == 0
    clock.advance(timedelta(days=10))
    assert await once(worker, "k") == 1
    assert await once(worker, "k") == 0
    assert await count(db) == 1


async def test_two_workers_never_hold_the_same_row(make_database: Databases) -> None:
    db = await prepared(make_database, *map(str, range(40)))
    workers = [Worker(db, {"k": note}) for _ in range(4)]
    leased = await asyncio.gather(*(worker.lease(["k"], 10) for worker in workers))
    ids = [job.id for jobs in leased for job in jobs]
    assert sorted(ids) == list(range(1, 41))


async def test_a_worker_whose_lease_ran_out_records_nothing(make_database: Databases) -> None:
    db = await prepared(make_database, "a")
    slow = Worker(db, {"k": note})
    [job] = await slow.lease(["k"])
    async with db.transaction() as tx:
        await tx.execute("UPDATE work SET leased_until = now() - interval '1 s'")
    assert await once(Worker(db, {"k": note}), "k") == 1
    await slow._perform(job)
    assert await count(db) == 1


async def test_a_deadline_that_fails_writes_nothing_stays_due_and_says_why(make_database: Databases) -> None:
    async def fails(job: Job, tx: Transaction) -> None:
        await note(job, tx)
        raise KeyError("broken")

    db = await prepared(make_database, "a")
    await once(Worker(db, {"k": fails}), "k")
    assert await count(db) == 0
    assert await states(db) == [("due", "KeyError: 'broken'")]


async def test_a_refused_deadline_ends_with_its_reason(make_database: Databases) -> None:
    async def refuses(job: Job, tx: Transaction) -> None:
        raise TooLate

    db = await prepared(make_database, "a")
    await once(Worker(db, {"k": refuses}), "k")
    assert await states(db) == [("given_up", "It is too late.")]


def answering(*outcomes: Outcome) -> Delivery:
    left = list(outcomes)

    async def deliver(_job: Job) -> Outcome:
        return left.pop(0)

    return deliver


async def test_a_delivery_is_retried_later_and_its_outcome_is_recorded_with_the_row(
    make_database: Databases,
) -> None:
    async def record(tx: Transaction) -> None:
        await tx.execute("INSERT INTO effects VALUES ('x', 'sent')")

    db = await prepared(make_database, "a")
    worker = Worker(db, {}, {"k": answering(Retry(timedelta(0), "451"), Done(record))})
    await once(worker, "k")
    assert await states(db) == [("due", "451")]
    assert await count(db) == 0
    await once(worker, "k")
    assert await states(db) == [("done", "")]
    assert await count(db) == 1


async def test_a_delivery_given_up_keeps_its_reason(make_database: Databases) -> None:
    db = await prepared(make_database, "a")
    await once(Worker(db, {}, {"k": answering(GiveUp("550 no such user"))}), "k")
    assert await states(db) == [("given_up", "550 no such user")]


async def test_work_is_open_once_per_subject_and_can_be_cancelled(make_database: Databases) -> None:
    db = await prepared(make_database, "a", "a")
    assert await states(db) == [("due", "")]
    async with db.transaction() as tx:
        await cancel_work(tx, "k", "a", "withdrawn")
        await add_work(tx, "k", "a", {})
    assert await states(db) == [("cancelled", "withdrawn"), ("due", "")]


async def test_work_of_a_transaction_that_rolls_back_is_not_there(make_database: Databases) -> None:
    db = await prepared(make_database)
    try:
        async with db.transaction() as tx:
            await add_work(tx, "k", "a", {})
            raise RuntimeError
    except RuntimeError:
        pass
    assert await states(db) == []


async def test_a_job_that_fails_for_ever_does_not_end_the_worker(make_database: Databases) -> None:
    async def fails(_job: Job, _tx: Transaction) -> None:
        raise ValueError("a NUL \0 from outside")

    db = await prepared(make_database, "bad", "good")
    async with db.transaction() as tx:
        await tx.execute("UPDATE work SET kind = 'bad', attempts = 2000 WHERE subject = 'bad'")
    task = asyncio.create_task(Worker(db, {"bad": fails, "k": note}).run())
    await asyncio.sleep(0.5)
    async with db.transaction() as tx:
        await add_work(tx, "k", "later", {})
    await asyncio.sleep(1.5)
    assert not task.done()
    task.cancel()
    assert await count(db) == 2
    assert next(reason for _, reason in await states(db)) == "ValueError: a NUL \\0 from outside"
