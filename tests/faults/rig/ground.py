"""What load and witness need of the ground they stand on. `Standing` has all of it."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from huiqi.installation import Installation


class House(Protocol):
    def set_clock(self, at: datetime) -> None: ...


class Ground(Protocol):
    """`held` names (listener, topic, key) that a fault made unservable on purpose."""

    @property
    def house(self) -> House: ...
    @property
    def banks(self) -> Collection[str]: ...
    @property
    def held(self) -> Collection[tuple[str, str, str]]: ...
    def urls(self, service: str) -> list[str]: ...
    def database(self, service: str) -> str: ...
    def installation(self) -> Installation: ...
    def token(
        self,
        service: str,
        role: str,
        *,
        enterprise_id: str | None = None,
        bank_id: str | None = None,
        subject: str = "li",
    ) -> str: ...
