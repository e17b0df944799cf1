"""What the answers alone tell: one key one answer, one version one winner, and nobody reads what was before."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from rig.journal import Attempt, Intent, Journal
from rig.witness_rows import Seen


def check_answers(seen: Seen, journal: Journal) -> None:
    for intent in journal.writes():
        if intent.answer is not None:
            seen.counts("I2", 1)
            _check_one_answer(seen, intent)
    _check_winners(seen, journal)
    _check_reads(seen, journal)


def _where(intent: Intent) -> dict[str, Any]:
    return {"intent": intent.id, "service": intent.service, "request": f"{intent.method} {intent.path}"}


def _check_one_answer(seen: Seen, intent: Intent) -> None:
    """A refusal is kept by nobody, so one may be followed by a success; after a success it may not come any more."""
    given = [attempt for attempt in intent.attempts if attempt.acknowledged]
    answers = {(attempt.status, attempt.etag, attempt.digest) for attempt in given}
    if len(answers) > 1:
        told = sorted({str((attempt.status, attempt.etag, attempt.content)) for attempt in given})
        seen.breaks("I2", f"one key, {len(answers)} different answers", **_where(intent), answers=told)
    known = min((attempt.ended_at or 0.0 for attempt in given), default=float("inf"))
    for refused in (attempt for attempt in intent.attempts if attempt.refused):
        if refused.sent_at > known or _says(refused, "key-reused"):
            seen.breaks("I2", f"one key, acknowledged and later {refused.status}", **_where(intent))


def _says(attempt: Attempt, code: str) -> bool:
    return isinstance(attempt.content, dict) and attempt.content.get("code") == code


def _check_winners(seen: Seen, journal: Journal) -> None:
    """Of those who act on one version of a case or an entry, one is told yes."""
    winners: dict[tuple[str, str, str | None], list[Intent]] = defaultdict(list)
    for intent in journal.writes():
        if intent.seen is not None and intent.acknowledged is not None:
            subject = intent.about.get("case_id") or intent.path
            winners[intent.service, subject, intent.seen].append(intent)
    for (service, subject, version), won in winners.items():
        seen.counts("I2", 1)
        if len(won) > 1:
            who = [f"{intent.actor} {intent.kind}" for intent in won]
            where = {"service": service, "subject": subject, "version": version}
            seen.breaks("I2", f"{len(won)} were told yes on one version", **where, who=who)


def _check_reads(seen: Seen, journal: Journal) -> None:
    """Whoever reads a case after a version of it was told reads that version or a later one."""
    told: dict[tuple[str, str], list[tuple[float, int, Attempt, Intent]]] = defaultdict(list)
    for intent in journal.intents.values():
        for attempt in intent.attempts:
            case, version = intent.about.get("case_id"), _number(attempt.etag)
            if case is not None and version is not None and attempt.acknowledged:
                told[intent.service, case].append((attempt.ended_at or 0.0, version, attempt, intent))
    for (service, case), answers in told.items():
        reads = [one for one in answers if one[3].kind == "read-case"]
        for read in reads:
            seen.counts("I1", 1)
            before = [version for ended, version, _, _ in answers if ended < read[2].sent_at]
            if max(before, default=0) > read[1]:
                why = f"version {max(before)} was told, and version {read[1]} read afterwards"
                seen.breaks("I1", why, service=service, case_id=case, intent=read[3].id)


def _number(etag: str | None) -> int | None:
    text = (etag or "").strip('"')
    return int(text) if text.isdecimal() else None


def gaps(numbers: list[int]) -> list[int]:
    """Numbers after which the next one is not the next."""
    return [before for before, after in pairwise([0, *sorted(numbers)]) if after != before + 1]
