"""How a duty is kept: by the enterprise's report, by an application that it hands in, or by the bureau's assessment."""

from collections.abc import Mapping, Sequence
from typing import Any

from casework import duty_store
from casework.bars import last_day
from casework.case import Case, Document, Duty, Title
from casework.duties import DAY, Owed
from casework.edition import Edition, KeptBy, Result
from casework.lifecycle import cited
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.duties import about_duty, plan_anew
from casework.use_cases.refusals import DutyNotOwed, ReportedAlready, TitleNotHeld, TooEarly, UnknownResult
from casework.use_cases.revoking import put_proposal, stands_already, take_title
from casework.use_cases.steps import given_reasons
from chassis.database import Transaction


async def report_duty(
    work: Casework, tx: Transaction, number: str, *, duty: str, year: int,
    contents: Mapping[str, Any], documents: Sequence[Document] = (),
) -> Duty:  # fmt: skip
    """Hands in the report of one duty and year. After the day that it is due it is taken as well, and is late.

    Raises NotFound, Forbidden, TitleNotHeld, DutyNotOwed, ReportedAlready, TooEarly, UnusableInput.
    """
    title = await take_title(tx, number, "title.report")
    owed = await _owed(work, tx, title, ("report", duty, year))
    if len({document.paper for document in documents}) != len(documents):
        raise UnusableInput("documents", "doubled_id")
    await duty_store.add_report(tx, owed.duty_id, contents, documents)
    return await _keep(work, tx, title, owed)


async def assess_title(
    work: Casework, tx: Transaction, number: str, *, duty: str, year: int, result: str, reasons: Sequence[str]
) -> Duty:
    """Notes how an assessment came out. Where the edition gives time to mend, that is owed from now on; where the result
    ends the title, the officer proposes that with it, and another one decides.

    Raises NotFound, Forbidden, TiedToEnterprise, TitleNotHeld, DutyNotOwed, ReportedAlready, TooEarly, UnknownResult,
    ReasonsNeeded.
    """
    title = await take_title(tx, number, "title.assess")
    owed = await _owed(work, tx, title, ("assessment", duty, year))
    edition, said = work.edition_of_title(title), given_reasons(reasons, "reasons")
    came_out = _result(edition, owed, result)
    today, kept = tx.clock.today(), await _keep(work, tx, title, owed, result)
    if came_out.period is not None:
        due_on = last_day(came_out.period, today)
        mended = Owed(edition.duty(duty), due_on.year, today + DAY, due_on)
        await duty_store.add_duties(tx, [(title, mended)])
        await plan_anew(tx, edition, title)
    if came_out.ground is not None and not await stands_already(tx, title):
        await put_proposal(work, tx, title, ground=came_out.ground, conduct_on=today, reasons=said)
    return kept


async def keep_by_application(work: Casework, tx: Transaction, case: Case) -> None:
    """An application that was handed in keeps the open duties of earlier titles that ask for one of its type."""
    titles = await duty_store.list_titles_awaiting_application(tx, case.enterprise_id, case.programme)
    for title_id in titles:
        title = await duty_store.lock_title(tx, title_id)
        if title is not None and title.revoked_on is None:
            await _keep_all(work, tx, case, title)


async def _keep_all(work: Casework, tx: Transaction, case: Case, title: Title) -> None:
    edition, today = work.edition_of_title(title), tx.clock.today()
    for duty in await duty_store.list_open_duties(tx, title.title_id):
        types = edition.duty(duty.rule).case_types or (case.case_type,)
        if duty.kept_by == "application" and duty.opens_on <= today and case.case_type in types:
            await _keep(work, tx, title, duty)


async def _owed(work: Casework, tx: Transaction, title: Title, asked: tuple[KeptBy, str, int]) -> Duty:
    """The duty that may be kept in this way today."""
    kept_by, rule, year = asked
    edition, today = work.edition_of_title(title), tx.clock.today()
    if not title.holds_on(today):
        raise TitleNotHeld(rule=rule, number=title.number, until=title.revoked_on or title.valid_until)
    known = await duty_store.list_duties(tx, title.title_id)
    found = [duty for duty in known if (duty.kept_by, duty.rule, duty.year) == asked]
    owed = min(found, key=lambda duty: duty.done_on is not None, default=None)
    if owed is None:
        left = [f"{d.rule} {d.year}" for d in known if d.kept_by == kept_by and d.done_on is None]
        raise DutyNotOwed(rule=rule, number=title.number, duty=rule, year=year, owed=", ".join(left) or "-")
    source = cited(edition.duty(rule).source)
    if owed.done_on is not None:
        raise ReportedAlready(rule=rule, source=source, duty=rule, year=year, done_on=owed.done_on)
    if today < owed.opens_on:
        raise TooEarly(rule=rule, source=source, duty=rule, year=year, opens_on=owed.opens_on)
    return owed


def _result(edition: Edition, owed: Duty, result: str) -> Result:
    known = {one.id: one for one in edition.duty(owed.rule).results}
    if result not in known:
        raise UnknownResult(
            rule=owed.rule, source=cited(edition.duty(owed.rule).source), duty=owed.rule, result=result,
            known=", ".join(known) or "-",
        )  # fmt: skip
    return known[result]


async def _keep(work: Casework, tx: Transaction, title: Title, duty: Duty, result: str | None = None) -> Duty:
    today = tx.clock.today()
    kept = duty.model_copy(update={"done_on": today, "result": result})
    await duty_store.save_duty(tx, kept)
    tx.publish(
        work.events.DutyDone(**about_duty(title, kept), done_on=today, late=kept.is_late, result=result)
    )
    return kept
