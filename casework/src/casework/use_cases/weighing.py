"""Putting facts and judgements before the engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from casework import store
from casework.case import Case, Judgement
from casework.edition import Edition
from casework.facts import Facts, facts_from
from casework.self_check import document_of
from casework.use_cases.steps import Casework
from casework.verdict import Verdict
from chassis.database import Transaction


@dataclass(frozen=True, slots=True)
class Weighed:
    verdict: Verdict
    answer: dict[str, Any]

    @property
    def changes(self) -> dict[str, Any]:
        return {"answer": self.answer, "verdict": self.verdict.verdict}


async def weigh(work: Casework, tx: Transaction, edition: Edition, case: Case) -> Weighed:
    """The engine's verdict on the case's facts with every judgement given so far. Raises UnusableInput."""
    given = together(await store.list_judgements(tx, case.case_id))
    verdict = work.evaluator(edition).judge(judged_facts(case, given))
    return Weighed(verdict, document_of(verdict))


def judged_facts(case: Case, judgements: dict[str, bool | Decimal]) -> Facts:
    return facts_from(
        {
            **case.facts, "programme": case.programme, "case_type": case.case_type,
            "applied_on": case.applied_on, "judgements": judgements,
        }
    )  # fmt: skip


def together(judgements: Iterable[Judgement]) -> dict[str, bool | Decimal]:
    """What the judges say together: what all of them agree on.

    Where they differ a name has no value, so the verdict stays unknown: the mean of sheets is the panel's to form.
    """
    said: dict[str, set[bool | Decimal]] = {}
    for judgement in judgements:
        value = judgement.value
        said.setdefault(judgement.name, set()).add(value if isinstance(value, bool) else Decimal(value))
    return {name: next(iter(values)) for name, values in said.items() if len(values) == 1}
