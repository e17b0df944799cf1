"""Which objects of the storage the rows name: files of enterprises, decision lists, and exports not taken away."""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chassis.listing import Listing, Reader

_UUID: Final = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_FILE: Final = re.compile(rf"files/{_UUID}")
_DECISIONS: Final = re.compile(rf"decision-lists/{_UUID}")
_EXPORT: Final = re.compile(rf"exports/{_UUID}/([1-9][0-9]{{0,8}})")
_FILES: Final = Listing("SELECT file_id, bytes, sha256 FROM files", order="file_id", after="file_id > {}")
_LISTS: Final = Listing(
    "SELECT list_id, bytes, sha256 FROM decision_lists", order="list_id", after="list_id > {}"
)
_EXPORTS: Final = Listing(
    "SELECT export_id, file_key, bytes, sha256 FROM exports", order="export_id",
    there="state = 'done' AND removed_at IS NULL", after="export_id > {}",
)  # fmt: skip
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Named:
    """What a row says of its object: the SHA-256 is in hexadecimal."""

    key: str
    bytes: int
    sha256: str


def file_key(file_id: UUID) -> str:
    return f"files/{file_id}"


def decisions_key(list_id: UUID) -> str:
    return f"decision-lists/{list_id}"


def export_key(export_id: UUID, attempt: int) -> str:
    return f"exports/{export_id}/{attempt}"


def is_ours(key: str) -> bool:
    """Whether the key is one of those made here."""
    return any(made.fullmatch(key) for made in (_FILE, _DECISIONS, _EXPORT))


async def named_among(reader: Reader, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row names; every attempt at an export until the export is taken away."""
    files = [UUID(found[1]) for key in keys if (found := _FILE.fullmatch(key))]
    lists = [UUID(found[1]) for key in keys if (found := _DECISIONS.fullmatch(key))]
    attempts = [(UUID(found[1]), int(found[2])) for key in keys if (found := _EXPORT.fullmatch(key))]
    kept = await reader.fetch("SELECT file_id FROM files WHERE file_id = ANY($1)", files)
    taken = await reader.fetch("SELECT list_id FROM decision_lists WHERE list_id = ANY($1)", lists)
    begun = await reader.fetch(
        "SELECT export_id, attempts FROM exports WHERE export_id = ANY($1) AND removed_at IS NULL",
        list({export_id for export_id, _ in attempts}),
    )
    last = {row["export_id"]: row["attempts"] for row in begun}
    return {
        *(file_key(row["file_id"]) for row in kept),
        *(decisions_key(row["list_id"]) for row in taken),
        *(export_key(of, attempt) for of, attempt in attempts if attempt <= last.get(of, 0)),
    }


async def each_named(reader: Reader) -> AsyncIterator[Named]:
    """Every object that a row names and that has to be there, page by page."""
    async for row in _each(reader, _FILES, "file_id"):
        yield Named(file_key(row["file_id"]), row["bytes"], row["sha256"])
    async for row in _each(reader, _LISTS, "list_id"):
        yield Named(decisions_key(row["list_id"]), row["bytes"], row["sha256"])
    async for row in _each(reader, _EXPORTS, "export_id", there=True):
        yield Named(row["file_key"], row["bytes"], row["sha256"])


async def _each(
    reader: Reader, listing: Listing, order: str, **narrowed: object
) -> AsyncIterator[Mapping[str, Any]]:
    after = None
    while rows := await listing.rows(reader, _AT_ONCE, **narrowed, after=after):
        for row in rows:
            yield row
        after = rows[-1][order]
