"""tally against the owners' events: every event that anybody hears was applied by it once, and in its turn."""

import asyncio
import time
from collections import Counter, defaultdict
from typing import Final

from chassis.testing import fetch_rows
from contracts.registry import event_types
from rig.ground import Ground
from rig.tally import HEARD, TALLY
from rig.witness_rows import SPEAKERS, Place, Rows, Seen

_PAUSE: Final = 0.2
KNOWN: Final = sorted(event_types())
"""Types of event that a listener of today takes; its mark passes over others."""
_PLACES: Final = "SELECT topic, key, sequence FROM events WHERE topic = ANY($1) AND type = ANY($2)"
_REACHED: Final = """
SELECT topic, key, sequence FROM applied UNION SELECT topic, key, sequence FROM parked
UNION SELECT topic, key, sequence FROM parked_decisions WHERE decision = 'discarded'
"""


async def await_tally(ground: Ground, seconds: float) -> bool:
    """Whether tally has applied or set aside every event before the time was over."""
    until = time.monotonic() + seconds
    said: set[Place] = set()
    for service in SPEAKERS:
        said |= await _places(ground, service, _PLACES, HEARD, KNOWN)
    while not said <= await _places(ground, TALLY.name, _REACHED):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(_PAUSE)
    return True


async def _places(ground: Ground, service: str, sql: str, *arguments: object) -> set[Place]:
    rows = await fetch_rows(ground.database(service), sql, *arguments)
    return {(row["topic"], row["key"], row["sequence"]) for row in rows}


def check_tally(seen: Seen, rows: Rows) -> None:
    said = {t.place: t.event_id for t in rows.told if t.topic in HEARD and t.type in KNOWN}
    applied = rows.of(TALLY.name, "applied")
    counts = Counter((row["topic"], row["key"], row["sequence"]) for row in applied)
    aside = rows.aside(TALLY.name)
    for place in said.keys() - counts.keys() - aside:
        seen.breaks("I1", "tally never applied the event", **_where(place))
    for place, times in counts.items():
        seen.counts("I1", 1)
        seen.counts("I2", 1)
        if times > 1:
            seen.breaks("I2", f"tally applied the event {times} times", **_where(place))
        if place not in said:
            seen.breaks("I3", "tally applied an event that nobody said", **_where(place))
    for row in applied:
        place = row["topic"], row["key"], row["sequence"]
        if place in said and said[place] != str(row["event_id"]):
            seen.breaks("I3", "tally applied another event under this number", **_where(place))
    passed = aside | {told.place for told in rows.told if told.type not in KNOWN}
    _check_order(seen, rows, passed)
    _check_counters(seen, rows)


def _where(place: Place) -> dict[str, object]:
    return {"topic": place[0], "key": place[1], "sequence": place[2]}


def _check_order(seen: Seen, rows: Rows, passed: set[Place]) -> None:
    """By the order of the rows, whose numbers were drawn under the mark's lock. A repetition is no disorder."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for row in sorted(rows.of(TALLY.name, "applied"), key=lambda row: int(row["id"])):
        seen.counts("I4", 1)
        key, sequence = (row["topic"], row["key"]), int(row["sequence"])
        if any((*key, left_out) not in passed for left_out in range(last[key] + 1, sequence)):
            why = f"tally applied number {sequence} after {last[key]}"
            seen.breaks("I4", why, **_where((*key, sequence)))
        last[key] = max(last[key], sequence)


def _check_counters(seen: Seen, rows: Rows) -> None:
    counted = Counter((row["topic"], row["key"]) for row in rows.of(TALLY.name, "applied"))
    kept = {(row["topic"], row["key"]): int(row["applied"]) for row in rows.of(TALLY.name, "counters")}
    for topic, key in counted.keys() | kept.keys():
        if counted[topic, key] != kept.get((topic, key), 0):
            why = f"tally's counter is {kept.get((topic, key), 0)}, its rows are {counted[topic, key]}"
            seen.breaks("I2", why, topic=topic, key=key)
