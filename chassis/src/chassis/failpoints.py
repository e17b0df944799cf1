"""Named points at which a test can kill, stop, fail or delay the process; nothing unless `FAILPOINTS` is set.

`FAILPOINTS="relay.after_send=kill@3;delivery.before_row=delay:0.5;inbox.inside[KEY]=raise"`: the point, the key that
it is about (all, when absent), the action, then `@n` to fire at the n-th time only. Actions: kill (SIGKILL), stop
(SIGSTOP), raise, delay:<seconds>.

`SWITCHED_OFF="marks,outbox"` takes guards away, so that the chaos rig can show that it misses them. Guards: marks
(which events were applied), sequences (the lock under which numbers are given), outbox (events in the transaction of
their rows), offsets (committed after the effects), lease (one relay at a time). A service in production refuses both.
"""

import asyncio
import os
import re
import signal
from dataclasses import dataclass

_SPELLING = re.compile(r"([a-z_.]+)(?:\[([^]]+)\])?=(kill|stop|raise|delay:\d+(?:\.\d+)?)(?:@(\d+))?")
_GUARDS = frozenset({"marks", "sequences", "outbox", "offsets", "lease"})


class FailpointReached(Exception):
    pass


@dataclass(slots=True)
class _Failpoint:
    about: str | None
    action: str
    only_at: int | None
    reached: int = 0


def _parse(text: str) -> dict[str, _Failpoint]:
    points: dict[str, _Failpoint] = {}
    for part in filter(None, text.split(";")):
        match = _SPELLING.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"FAILPOINTS: cannot read {part!r}")
        name, about, action, only_at = match.groups()
        points[name] = _Failpoint(about, action, int(only_at) if only_at else None)
    return points


def _parse_guards(text: str) -> frozenset[str]:
    guards = frozenset(filter(None, text.split(",")))
    if unknown := guards - _GUARDS:
        raise ValueError(f"SWITCHED_OFF: no guard is called {', '.join(sorted(unknown))}")
    return guards


_points = _parse(os.environ.get("FAILPOINTS", ""))
_off = _parse_guards(os.environ.get("SWITCHED_OFF", ""))


def armed() -> bool:
    return bool(_points or _off)


def switched_off(guard: str) -> bool:
    return guard in _off


async def failpoint(name: str, about: str | None = None) -> None:
    if not _points or (point := _points.get(name)) is None or point.about not in (None, about):
        return
    point.reached += 1
    if point.only_at is not None and point.reached != point.only_at:
        return
    match point.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raise":
            raise FailpointReached(name)
        case delay:
            await asyncio.sleep(float(delay.partition(":")[2]))
