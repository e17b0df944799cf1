"""What each intent has done, told by its actor, whom no other intent shares: all of it once, or nothing at all.

Whether it was done says the stored answer, which is written in the transaction of the effect: where one is, all of
the effect has to be; where none is, none of it may be.
"""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

import orjson

from rig.journal import Intent, Journal
from rig.witness_rows import CASEWORK, Row, Rows, Seen

MANY: Final = 1_000_000
_CALLED_BACK: Final = {"referral-withdrawn": (0, MANY), "referral-called-back": (0, MANY)}
_SENT: Final = {"referral-sent": (0, MANY), "referral-offered": (0, MANY)}
# The events of one intent, each at least and at most so often.
_FACTS: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "draft": {}, "revise": {}, "accept": {}, "start_review": {}, "facts": {}, "product": {}, "read-message": {}, "expert": {},
    "draw": {"draw-committed": (1, 1)},
    "reveal": {"draw-revealed": (1, 1), "panel-drawn": (0, 1), "expert-called": (0, MANY)},
    "submit": {"case-submitted": (1, 1), "duty-done": (0, MANY)},
    "return": {"case-returned": (1, 1)},
    "judge": {"case-judged": (1, 1)},
    "propose": {"case-proposed": (1, 1)},
    "open_notice": {"notice-opened": (1, 1)},
    "grant": {"title-granted": (1, 1)},
    "refuse": {"case-refused": (1, 1)},
    "withdraw": {"case-withdrawn": (0, 1)},
    "consent": {"consent-given": (1, 1), **_SENT},
    "withdraw-consent": {"consent-withdrawn": (0, 1), **_CALLED_BACK},
    "referral": {"referral-drafted": (1, 1), **_SENT},
    "need": _SENT,
    "withdraw-referral": _CALLED_BACK,
}  # fmt: skip
_VERBS: Final = frozenset({
    "draft", "revise", "submit", "return", "accept", "start_review", "judge", "propose", "open_notice", "grant",
    "refuse", "withdraw",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """The answer that an intent has, or would get if it were repeated."""

    status: int
    etag: str | None
    content: Any


def check_effects(seen: Seen, journal: Journal, rows: Rows) -> dict[str, Done]:
    """Returns what was done, by intent."""
    stored: dict[str, list[Row]] = defaultdict(list)
    for service in {intent.service for intent in journal.writes()}:
        for row in rows.of(service, "idempotency"):
            stored[row["key"]].append(row)
    done = {}
    for intent in journal.writes():
        if (answer := _done(seen, intent, stored[intent.key or ""])) is not None:
            done[intent.id] = answer
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for told in rows.told:
        said[told.actor][told.fact] += 1
    for intent in journal.writes():
        _check_facts(seen, intent, said[intent.actor], done.get(intent.id))
    _check_strangers(seen, journal, said)
    _check_decisions(seen, journal, rows, done)
    return done


def _done(seen: Seen, intent: Intent, stored: list[Row]) -> Done | None:
    seen.counts("I2", 1)
    told = intent.acknowledged
    where = where_of(intent)
    if len(stored) > 1:
        seen.breaks("I2", f"{len(stored)} answers are kept for one key", **where)
    if not stored:
        if told is None:
            return None
        seen.breaks("I1", "acknowledged, and the answer is kept nowhere: nothing was committed", **where)
        return Done(told.status or 0, told.etag, told.content)
    kept = stored[0]
    if told is None and intent.is_refused:
        seen.breaks("I3", "refused, and yet it was done", **where)
    if told is not None and (kept["status"], _digest(kept)) != (told.status, told.digest):
        seen.breaks("I2", "the answer that is kept is not the one that was given", **where)
    if told is not None:
        return Done(told.status or 0, told.etag, told.content)
    etag = next((text for name, text in kept["headers"] or [] if name == "etag"), None)
    return Done(kept["status"], etag, _parsed(kept["body"]))


def where_of(intent: Intent) -> dict[str, Any]:
    request = f"{intent.method} {intent.path}"
    return {"intent": intent.id, "kind": intent.kind, "service": intent.service, "request": request}


def _digest(kept: Row) -> str:
    return hashlib.sha256(kept["body"] or b"").hexdigest()


def _parsed(body: bytes | None) -> Any:
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return None


def bounds(intent: Intent, done: Done) -> dict[str, tuple[int, int]]:
    """The events that what was done has to be told by, each at least and at most so often."""
    match intent.kind:
        case "enterprise":
            return {"enterprise-registered" if done.status == 201 else "enterprise-changed": (1, 1)}
        case "import":
            count = done.content["recorded"] + done.content["changed"]
            return {"asset-recorded": (count, count)}
        case "outcome":
            return {f"referral-{intent.about['outcome']}": (1, 1)}
        case kind:
            return _FACTS[kind]


def _check_facts(seen: Seen, intent: Intent, said: Counter[str], done: Done | None) -> None:
    allowed = {} if done is None else bounds(intent, done)
    where = where_of(intent)
    for fact in allowed.keys() | said.keys():
        least, most = allowed.get(fact, (0, 0))
        seen.counts("I1", least)
        if done is None:
            why = "was refused" if intent.is_refused else "was not done"
            seen.breaks("I3", f"it {why}, and {fact} was said", **where)
        elif said[fact] < least:
            why = f"it was done, and {fact} was said {said[fact]} times instead of {least}"
            seen.breaks("I1", why, **where)
        elif said[fact] > most:
            promise = "I2" if most else "I3"
            seen.breaks(promise, f"{fact} was said {said[fact]} times instead of {most}", **where)


def _check_strangers(seen: Seen, journal: Journal, said: dict[str, Counter[str]]) -> None:
    """Events are said by those who asked for something, or by the services themselves."""
    known = {intent.actor for intent in journal.writes()}
    for actor, facts in said.items():
        seen.counts("I3", 1)
        if actor not in known and not actor.startswith(("system:", "operator:")):
            seen.breaks("I3", "events by somebody who asked for nothing", actor=actor, facts=dict(facts))


def _check_decisions(seen: Seen, journal: Journal, rows: Rows, done: dict[str, Done]) -> None:
    made: dict[str, list[Row]] = defaultdict(list)
    for service in CASEWORK:
        for row in rows.of(service, "decisions"):
            made[row["actor"]].append(row)
    for intent in journal.writes():
        if intent.kind in _VERBS:
            _check_decision(seen, intent, made[intent.actor], done.get(intent.id))


def _check_decision(seen: Seen, intent: Intent, made: list[Row], done: Done | None) -> None:
    where, verbs = where_of(intent), {intent.kind, "resubmit" if intent.kind == "submit" else intent.kind}
    seen.counts("I2", 1)
    if len(made) > 1:
        seen.breaks("I2", f"{len(made)} decisions of one request", **where)
    if done is None and made:
        seen.breaks("I3", "it was not done, and a decision of it is there", **where)
    elif done is not None and not any(row["verb"] in verbs for row in made):
        seen.breaks("I1", "it was done, and no decision of it is there", **where)
    elif done is not None and done.etag is not None and f'"{made[0]["version"]}"' != done.etag:
        why = f"version {done.etag} was told, and the decision is {made[0]['version']}"
        seen.breaks("I1", why, **where)
