"""Judges a facts file for an enterprise, and says the verdict as a table or as JSON; nothing is stored."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from casework.edition import Edition
from casework.evaluate import Evaluator, compile_edition
from casework.facts import Facts, read_facts
from casework.founding import check_founding
from casework.rendering import render_text
from casework.rulebook import Rulebooks, load_rulebooks
from casework.unusable import UnusableInput
from casework.verdict import Collected, ConditionResult, ItemResult, Verdict, exact_text
from casework.wording import say

__all__ = ["UnusableInput", "document_of", "exit_code", "render_json", "render_text", "run", "self_check"]

_EXIT = {"pass": 0, "fail": 1, "unknown": 3}
_UNUSABLE = 2
_compiled: dict[str, Evaluator] = {}


def self_check(
    text_or_facts: str | bytes | Facts,
    rulebooks: Rulebooks,
    programme: str | None = None,
    edition: date | str | None = None,
    level: str | None = None,
) -> Verdict:
    """Judges the facts under the edition of their date of application, or under the edition of the date given.

    Raises UnusableInput, with the path and the rule that is broken.
    """
    facts = text_or_facts if isinstance(text_or_facts, Facts) else read_facts(text_or_facts)
    check_founding(facts, facts.enterprise.established_on)
    chosen = _edition(facts, rulebooks, programme or facts.programme, edition, level)
    evaluator = _compiled.get(chosen.hash)
    if evaluator is None:
        evaluator = _compiled[chosen.hash] = compile_edition(chosen)
    return evaluator.judge(facts, estimated=True)


def _edition(
    facts: Facts, rulebooks: Rulebooks, programme: str | None, edition: date | str | None, level: str | None
) -> Edition:
    if programme is None:
        raise UnusableInput("programme", "programme_needed")
    if edition is not None:
        return rulebooks.edition(programme, _day(edition), level)
    if facts.applied_on is None:
        raise UnusableInput("applied_on", "applied_on_needed")
    return rulebooks.edition_for(programme, facts.applied_on, level)


def _day(edition: date | str) -> date:
    try:
        return edition if isinstance(edition, date) else date.fromisoformat(edition)
    except ValueError as error:
        raise UnusableInput("edition", "not_a_date", given=edition) from error


def exit_code(verdict: Verdict) -> int:
    """0 pass, 1 fail, 3 unknown. (Unusable input ends with 2.)"""
    return _EXIT[verdict.verdict]


def render_json(verdict: Verdict) -> str:
    """The verdict as JSON, its keys in the documented order; numbers are exact decimal strings."""
    return json.dumps(document_of(verdict), ensure_ascii=False, indent=2)


def document_of(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain names and values.

    `rd_collection` is there only when R&D cost items were given, `score.pass_at_least` only where the total passes from
    a mark on; `score.pass_above` is null then.
    """
    document: dict[str, Any] = {
        "programme": verdict.programme,
        "edition": verdict.edition.isoformat(),
        "edition_hash": verdict.edition_hash,
        "applied_on": verdict.applied_on.isoformat() if verdict.applied_on else None,
        "verdict": verdict.verdict,
        "conditions": [_condition(result) for result in verdict.conditions],
        "score": None,
    }
    if verdict.score is not None:
        score = verdict.score
        document["score"] = {
            "lo": exact_text(score.lo),
            "hi": exact_text(score.hi),
            "pass_above": None if score.pass_above is None else exact_text(score.pass_above),
            **({} if score.pass_at_least is None else {"pass_at_least": exact_text(score.pass_at_least)}),
            "items": [_item(result) for result in score.items],
        }
    if verdict.collected:
        document["rd_collection"] = [_collected(year) for year in verdict.collected]
    return document


def _condition(result: ConditionResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "title": {"zh": result.title.zh, "en": result.title.en},
        "outcome": result.outcome,
        "value": result.value,
        "bound": result.bound,
        "gap": result.gap,
        "needs": list(result.needs),
        "source": {"instrument": result.source.instrument, "article": result.source.article},
        "verified": result.verified,
    }


def _item(result: ItemResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "group": result.group,
        "value": result.value,
        "band": result.band,
        "lo": exact_text(result.lo),
        "hi": exact_text(result.hi),
        "given": None if result.given is None else exact_text(result.given),
        "source": {"instrument": result.source.instrument, "article": result.source.article},
        "verified": result.verified,
    }


def _collected(year: Collected) -> dict[str, Any]:
    names = (
        "own", "entrusted_incurred", "entrusted_counted", "other_incurred", "other_cap", "other_counted",
        "domestic", "total",
    )  # fmt: skip
    return {
        "year": year.year,
        **{name: exact_text(getattr(year, name)) for name in names},
        "complete": year.complete,
    }


def run(  # noqa: PLR0917 - the command's own order
    path: Path,
    programme: str | None,
    edition: str | None,
    fmt: Literal["text", "json"],
    rulebooks_dir: Path | Sequence[Path],
    language: str = "zh",
    level: str | None = None,
) -> tuple[str, int]:
    """Judges the file and returns what to print and the exit code; unusable input ends with 2."""
    folders = [rulebooks_dir] if isinstance(rulebooks_dir, Path) else list(rulebooks_dir)
    try:
        verdict = self_check(_read(path), load_rulebooks(*folders), programme, edition, level)
    except UnusableInput as error:
        return _say_unusable(error, fmt, language), _UNUSABLE
    shown = render_json(verdict) if fmt == "json" else render_text(verdict, language)
    return shown, exit_code(verdict)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableInput(str(path), "not_readable", detail=error.strerror or "") from error


def _say_unusable(error: UnusableInput, fmt: str, language: str) -> str:
    if fmt != "json":
        return say("unusable", language) + error.in_language(language)
    refusal = {
        "path": error.path,
        "line": error.line or None,
        "rule": error.rule_id,
        "message": {"zh": error.in_language("zh"), "en": error.in_language("en")},
        "source": error.source,
    }
    return json.dumps({"error": refusal}, ensure_ascii=False, indent=2)
