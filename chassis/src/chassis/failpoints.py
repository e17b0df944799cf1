"""Named points at which a test can kill, stop, fail or delay the process; nothing unless `FAILPOINTS` is set.

`FAILPOINTS="relay.after_send=kill@3;work.before_row=delay:0.5;inbox.inside=raise"`: the action, then `@n` to fire
at the n-th time only. Actions: kill (SIGKILL), stop (SIGSTOP), raise, delay:<seconds>.
"""

import asyncio
import os
import re
import signal
from dataclasses import dataclass

_SPELLING = re.compile(r"([a-z_.]+)=(kill|stop|raise|delay:\d+(?:\.\d+)?)(?:@(\d+))?")


class FailpointReached(Exception):
    pass


@dataclass(slots=True)
class _Failpoint:
    action: str
    only_at: int | None
    reached: int = 0


def _parse(text: str) -> dict[str, _Failpoint]:
    points: dict[str, _Failpoint] = {}
    for part in filter(None, text.split(";")):
        match = _SPELLING.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"FAILPOINTS: cannot read {part!r}")
        name, action, only_at = match.groups()
        points[name] = _Failpoint(action, int(only_at) if only_at else None)
    return points


_points = _parse(os.environ.get("FAILPOINTS", ""))


def armed() -> bool:
    return bool(_points)


async def failpoint(name: str) -> None:
    if not _points or (point := _points.get(name)) is None:
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
