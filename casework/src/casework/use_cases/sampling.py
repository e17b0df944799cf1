"""The draw of the titles that are inspected at random: committed to, then revealed, as panels are."""

import secrets
from datetime import date
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import bars, round_store, sample_store, store
from casework.edition import Edition, Inspection, Period
from casework.inspection import SampleRow
from casework.lifecycle import cited
from casework.policy import POLICY
from casework.sample import Batch, Sample, opened, sealed
from casework.sample_store import Entry, Whole
from casework.store import Reader
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.drawing import check_revealable
from casework.use_cases.inspecting import lay_down
from casework.use_cases.refusals import BatchDrawn
from casework.use_cases.steps import keep
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound

# The ids of a batch travel in one event; what is left of a larger one is drawn of next.
MAX_BATCH: Final = 10_000


async def commit_sample(
    work: Casework, tx: Transaction, inspection: str, whole: Whole, *, beacon_named: str | None = None
) -> Sample:
    """Freezes the titles of a batch that are held today and were in no draw of this inspection before.

    Titles that rest on another edition than the first are left to the next draw. Raises NotFound for an unknown round,
    UnusableInput for an unknown programme or inspection, BatchDrawn, Forbidden.
    """
    authorize(POLICY, tx.actor, "inspection.draw")
    whole = await _named(work, tx, whole)
    _check_known(work, whole.programme, inspection)
    entries = await sample_store.list_batch(tx, whole, inspection, tx.clock.today(), limit=MAX_BATCH)
    batch = _frozen(work, whole, inspection, entries, beacon_named)
    seed = secrets.token_bytes(32)
    sample = sealed(batch, seed)
    row = SampleRow(
        draw_id=batch.draw_id, pool=batch, pool_hash=sample.pool_hash, seed=seed, seed_hash=sample.seed_hash,
        committed_by=str(tx.actor), committed_at=tx.clock.now(),
    )  # fmt: skip
    try:
        await sample_store.add_sample(tx, row)
    except sample_store.DrawnBefore as error:
        raise BatchDrawn(rule=f"inspections.{inspection}", source=batch.source) from error
    tx.publish(
        work.events.DrawCommitted(
            draw_id=row.draw_id,
            programme=batch.programme,
            edition=batch.edition,
            edition_hash=batch.edition_hash,
            pool_hash=row.pool_hash,
            seed_hash=row.seed_hash,
            cases=list(batch.cases),
        )
    )
    return sample


async def _named(work: Casework, tx: Transaction, whole: Whole) -> Whole:
    """With the programme and level of its round, or the only level of its programme."""
    if whole.round_id is None:
        edition = work.rulebooks.edition_for(whole.programme, tx.clock.today(), whole.level)
        return whole._replace(level=edition.level)
    found = await round_store.find_round(tx, whole.round_id)
    if found is None or found.programme != whole.programme:
        raise NotFound(thing="round")
    return whole._replace(level=found.level)


def _check_known(work: Casework, programme: str, inspection: str) -> None:
    editions = [edition for edition in work.rulebooks.editions if edition.programme == programme]
    known = {one.id for edition in editions for one in edition.inspections if one.kind == "random"}
    if inspection not in known:
        raise UnusableInput("inspection", "not_one_of", expected=", ".join(sorted(known)) or "-")


def _frozen(
    work: Casework, whole: Whole, inspection: str, entries: list[Entry], beacon_named: str | None
) -> Batch:
    for first in entries:
        edition = work.loaded(whole.programme, first.edition, first.edition_hash)
        rule = _rule(edition, inspection)
        if rule is None or rule.share is None or not rule.applies_on(first.applied_on):
            continue
        cases = tuple(
            entry.case_id for entry in entries
            if entry.edition_hash == first.edition_hash and rule.applies_on(entry.applied_on)
        )  # fmt: skip
        return Batch(
            draw_id=uuid7(), programme=whole.programme, level=whole.level, edition=first.edition,
            edition_hash=first.edition_hash, inspection=inspection, source=cited(rule.source), share=rule.share,
            round_id=whole.round_id, year=whole.year, cases=cases, beacon_named=beacon_named,
        )  # fmt: skip
    raise BatchDrawn(rule=f"inspections.{inspection}")


def _rule(edition: Edition, inspection: str) -> Inspection | None:
    return next((one for one in edition.inspections if one.id == inspection and one.kind == "random"), None)


async def reveal_sample(
    work: Casework, tx: Transaction, draw_id: UUID, *, beacon: str | None = None
) -> Sample:
    """Publishes the seed, and lays down the inspection of every drawn title that is still held.

    Raises NotFound, DrawRevealedBefore, BeaconMismatch unless a beacon is given exactly where one was named.
    """
    authorize(POLICY, tx.actor, "inspection.draw")
    row = await sample_store.lock_sample(tx, draw_id)
    if row is None:
        raise NotFound(thing="draw")
    batch = row.pool
    check_revealable(row.revealed_at, batch.beacon_named, beacon, rule=f"inspections.{batch.inspection}")
    await sample_store.reveal(tx, draw_id, beacon)
    sample = opened(sealed(batch, row.seed), row.seed, beacon)
    tx.publish(
        work.events.DrawRevealed(
            draw_id=draw_id,
            programme=batch.programme,
            edition=batch.edition,
            seed=row.seed.hex(),
            beacon=beacon,
        )
    )
    await _lay_down(work, tx, batch, sample)
    return sample


async def _lay_down(work: Casework, tx: Transaction, batch: Batch, sample: Sample) -> None:
    edition = work.loaded(batch.programme, batch.edition, batch.edition_hash)
    rule = _rule(edition, batch.inspection)
    assert rule is not None
    due_on = _last_day(edition, tx.clock.today())
    held = await sample_store.list_held(tx, sample.drawn)
    for case in await store.lock_cases(tx, held):
        kept = await keep(tx, case, "draw_inspection")
        await lay_down(work, tx, kept, rule, draw_id=batch.draw_id, due_on=due_on)


def _last_day(edition: Edition, today: date) -> date | None:
    """The next day of the edition's `inspection.random_by`, if it names one."""
    named = edition.parameters.get("inspection.random_by")
    return None if named is None else bars.last_day(Period(until=str(named.value)), today)


async def read_sample(reader: Reader, draw_id: UUID) -> Sample:
    """As anybody may read it: without the seed before it is revealed. Raises NotFound."""
    row = await sample_store.find_sample(reader, draw_id)
    if row is None:
        raise NotFound(thing="draw")
    sample = Sample(pool=row.pool, pool_hash=row.pool_hash, seed_hash=row.seed_hash)
    return sample if row.revealed_at is None else opened(sample, row.seed, row.beacon)
