"""Lists that grow: a statement holds only the conditions that are asked for, so that each has the plan of its own index."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, Protocol

import asyncpg


class Reader(Protocol):
    """A database or a transaction: whatever can read."""

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]: ...


class Snapshots(Protocol):
    """A database: what reads long lists in one snapshot."""

    def stream(self, sql: str, *arguments: object) -> AsyncGenerator[asyncpg.Record, None]: ...


class Listing:
    """A list in key order, narrowed by named conditions; made where a module is imported, of texts only.

    A condition has a `{}` for each of its values, e.g. `enterprise="enterprise_id = {}"`, `after="(a, b) > ({}, {})"`;
    one without any is a flag, e.g. `open_only="closed_at IS NULL"`. One named `after` begins a page behind a key.
    """

    def __init__(self, select: str, *, order: str, **conditions: str) -> None:
        self._select = select
        self._order = order
        self._conditions = conditions
        self._statements: dict[tuple[str, ...], str] = {}

    async def rows(self, reader: Reader, limit: int | None, **wanted: object) -> list[asyncpg.Record]:
        """At most `limit` rows. A condition whose value is None or False is left out; several values are a tuple."""
        statement, arguments = self._asked(limit, wanted)
        return await reader.fetch(statement, *arguments)

    def each_row(self, db: Snapshots, **wanted: object) -> AsyncGenerator[asyncpg.Record, None]:
        """The whole list in one snapshot, never all of it in memory; conditions as for `rows`."""
        statement, arguments = self._asked(None, wanted)
        return db.stream(statement, *arguments)

    def _asked(self, limit: int | None, wanted: Mapping[str, object]) -> tuple[str, list[Any]]:
        given = {name: value for name, value in wanted.items() if value is not None and value is not False}
        arguments: list[Any] = [] if limit is None else [limit]
        for name, value in given.items():
            if "{}" in self._conditions[name]:
                arguments += value if isinstance(value, tuple) else [value]
        return self._statement(tuple(given), is_limited=limit is not None), arguments

    def _statement(self, names: tuple[str, ...], *, is_limited: bool) -> str:
        key = (*names, "LIMIT") if is_limited else names
        if key not in self._statements:
            self._statements[key] = self._written(names, is_limited=is_limited)
        return self._statements[key]

    def _written(self, names: Iterable[str], *, is_limited: bool) -> str:
        place = int(is_limited)
        conditions = []
        for name in names:
            condition = self._conditions[name]
            places = range(place + 1, place + 1 + condition.count("{}"))
            conditions.append(condition.format(*(f"${n}" for n in places)))
            place += len(places)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = " LIMIT $1" if is_limited else ""
        return f"{self._select}{where} ORDER BY {self._order}{limit}"
