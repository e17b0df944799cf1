"""Which objects of the storage the rows name: the files of enterprises, and exports that were not taken away."""

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chassis.listing import Listing, Reader

_UUID: Final = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_FILE: Final = re.compile(rf"files/{_UUID}")
_EXPORT: Final = re.compile(rf"exports/{_UUID}/([1-9][0-9]{{0,8}})")
_FILES: Final = Listing("SELECT file_id, bytes, sha256 FROM files", order="file_id", after="file_id > {}")
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


def export_key(export_id: UUID, attempt: int) -> str:
    return f"exports/{export_id}/{attempt}"


def is_ours(key: str) -> bool:
    """Whether the key is one of those made here."""
    return bool(_FILE.fullmatch(key) or _EXPORT.fullmatch(key))


async def named_among(reader: Reader, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row names; every attempt at an export until the export is taken away."""
    files = [UUID(found[1]) for key in keys if (found := _FILE.fullmatch(key))]
    attempts = [(UUID(found[1]), int(found[2])) for key in keys if (found := _EXPORT.fullmatch(key))]
    kept = await reader.fetch("SELECT file_id FROM files WHERE file_id = ANY($1)", files)
    begun = await reader.fetch(
        "SELECT export_id, attempts FROM exports WHERE export_id = ANY($1) AND removed_at IS NULL",
        list({export_id for export_id, _ in attempts}),
    )
    last = {row["export_id"]: row["attempts"] for row in begun}
    return {file_key(row["file_id"]) for row in kept} | {
        export_key(export_id, attempt) for export_id, attempt in attempts if attempt <= last.get(export_id, 0)
    }


async def each_named(reader: Reader) -> AsyncIterator[Named]:
    """Every object that a row names and that has to be there, page by page."""
    after = None
    while rows := await _FILES.rows(reader, _AT_ONCE, after=after):
        for row in rows:
            yield Named(file_key(row["file_id"]), row["bytes"], row["sha256"])
        after = rows[-1]["file_id"]
    after = None
    while rows := await _EXPORTS.rows(reader, _AT_ONCE, there=True, after=after):
        for row in rows:
            yield Named(row["file_key"], row["bytes"], row["sha256"])
        after = rows[-1]["export_id"]
