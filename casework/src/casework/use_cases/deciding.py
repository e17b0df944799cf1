"""What the bureau does: accept or return, review and judge, propose, refuse."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal, NamedTuple
from uuid import UUID

from casework import inspection_store, lifecycle, panel_store, store
from casework.case import Case
from casework.edition import Edition
from casework.facts import facts_from
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.inspecting import plan_inspections
from casework.use_cases.refusals import NotPassed, NotYourJudgement, PanelNeeded, SheetNeeded
from casework.use_cases.rounds import check_quota
from casework.use_cases.steps import Move, about, given_reasons, keep, move, move_all, take
from casework.use_cases.weighing import judged_facts, weigh
from casework.verdict import Verdict, exact_text
from chassis.database import Transaction
from contracts.casework import CaseJudgedShape

SCORE_PLACES = 12


async def accept_case(work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None) -> Case:
    """The application is complete in form."""
    case = await take(tx, case_id, "case.accept", expected)
    return await move(tx, work.edition_of(case, tx.clock.today()), case, "accept")


async def return_case(
    work: Casework, tx: Transaction, case_id: UUID, *, defects: Sequence[str], expected: int | None = None
) -> Case:
    """Gives the application back to be mended. Raises ReasonsNeeded without a defect."""
    case = await take(tx, case_id, "case.return", expected)
    edition = work.edition_of(case, tx.clock.today())
    said = reasons_given(edition, "return", defects)
    case = await move(tx, edition, case, "return", said, defects=said)
    tx.publish(work.events.CaseReturned(**about(case), defects=list(said)))
    return case


async def start_review(
    work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None
) -> Case:
    """Opens the accepted application to the judges."""
    case = await take(tx, case_id, "case.review", expected)
    return await move(tx, work.edition_of(case, tx.clock.today()), case, "start_review")


async def judge_case(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    *,
    judgements: Mapping[str, bool | int | Decimal],
    expected: int | None = None,
) -> Case:
    """Keeps what this person judges, as the person's next version, and puts the case before the engine again.

    Raises UnusableInput for a name the edition does not know or a value outside its band, NotYourJudgement,
    WrongState unless the case is in review.
    """
    case = await take(tx, case_id, "case.judge", expected)
    edition = work.edition_of(case, tx.clock.today())
    lifecycle.check_judging(edition, case.case_type, case.state)
    if tx.actor.role == "expert" and await panel_store.draw_of(tx, case_id) is not None:
        raise SheetNeeded(rule="panel.sheets")
    check_names(edition, judgements, tx.actor.role)
    checked = judged_facts(case, facts_from({"judgements": dict(judgements)}).judgements)
    work.evaluator(edition).judge(checked)
    values = {
        name: value if isinstance(value, bool) else exact_text(value)
        for name, value in checked.judgements.items()
    }
    await store.add_judgements(tx, case_id, str(tx.actor), values)
    weighed = await weigh(work, tx, edition, case)
    case = await keep(tx, case, "judge", **weighed.changes)
    tx.publish(judged(work, case, weighed.verdict))
    return case


def judged(work: Casework, case: Case, verdict: Verdict) -> CaseJudgedShape:
    score = verdict.score
    return work.events.CaseJudged(
        **about(case),
        verdict=verdict.verdict,
        score_lo=None if score is None else _to_places(score.lo, ROUND_FLOOR),
        score_hi=None if score is None else _to_places(score.hi, ROUND_CEILING),
        failed_conditions=verdict.failed_conditions,
    )


def _to_places(points: Decimal | Fraction, rounding: str) -> Decimal:
    """As an event can carry it: a mean without a finite decimal becomes the narrowest interval around it."""
    if isinstance(points, Decimal):
        return points
    places = 10**SCORE_PLACES
    whole = floor(points * places) if rounding == ROUND_FLOOR else ceil(points * places)
    return Decimal(whole).scaleb(-SCORE_PLACES)


def check_names(edition: Edition, judgements: Mapping[str, object], role: str) -> None:
    """Items of the score are for whom the edition names; other judgements for officers and experts alike."""
    items = {} if edition.score is None else {item.id: item for item in edition.score.items}
    if not judgements:
        raise UnusableInput("judgements", "required")
    for name in judgements:
        if name in edition.judgements:
            continue
        if name not in items:
            raise UnusableInput(f"judgements.{name}", "unknown_judgement")
        item = items[name]
        if (item.by == "officer") != (role == "officer"):
            raise NotYourJudgement(
                rule=f"score.{name}", source=lifecycle.cited(item.source), name=name, by=item.by
            )


async def propose_case(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    *,
    proposal: Literal["grant", "refuse"],
    reasons: Sequence[str] = (),
    expected: int | None = None,
) -> Case:
    """Proposes the decision.

    Raises NotPassed for a grant without a verdict of pass, PanelNeeded, QuotaSpent, ReasonsNeeded for a refusal.
    """
    case = await take(tx, case_id, "case.propose", expected)
    edition = work.edition_of(case, tx.clock.today())
    said: tuple[str, ...] = tuple(reasons)
    lifecycle.next_step(edition, case.case_type, case.state, "propose", tx.actor.role)
    if proposal == "grant":
        check_passed(edition, case)
        await check_panel(tx, edition, case)
        await check_quota(tx, case)
        await plan_inspections(work, tx, edition, case)
    else:
        said = reasons_given(edition, "propose", reasons)
    case = await move(tx, edition, case, "propose", said, proposal=proposal, reasons=said)
    tx.publish(work.events.CaseProposed(**about(case), proposal=proposal))
    return case


def check_passed(edition: Edition, case: Case) -> None:
    if case.verdict == "pass":
        return
    conditions = (case.answer or {}).get("conditions", [])
    named = {
        outcome: ", ".join(c["id"] for c in conditions if c["outcome"] == outcome) or "-"
        for outcome in ("fail", "unknown")
    }
    raise NotPassed(
        rule="verdict", source=edition.instruments[0].number,
        verdict=case.verdict or "unknown", failed=named["fail"], unknown=named["unknown"],
    )  # fmt: skip


async def check_panel(tx: Transaction, edition: Edition, case: Case) -> None:
    """Raises PanelNeeded where the edition grants on a panel's sheets alone (`panel.compulsory`) and there are none."""
    asked = edition.parameters.get("panel.compulsory")
    if asked is not None and not await panel_store.list_opened_sheets(tx, case.case_id):
        raise PanelNeeded(
            rule="panel.compulsory", source=lifecycle.cited(asked.source), programme=case.programme
        )


async def refuse_case(
    work: Casework, tx: Transaction, case_id: UUID, *, reasons: Sequence[str], expected: int | None = None
) -> Case:
    """Refuses the title. Raises ReasonsNeeded without a reason."""
    case = await take(tx, case_id, "case.refuse", expected)
    (refused,) = await refuse_all(
        work, tx, [Refusing(work.edition_of(case, tx.clock.today()), case, reasons)]
    )
    return refused


class Refusing(NamedTuple):
    """A case to be refused, and why; `noted` stands beside the decision, and no event tells it."""

    edition: Edition
    case: Case
    reasons: Sequence[str]
    noted: Sequence[str] = ()


async def refuse_all(work: Casework, tx: Transaction, refused: Sequence[Refusing]) -> list[Case]:
    """Raises ReasonsNeeded for one without a reason, and as `move` does."""
    said = [reasons_given(one.edition, "refuse", one.reasons) for one in refused]
    moves = [
        Move(one.edition, one.case, (*why, *one.noted), {"reasons": why})
        for one, why in zip(refused, said, strict=True)
    ]
    cases = await move_all(tx, "refuse", moves)
    await store.close_notices(tx, [case.case_id for case in cases], "refused", tx.clock.now())
    await inspection_store.lapse_inspections(tx, [case.case_id for case in cases])
    for case in cases:
        tx.publish(work.events.CaseRefused(**about(case), reasons=list(case.reasons)))
    return cases


def reasons_given(edition: Edition, verb: str, reasons: Sequence[str]) -> tuple[str, ...]:
    step = next((step for step in edition.process if step.verb == verb), edition.process[0])
    return given_reasons(reasons, f"process.{verb}", lifecycle.cited(step.source))
