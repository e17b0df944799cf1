"""The end of a panel that nobody can fill any more, after which its case is drawn for anew."""

from uuid import UUID

from casework import panel_store
from casework.case import Case
from casework.expert import DrawRow
from casework.panel import NobodyLeft, drawn
from casework.use_cases.casework import Casework
from casework.use_cases.drawing import about_draw, leaving, release
from casework.use_cases.refusals import ReplacementLeft
from casework.use_cases.steps import keep, take
from chassis.database import Transaction


async def end_panel(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    expert_id: UUID,
    *,
    reason: str,
    expected: int | None = None,
) -> Case:
    """Ends the panel, because this expert has to leave it and nobody of the frozen pool can take the seat.

    Its seats and sealed sheets are kept apart. The case may then be in another draw, of which everybody who had to leave
    is barred. Raises NotFound, ReasonsNeeded, SheetsOpened, ReplacementLeft.
    """
    case = await take(tx, case_id, "panel.end", expected)
    seats, _, row, gone, said = await leaving(tx, case, expert_id, reason)
    _check_nobody_left(row, case_id, gone)
    await panel_store.end_panel(tx, row.draw_id, case_id, expert_id, said)
    case = await keep(tx, case, "end_panel", [said])
    tx.publish(work.events.PanelEnded(**about_draw(row), case_id=case_id))
    release(work, tx, row, [seat for seat in seats if seat.recused_at is None])
    return case


def _check_nobody_left(row: DrawRow, case_id: UUID, gone: set[UUID]) -> None:
    """Raises ReplacementLeft: a panel does not end because it does not please."""
    try:
        drawn(row.pool, case_id, row.seed, row.beacon, gone)
    except NobodyLeft:
        return
    raise ReplacementLeft(rule="panel.draw", case_id=case_id)
