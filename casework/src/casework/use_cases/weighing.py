"""Putting facts and judgements before the engine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from casework import panel_store, store
from casework.case import Case, Judgement
from casework.edition import Edition
from casework.facts import Facts, facts_from
from casework.score_sheets import agreed, means_of
from casework.self_check import document_of
from casework.store import Reader
from casework.use_cases.casework import Casework
from casework.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Weighed:
    verdict: Verdict
    answer: dict[str, Any]

    @property
    def changes(self) -> dict[str, Any]:
        return {"answer": self.answer, "verdict": self.verdict.verdict}


async def weigh(work: Casework, reader: Reader, edition: Edition, case: Case) -> Weighed:
    """The engine's verdict on the case's facts with every judgement given so far. Raises UnusableInput.

    Once a panel is drawn, experts speak through their sheets alone, when all of them are in.
    """
    judgements = await store.list_judgements(reader, case.case_id)
    if await panel_store.draw_of(reader, case.case_id) is None:
        return _weighed(work, edition, case, together(judgements))
    sheets = await panel_store.list_opened_sheets(reader, case.case_id)
    given = together(said for said in judgements if not said.judge.startswith("expert:"))
    return _weighed(work, edition, case, given | agreed(edition, sheets), means_of(edition, sheets))


def _weighed(
    work: Casework,
    edition: Edition,
    case: Case,
    given: dict[str, bool | Decimal],
    means: Mapping[str, Fraction] | None = None,
) -> Weighed:
    verdict = work.evaluator(edition).judge(judged_facts(case, given), means=means)
    return Weighed(verdict, document_of(verdict))


def weigh_unjudged(work: Casework, edition: Edition, case: Case, facts: Facts) -> Weighed:
    """The verdict on facts that were validated just now, of a case that nobody has judged yet. Raises UnusableInput."""
    said: dict[str, Any] = {
        "programme": case.programme,
        "case_type": case.case_type,
        "applied_on": case.applied_on,
        "judgements": {},
    }
    verdict = work.evaluator(edition).judge(facts.model_copy(update=said))
    return Weighed(verdict, document_of(verdict))


def judged_facts(case: Case, judgements: Mapping[str, object]) -> Facts:
    return facts_from(
        {
            **case.facts, "programme": case.programme, "case_type": case.case_type,
            "applied_on": case.applied_on, "judgements": dict(judgements),
        }
    )  # fmt: skip


def together(judgements: Iterable[Judgement]) -> dict[str, bool | Decimal]:
    """What the judges say together: what all of them agree on.

    Where they differ a name has no value, so the verdict stays unknown: a mean is formed of a panel's sheets only.
    """
    said: dict[str, set[bool | Decimal]] = {}
    for judgement in judgements:
        value = judgement.value
        said.setdefault(judgement.name, set()).add(value if isinstance(value, bool) else Decimal(value))
    return {name: next(iter(values)) for name, values in said.items() if len(values) == 1}
