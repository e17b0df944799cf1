"""I1 and the marks' part of I3 and I4: the owners' events against the listeners' marks."""

from collections.abc import Mapping
from typing import Any

from huiqi.installation import Installation
from huiqi.ledger_reading import NOTHING, Heard, Key, Mark, Numbers
from huiqi.promises import Promise

Said = Mapping[str, Mapping[Key, Numbers]]
_NO_MARK = Mark()


def check_numbers(i1: Promise, said: Said) -> None:
    """The events of each key are numbered 1, 2, 3 … to the last number that was given out."""
    for owner, keys in said.items():
        for (topic, key), numbers in keys.items():
            where = {"service": owner, "topic": topic, "key": key}
            if numbers.absent:
                first = numbers.holes[0][0] if numbers.holes else numbers.last + 1
                i1.breaks("events have no row any more", times=numbers.absent, **where, sequence=first)
            if numbers.doubled:
                i1.breaks("events share a number", times=numbers.doubled, **where)


def check_reached(i1: Promise, installation: Installation, said: Said, heard: Mapping[str, Heard]) -> None:
    """Every event has reached every listener: its mark, or its table `parked`. Counts (event, listener) pairs."""
    for owner, keys in said.items():
        for (topic, key), numbers in keys.items():
            row = installation.topic(topic)
            if row is None or row.owner != owner:
                i1.breaks("events of a topic that is not this service's", service=owner, topic=topic, key=key)
                continue
            for listener in row.listeners:
                i1.checked += numbers.rows
                _check_key(
                    i1, listener, (topic, key), numbers, heard[listener].marks.get((topic, key), _NO_MARK)
                )


def _check_key(i1: Promise, listener: str, key: Key, numbers: Numbers, mark: Mark) -> None:
    aside = sum(1 for sequence in mark.aside if sequence > mark.sequence and numbers.holds(sequence))
    if lost := numbers.after(mark.sequence) - aside:
        first = numbers.first_after(mark.sequence, mark.aside)
        why = f"has not reached {listener}, whose mark is {mark.sequence}"
        i1.breaks(why, times=lost, listener=listener, topic=key[0], key=key[1], sequence=first)


def check_marks(
    i3: Promise, i4: Promise, installation: Installation, said: Said, heard: Mapping[str, Heard]
) -> None:
    """No mark beyond its owner's events; what is set aside lies above the mark, the next one first."""
    for listener, one in heard.items():
        for (topic, key), mark in one.marks.items():
            i3.checked += 1
            i4.checked += 1
            where: dict[str, Any] = {
                "listener": listener,
                "topic": topic,
                "key": key,
                "sequence": mark.sequence,
            }
            row = installation.topic(topic)
            numbers = said[row.owner].get((topic, key), NOTHING) if row else NOTHING
            if mark.sequence and not numbers.holds(mark.sequence):
                i3.breaks("a mark stands on a number that no event has", **where)
            if mark.sequence > numbers.last:
                i4.breaks(f"the mark is beyond the last event, {numbers.last}", **where)
            if order := _aside_out_of_order(mark):
                i4.breaks(order, **where)


def _aside_out_of_order(mark: Mark) -> str | None:
    if not mark.aside:
        return None
    first = min(mark.aside)
    if first <= mark.sequence:
        return f"number {first} is set aside although the mark has passed it"
    if mark.parked and first != mark.sequence + 1 and mark.aside[first] != "gap":
        return f"the key is parked, but the first number set aside is {first}"
    return None
