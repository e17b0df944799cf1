"""What happens to a title by itself as days pass: reminders, misses and what follows from them, its expiry.

Each title has one open work row, due at its next step: steps are taken in the order of their days, and one at a time.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, assert_never
from uuid import UUID

from casework import bars, duties, duty_store, store
from casework.case import Duty, Title
from casework.duties import DAY, Step
from casework.edition import Edition, Rule
from casework.lifecycle import cited
from casework.use_cases.casework import Casework
from casework.use_cases.revoking import put_proposal, stands_already
from casework.use_cases.steps import about_title, start_of
from chassis.database import Transaction
from chassis.work import Job, add_all_work, cancel_work

TITLE_DUTIES: Final = "title.duties"


class Planned(NamedTuple):
    """A title that owes nothing yet, its edition, and the type of the application that it was granted on."""

    edition: Edition
    title: Title
    case_type: str


async def plan_duties(tx: Transaction, planned: Sequence[Planned]) -> None:
    """Lays down what each of the titles owes from today on, and waits for its first step."""
    today = tx.clock.today()
    owed = [
        (one.title, duty)
        for one in planned
        for duty in duties.owed_by(one.edition, one.title, one.case_type, today)
    ]
    added: dict[UUID, list[Duty]] = defaultdict(list)
    for duty in await duty_store.add_duties(tx, owed):
        added[duty.title_id].append(duty)
    first = [
        (one.title, duties.next_step(one.edition, one.title, added[one.title.title_id], today))
        for one in planned
    ]
    await _wait(tx, first)


async def act_on_duties(work: Casework, job: Job, tx: Transaction) -> None:
    """The deadline `title.duties`: takes the title's next step when its day has come, and waits for the one after it.

    A title that was granted before there were duties is planned first. Nothing happens any more once it is revoked.
    """
    title = await duty_store.lock_title(tx, UUID(job.payload["title_id"]))
    if title is None or title.revoked_on is not None:
        return
    edition = work.edition_of_title(title)
    if job.payload.get("plan"):
        case = await store.find_case(tx, title.case_id)
        await plan_duties(tx, [Planned(edition, title, "" if case is None else case.case_type)])
        return
    step = await _next(tx, edition, title)
    if step is not None and step.on <= tx.clock.today():
        title = await _take(work, tx, edition, title, step)
        step = await _next(tx, edition, title)
    await _wait(tx, [(title, step)])


async def plan_anew(tx: Transaction, edition: Edition, title: Title) -> None:
    """Waits for the title's next step, which may come earlier since something was added to what it owes."""
    await cancel_work(tx, TITLE_DUTIES, str(title.title_id), "planned anew")
    await _wait(tx, [(title, await _next(tx, edition, title))])


async def _next(tx: Transaction, edition: Edition, title: Title) -> Step | None:
    owed = await duty_store.list_open_duties(tx, title.title_id)
    return duties.next_step(edition, title, owed, tx.clock.today())


async def _wait(tx: Transaction, steps: Sequence[tuple[Title, Step | None]]) -> None:
    due = {str(title.title_id): start_of(step.on) for title, step in steps if step is not None}
    await add_all_work(tx, TITLE_DUTIES, [(of, {"title_id": of}, due_at) for of, due_at in due.items()])


async def _take(work: Casework, tx: Transaction, edition: Edition, title: Title, step: Step) -> Title:
    if step.kind == "expire" or step.duty is None:
        return await _expire(work, tx, title)
    match step.kind:
        case "remind":
            await _remind(work, tx, title, step.duty)
        case "warn":
            await _warn(work, tx, title, step.duty, edition.duty(step.duty.rule))
        case "miss":
            await _miss(work, tx, edition, title, step.duty)
        case _:
            assert_never(step.kind)
    return title


async def _remind(work: Casework, tx: Transaction, title: Title, duty: Duty) -> None:
    reminded = duty.model_copy(update={"reminded_on": tx.clock.today()})
    await duty_store.save_duty(tx, reminded)
    tx.publish(work.events.DutyDue(**about_duty(title, reminded), grace_until=None))


async def _warn(work: Casework, tx: Transaction, title: Title, duty: Duty, rule: Rule) -> None:
    """Tells that the duty is overdue; the edition's grace begins with that, not with the day that was missed."""
    until = None if rule.grace is None else bars.last_day(rule.grace, tx.clock.today())
    warned = duty.model_copy(update={"grace_until": until})
    await duty_store.save_duty(tx, warned)
    tx.publish(work.events.DutyDue(**about_duty(title, warned), grace_until=until))


async def _miss(work: Casework, tx: Transaction, edition: Edition, title: Title, duty: Duty) -> None:
    """Notes the miss. More misses than the edition allows are proposed as its ground of revocation: an officer decides."""
    missed_on = duty.last_on + DAY
    await duty_store.save_duty(tx, duty.model_copy(update={"missed_on": missed_on}))
    tx.publish(work.events.DutyMissed(**about_duty(title, duty), missed_on=missed_on))
    rule, today = edition.duty(duty.rule), tx.clock.today()
    years = await duty_store.list_missed_years(tx, title.title_id, rule.id)
    if rule.ground is None or len(years) <= (rule.misses_allowed or 0):
        return
    if bars.ground_of(edition, rule.ground, today) is None or not title.holds_on(today):
        return
    if not await stands_already(tx, title):
        said = f"{rule.title.zh}：{'、'.join(map(str, years))}（{cited(rule.source)}）"
        await put_proposal(work, tx, title, ground=rule.ground, conduct_on=missed_on, reasons=(said,))


async def _expire(work: Casework, tx: Transaction, title: Title) -> Title:
    expired = title.model_copy(update={"expired_at": tx.clock.now()})
    await duty_store.save_expired(tx, expired)
    tx.publish(work.events.TitleExpired(**about_title(title), valid_until=title.valid_until))
    return expired


def about_duty(title: Title, duty: Duty) -> dict[str, Any]:
    """The fields that every event about a duty carries."""
    return about_title(title) | {"duty": duty.rule, "year": duty.year, "due_on": duty.due_on}
