"""Score sheets: one for each expert of a panel, sealed until all are in, then weighed together."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from casework import lifecycle, panel_store, store
from casework.case import Case
from casework.edition import Edition
from casework.expert import Answer, Seat, Sheet
from casework.facts import facts_from
from casework.score_sheets import Line, Scores, lines_of, missing_from, names_of, scores_of, with_prefilled
from casework.store import Reader
from casework.use_cases.casework import Casework
from casework.use_cases.deciding import judged
from casework.use_cases.permitting import Desk
from casework.use_cases.refusals import NotOnYourSheet, SheetHandedIn, SheetIncomplete, SheetsSealed
from casework.use_cases.steps import keep, look_at, take
from casework.use_cases.weighing import judged_facts, weigh
from casework.verdict import exact_text
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Actor

Given = Mapping[str, bool | int | Decimal]


class Form(NamedTuple):
    """An expert's own sheet: its lines, what is written on it so far, and the seat."""

    seat: Seat
    sheet: Sheet
    lines: list[Line]


async def read_sheet(work: Casework, reader: Desk, actor: Actor, case_id: UUID) -> Form:
    """The expert's own sheet. Raises NotFound for who has no seat on this panel."""
    case = await look_at(reader, actor, case_id, "sheet.read")
    seat = await _seat_of(reader, actor, case_id)
    sheet = await panel_store.find_sheet(reader, case_id, seat.expert_id)
    return Form(seat, sheet, _lines(work, case, seat.kind))


def _lines(work: Casework, case: Case, kind: str) -> list[Line]:
    edition = work.pinned(case)
    return lines_of(edition, work.evaluator(edition).judge(judged_facts(case, {})), kind)


async def _seat_of(reader: Reader, actor: Actor, case_id: UUID) -> Seat:
    for seat in await panel_store.list_seats(reader, case_id):
        if seat.person == str(actor) and seat.recused_at is None:
            return seat
    raise NotFound(thing="seat")


async def fill_sheet(
    work: Casework, tx: Transaction, case_id: UUID, given: Given, *, expected: int | None = None
) -> Form:
    """Replaces what is written on the expert's sheet. `expected`: the sheet's own version.

    Raises NotFound, WrongState unless the case is in review, NotOnYourSheet, UnusableInput for a value outside its
    band, SheetHandedIn, PreconditionFailed, TiedToEnterprise.
    """
    case, seat, sheet = await _open_sheet(work, tx, case_id, expected)
    checked = _checked(work, case, seat.kind, given)
    await panel_store.save_sheet(tx, case_id, seat.expert_id, sheet.version + 1, checked, handed_in=False)
    return await read_sheet(work, tx, tx.actor, case_id)


async def _open_sheet(
    work: Casework, tx: Transaction, case_id: UUID, expected: int | None
) -> tuple[Case, Seat, Sheet]:
    case = await take(tx, case_id, "sheet.write", None)
    seat = await _seat_of(tx, tx.actor, case_id)
    lifecycle.check_judging(work.pinned(case), case.case_type, case.state)
    sheet = await panel_store.find_sheet(tx, case_id, seat.expert_id)
    if sheet.handed_in_at is not None:
        raise SheetHandedIn(rule="panel.sheets")
    if expected is not None and expected != sheet.version:
        raise PreconditionFailed(version=sheet.version)
    return case, seat, sheet


def _checked(work: Casework, case: Case, kind: str, given: Given) -> dict[str, Answer]:
    """Whole points (or coefficients), inside the band that the facts reach, of names on the sheet of this kind."""
    edition = work.pinned(case)
    names = names_of(edition, kind)
    for name in given:
        if name not in names:
            raise NotOnYourSheet(rule="panel.sheets", name=name, kind=kind)
    said = facts_from({"judgements": dict(given)}).judgements
    work.evaluator(edition).judge(judged_facts(case, said))
    return {name: value if isinstance(value, bool) else exact_text(value) for name, value in said.items()}


async def hand_in_sheet(
    work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None
) -> Form:
    """Closes the expert's sheet; the last one opens all of them and puts the case before the engine.

    Raises as fill_sheet does, and SheetIncomplete.
    """
    case, seat, sheet = await _open_sheet(work, tx, case_id, expected)
    lines = _lines(work, case, seat.kind)
    if missing := missing_from(lines, sheet.given):
        raise SheetIncomplete(rule="panel.sheets", missing=", ".join(missing), names=missing)
    given = with_prefilled(lines, sheet.given)
    await panel_store.save_sheet(tx, case_id, seat.expert_id, sheet.version + 1, given, handed_in=True)
    seats = [seat for seat in await panel_store.list_seats(tx, case_id) if seat.recused_at is None]
    if all(seat.handed_in_at is not None for seat in seats):
        await _open(work, tx, case, seats)
    return await read_sheet(work, tx, tx.actor, case_id)


async def _open(work: Casework, tx: Transaction, case: Case, seats: list[Seat]) -> None:
    await panel_store.open_sheets(tx, case.case_id)
    persons = {seat.expert_id: seat.person for seat in seats}
    for sheet in await panel_store.list_opened_sheets(tx, case.case_id):
        await store.add_judgements(tx, case.case_id, persons[sheet.expert_id], sheet.given)
    weighed = await weigh(work, tx, work.pinned(case), case)
    case = await keep(tx, case, "judge", **weighed.changes)
    tx.publish(judged(work, case, weighed.verdict))


async def read_scores(work: Casework, reader: Desk, actor: Actor, case_id: UUID) -> Scores:
    """Totals, spread and outliers, for the head of the panel and the bureau. Raises NotFound, SheetsSealed."""
    case = await look_at(reader, actor, case_id, "score.read")
    seats = [seat for seat in await panel_store.list_seats(reader, case_id) if seat.recused_at is None]
    head = next((seat for seat in seats if seat.head), None)
    if head is None or (actor.role == "expert" and str(actor) != head.person):
        raise NotFound(thing="panel")
    sheets = await panel_store.list_opened_sheets(reader, case_id)
    if not sheets:
        in_count = sum(seat.handed_in_at is not None for seat in seats)
        raise SheetsSealed(rule="panel.sheets", in_count=in_count, seats=len(seats))
    edition: Edition = work.pinned(case)
    weighed = await weigh(work, reader, edition, case)
    return scores_of(edition, sheets, head.expert_id, weighed.verdict)
