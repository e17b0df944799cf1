"""The witness: what clients were told against what the tables hold, without a line of the services' own code.

It looks at a house at rest, past the proxies.
"""

from typing import Final

from rig.ground import Ground
from rig.journal import Journal
from rig.witness_acknowledged import check_acknowledged
from rig.witness_answers import check_answers
from rig.witness_effects import check_effects
from rig.witness_heard import check_heard
from rig.witness_marks import check_marks, watch
from rig.witness_rows import Finding, Seen, read_rows
from rig.witness_state import check_state
from rig.witness_tally import await_tally, check_tally

__all__ = ["Finding", "Seen", "check", "watch"]
PATIENCE: Final = 30.0


async def check(ground: Ground, journal: Journal, *, patience: float = PATIENCE) -> Seen:
    """Compares, after waiting up to `patience` seconds for tally to have heard everything.

    `watch` has to have been called before the load began.
    """
    seen = Seen()
    if not await await_tally(ground, patience):
        seen.notes.append(f"tally had not heard everything after {patience:.0f} s")
    rows = await read_rows(ground)
    check_answers(seen, journal)
    done = check_effects(seen, journal, rows)
    check_acknowledged(seen, journal, rows, done)
    check_state(seen, rows)
    check_heard(seen, ground, rows)
    check_marks(seen, rows)
    check_tally(seen, rows)
    _note_strange_answers(seen, journal)
    return seen


def _note_strange_answers(seen: Seen, journal: Journal) -> None:
    """Answers that no client should get, whatever fails: they break no promise, and they are defects."""
    for intent in journal.intents.values():
        strange = {a.status for a in intent.attempts if a.status in {400, 401, 403, 404, 405, 415, 428, 500}}
        if strange:
            answers = ", ".join(map(str, sorted(s for s in strange if s is not None)))
            seen.notes.append(
                f"{intent.id}: {intent.method} {intent.service}{intent.path} was answered {answers}"
            )
