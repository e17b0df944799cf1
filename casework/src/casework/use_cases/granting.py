"""From the proposal to the title: the public notice, its end, the grant."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import lifecycle, store, titles
from casework.calendar import add_working_days
from casework.case import Case, Title
from casework.duties import DAY
from casework.edition import Edition
from casework.use_cases.applying import NOTICE_CLOSE
from casework.use_cases.casework import Casework
from casework.use_cases.duties import Planned, plan_duties
from casework.use_cases.inspecting import check_inspected
from casework.use_cases.refusals import NothingProposed
from casework.use_cases.steps import Move, about, about_title, move, move_all, start_of, take
from chassis.database import Transaction
from chassis.work import Job, add_work


async def open_notice(work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None) -> Case:
    """Publishes the proposal for the edition's working days; the day of opening is not counted (民法通则第一百五十四条).

    Raises NothingProposed, NotInspected, InspectionFailed, CalendarUnknown when the official calendar does not reach the
    end.
    """
    case = await take(tx, case_id, "case.notice", expected)
    edition = work.edition_of(case, tx.clock.today())
    lifecycle.next_step(edition, case.case_type, case.state, "open_notice", tx.actor.role)
    if case.proposal != "grant":
        raise NothingProposed(rule="process.open_notice", proposal=case.proposal)
    await check_inspected(work, tx, edition, case, "open_notice")
    opens_on = tx.clock.today()
    ends_on = add_working_days(opens_on, edition.notice_working_days)
    case = await move(tx, edition, case, "open_notice")
    await store.add_notice(tx, case, opens_on, ends_on)
    await close_after(tx, case_id, ends_on)
    tx.publish(work.events.NoticeOpened(**about(case), opens_on=opens_on, ends_on=ends_on))
    return case


async def close_after(tx: Transaction, case_id: UUID, ends_on: date) -> None:
    """Plans the end of the notice for the first instant after its last day."""
    await add_work(tx, NOTICE_CLOSE, str(case_id), {"case_id": str(case_id)}, start_of(ends_on + DAY))


async def close_notice(work: Casework, job: Job, tx: Transaction) -> None:
    """The deadline `notice.close`: records the case, and grants at once where the edition leaves that to no person.

    Early by a clock that was set back, it waits again.
    """
    case = await take(tx, UUID(job.payload["case_id"]), "case.close_notice", None)
    edition = work.edition_of(case, tx.clock.today())
    notice = await store.find_notice(tx, case.case_id)
    if notice is not None and tx.clock.today() <= notice.ends_on:
        await close_after(tx, case.case_id, notice.ends_on)
        return
    case = await move(tx, edition, case, "record")
    if lifecycle.may(edition, case.case_type, case.state, "grant", tx.actor.role):
        await grant(work, tx, edition, case)


async def grant_case(work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None) -> Title:
    """Grants the recorded case its title. Raises WrongState while the notice is open, and when it was granted before."""
    case = await take(tx, case_id, "case.grant", expected)
    return await grant(work, tx, work.edition_of(case, tx.clock.today()), case)


class Grant(NamedTuple):
    """A case to be granted. `number` and `granted_on`: what the recognition authority gave, both or neither; without
    them it is the next number from today on. `noted` stands beside the decision.
    """

    edition: Edition
    case: Case
    number: str | None = None
    granted_on: date | None = None
    noted: Sequence[str] = ()


async def grant(work: Casework, tx: Transaction, edition: Edition, case: Case) -> Title:
    (title,) = await grant_all(work, tx, [Grant(edition, case)])
    return title


async def grant_all(work: Casework, tx: Transaction, grants: Sequence[Grant]) -> list[Title]:
    """Each case its title, all of them in a few statements. Raises as `move` does."""
    moves = [Move(one.edition, one.case, one.noted) for one in grants]
    cases = await move_all(tx, "grant", moves)
    granted = [await _title_of(tx, one, case) for one, case in zip(grants, cases, strict=True)]
    await store.add_titles(tx, granted)
    await store.close_notices(tx, [case.case_id for case in cases], "granted", tx.clock.now())
    for title in granted:
        tx.publish(
            work.events.TitleGranted(
                **about_title(title), granted_on=title.granted_on, valid_until=title.valid_until
            )
        )
    await plan_duties(
        tx,
        [Planned(one.edition, title, one.case.case_type) for one, title in zip(grants, granted, strict=True)],
    )
    return granted


async def _title_of(tx: Transaction, one: Grant, case: Case) -> Title:
    granted_on = one.granted_on or tx.clock.today()
    return Title.model_validate(
        {
            "title_id": uuid7(),
            "case_id": case.case_id,
            "enterprise_id": case.enterprise_id,
            "enterprise_name": case.enterprise_name,
            "programme": case.programme,
            "level": case.level,
            "number": one.number or await _next_number(tx, one.edition, case, granted_on),
            "granted_on": granted_on,
            "valid_until": titles.valid_until(one.edition, granted_on),
            "edition": case.edition,
            "edition_hash": case.edition_hash,
        }
    )


async def _next_number(tx: Transaction, edition: Edition, case: Case, granted_on: date) -> str:
    series = titles.number_series(edition, titles.region_of(case), granted_on)
    return titles.title_number(series, await store.next_in_series(tx, series))
