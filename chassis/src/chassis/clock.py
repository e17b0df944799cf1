"""Where services read the time: injected, so that a test or a demonstration plays years in seconds."""

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """The legal date: the calendar day in Asia/Shanghai."""
        ...


class _LegalDay(ABC):
    @abstractmethod
    def now(self) -> datetime: ...

    def today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()


class SystemClock(_LegalDay):
    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock(_LegalDay):
    """A clock that stands still until told otherwise. For tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._at += by


class FileClock(_LegalDay):
    """Reads one ISO 8601 instant from a file, again whenever the file changes. Development only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = -1
        self._at = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        stamp = self._path.stat().st_mtime_ns
        if stamp != self._stamp:
            self._at = datetime.fromisoformat(self._path.read_text().strip()).astimezone(UTC)
            self._stamp = stamp
        return self._at
