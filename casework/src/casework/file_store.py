"""The rows of files, and of the documents that refer to them."""

from uuid import UUID

from casework.case import Brought, Case, KeptFile
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import insert

_COLUMNS = (
    "file_id", "enterprise_id", "sha256", "bytes", "media_type", "file_name", "added_at", "added_by",
)  # fmt: skip
_FILE = f"SELECT {', '.join(_COLUMNS)} FROM files"  # noqa: S608 - constants
_ADD = f"{insert('files', _COLUMNS)} ON CONFLICT (enterprise_id, sha256) DO NOTHING RETURNING true"
_FILES = Listing(_FILE, order="file_id", enterprise_id="enterprise_id = {}", after="file_id > {}")
_BROUGHT = (
    "SELECT d.paper, d.file_name, d.media_type, d.bytes, d.sha256, f.file_id, f.bytes AS file_bytes,"
    " f.media_type AS file_type FROM case_documents d"
    " LEFT JOIN files f ON f.enterprise_id = $2 AND f.sha256 = d.sha256 WHERE d.case_id = $1"
)


async def add_file(tx: Transaction, file: KeptFile) -> KeptFile:
    """The file as it is kept: this one, or the one with the same bytes that the enterprise had before."""
    if await tx.fetchval(_ADD, *(getattr(file, name) for name in _COLUMNS)):
        return file
    row = await tx.fetchrow(
        f"{_FILE} WHERE enterprise_id = $1 AND sha256 = $2", file.enterprise_id, file.sha256
    )
    return KeptFile.model_validate(dict(row or {}))


async def list_files(
    reader: Reader, *, enterprise_id: str, after: UUID | None = None, limit: int = 50
) -> list[KeptFile]:
    """In the order in which they came, from the one after `after`."""
    rows = await _FILES.rows(reader, limit, enterprise_id=enterprise_id, after=after)
    return [KeptFile.model_validate(dict(row)) for row in rows]


async def list_brought(reader: Reader, case: Case, *, paper: str | None = None) -> list[Brought]:
    """The documents of the case, or the one of that paper, each with what its file is."""
    given = [case.case_id, case.enterprise_id]
    if paper is None:
        rows = await reader.fetch(f"{_BROUGHT} ORDER BY d.paper", *given)
    else:
        rows = await reader.fetch(f"{_BROUGHT} AND d.paper = $3", *given, paper)
    return [Brought.model_validate(dict(row)) for row in rows]
