"""How the bytes of documents come in, and how they are read again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from casework import file_store
from casework.case import Brought, KeptFile
from casework.file_types import NEEDED, FileType, file_type_of, taken_types
from casework.kept_objects import file_key
from casework.use_cases.permitting import permit
from casework.use_cases.refusals_of_files import (
    DocumentLost,
    EmptyFile,
    FileTypeNotTaken,
    FileTypeUnknown,
    NamedOtherwise,
    NotYetUploaded,
)
from casework.use_cases.steps import look_at
from chassis.database import Database
from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.storage import MissingObject, Storage

log = structlog.get_logger()
_RULE: Final = "documents.type"


@dataclass(frozen=True, slots=True)
class Added:
    """`is_new` is false where the enterprise had the same bytes before; then the file is as it was."""

    file: KeptFile
    is_new: bool


async def keep_file(
    db: Database,
    storage: Storage,
    actor: Actor,
    chunks: AsyncIterator[bytes],
    file_name: str | None,
    *,
    enterprise_id: str | None = None,
) -> Added:
    """Puts the bytes into the storage first and then says so in a row: a row without its bytes is never seen.

    `enterprise_id`: whose file it becomes; without one, the actor's own enterprise's. Raises NotFound, Forbidden, EmptyFile,
    FileTypeUnknown, FileTypeNotTaken, NamedOtherwise, and what `chunks` raises.
    """
    owner = enterprise_id or actor.enterprise_id
    await permit(db, actor, "file.add", owner)
    head = await _head_of(chunks)
    kind = _checked_type(head, file_name)
    file_id = uuid7()
    stored = await storage.put(file_key(file_id), _with_head(head, chunks))
    file = KeptFile.model_validate(
        {
            "file_id": file_id, "enterprise_id": owner, "sha256": stored.sha256, "bytes": stored.bytes,
            "media_type": kind.media_type, "file_name": file_name or f"{stored.sha256[:12]}.{kind.endings[0]}",
            "added_at": db.clock.now(), "added_by": str(actor),
        }
    )  # fmt: skip
    # An error here leaves the object: nobody knows whether the commit arrived, and a row must not lose its bytes.
    async with db.transaction(actor) as tx:
        kept = await file_store.add_file(tx, file)
    if kept.file_id != file_id:
        await storage.delete(stored.key)
    return Added(kept, is_new=kept.file_id == file_id)


async def _head_of(chunks: AsyncIterator[bytes]) -> bytes:
    head = b""
    while len(head) < NEEDED and (piece := await anext(chunks, b"")):
        head += piece
    return head


async def _with_head(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in chunks:
        yield chunk


def _checked_type(head: bytes, file_name: str | None) -> FileType:
    if not head:
        raise EmptyFile(rule=_RULE, field="body")
    kind, taken = file_type_of(head), ", ".join(taken_types())
    if kind is None:
        raise FileTypeUnknown(rule=_RULE, field="body", taken=taken)
    if not kind.is_taken:
        raise FileTypeNotTaken(rule=_RULE, field="body", found=kind.media_type, taken=taken)
    if file_name is not None and not kind.may_be_called(file_name):
        raise NamedOtherwise(rule=_RULE, field="name", file_name=file_name, found=kind.media_type)
    return kind


@dataclass(frozen=True, slots=True)
class Opened:
    """A document of a case, and its bytes. What is declared of them may be wrong until the submission; these are not."""

    document: Brought
    media_type: str
    size: int
    chunks: AsyncIterator[bytes]


async def open_document(db: Database, storage: Storage, actor: Actor, case_id: UUID, paper: str) -> Opened:
    """The document for who may read the case; its first bytes are there when this returns.

    Raises NotFound, Forbidden, NotYetUploaded, DocumentLost.
    """
    case = await look_at(db, actor, case_id, "case.read")
    found = await file_store.list_brought(db, case, paper=paper)
    if not found:
        raise NotFound(thing="document")
    document = found[0]
    if document.file_id is None or document.file_bytes is None or document.file_type is None:
        raise NotYetUploaded(paper=paper)
    key = file_key(document.file_id)
    chunks = await whole_object(storage, key, document.file_bytes)
    if chunks is None:
        log.error("document.lost", case_id=str(case_id), paper=paper, key=key)
        raise DocumentLost(paper=paper)
    return Opened(document, document.file_type, document.file_bytes, chunks)


async def whole_object(storage: Storage, key: str, size: int) -> AsyncIterator[bytes] | None:
    """The bytes of the object, the first of them read; None where it is not there as it was put."""
    try:
        is_whole = await storage.size(key) == size
        chunks = storage.read(key)
        head = await anext(chunks, b"") if is_whole else b""
    except MissingObject:
        return None
    return _with_head(head, chunks) if head else None
