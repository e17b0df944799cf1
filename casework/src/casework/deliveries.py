"""Leased rows: an export to be written, an export to be taken away. No transaction is open while the storage works."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Any, Final, cast
from uuid import UUID

from casework import export_store
from casework.export import Export
from casework.export_files import WorkbookFull, list_file
from casework.kept_objects import export_key
from casework.settings import TitleSettings
from casework.use_cases import EXPORT_REMOVE, EXPORT_WRITE, Casework, export_layout
from casework.use_cases.refusals_of_files import ExportTooLong
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.service import Context
from chassis.storage import Storage
from chassis.work import Delivery, Done, GiveUp, Job, Outcome, Retry, add_work

_PIECE: Final = 256 * 1024
_ROWS_AT_ONCE: Final = 500


def deliveries(work: Casework, context: Context) -> Mapping[str, Delivery]:
    settings = cast("TitleSettings", context.settings)
    return Exporting(work, context.db, context.storage, timedelta(days=settings.export_days)).kinds()


@dataclass(frozen=True, slots=True)
class Exporting:
    """Each attempt writes an object of its own, and the first that is whole becomes the file.

    An attempt counts also when its lease ran out: where lists take longer than a lease, none would ever be written.
    """

    work: Casework
    db: Database
    storage: Storage
    kept_for: timedelta

    def kinds(self) -> Mapping[str, Delivery]:
        return {EXPORT_WRITE: self.write, EXPORT_REMOVE: self.remove}

    async def write(self, job: Job) -> Outcome:
        export = await self._begin(job)
        if export is None:
            return Done()
        try:
            await self._write(export, job.attempts)
        except WorkbookFull:
            reason = ExportTooLong().code
            async with self.db.transaction() as tx:
                await export_store.save_failure(tx, export.export_id, reason)
            return GiveUp(reason)
        except Unavailable as error:
            return Retry(job.delay, error.reason)
        return Done()

    async def _write(self, export: Export, attempt: int) -> None:
        """The list goes through a temporary file: the snapshot is a transaction, and the storage may be slow."""
        with tempfile.TemporaryFile(prefix="export-") as file:
            rows, as_of = await write_list(self.work, self.db, export, file)
            stored = await self.storage.put(export_key(export.export_id, attempt), _pieces(file))
        async with self.db.transaction() as tx:
            is_first = await export_store.save_file(tx, export.export_id, stored, rows, as_of)
        if not is_first:
            await self.storage.delete(stored.key)

    async def _begin(self, job: Job) -> Export | None:
        """The removal is due before there is anything to remove, so that no attempt leaves something for ever."""
        async with self.db.transaction() as tx:
            export = await export_store.begin_attempt(tx, UUID(job.subject), job.attempts)
            if export is not None:
                due_at = export.asked_at + self.kept_for
                await add_work(tx, EXPORT_REMOVE, job.subject, {}, due_at)
            return export

    async def remove(self, job: Job) -> Outcome:
        """Takes away what any attempt wrote; the row stays."""
        export = await export_store.find_export(self.db, UUID(job.subject))
        if export is None:
            return Done()
        try:
            for attempt in range(1, export.attempts + 1):
                await self.storage.delete(export_key(export.export_id, attempt))
        except Unavailable as error:
            return Retry(job.delay, error.reason)
        return Done(partial(export_store.save_removal, export_id=export.export_id))


async def write_list(work: Casework, db: Database, export: Export, file: IO[bytes]) -> tuple[int, datetime]:
    """The whole list in one snapshot; how many rows it has, and when it was so. Raises WorkbookFull."""
    layout = await export_layout(work, db, export)
    as_of, count = db.clock.now(), 0
    written = await asyncio.to_thread(
        list_file, export.format, layout.columns, file, layout.sheet, layout.above
    )
    try:
        async with aclosing(export_store.read_list(db, export.list, export.filters)) as rows:
            async for batch in _batches(rows):
                await asyncio.to_thread(written.add, [layout.completed(row) for row in batch])
                count += len(batch)
    finally:  # also where it fails: until then a workbook has files of its own
        await asyncio.to_thread(written.finish)
    return count, as_of


async def _batches(rows: export_store.Rows) -> AsyncIterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == _ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece
