"""Exports as the service's worker writes them, for the tests."""

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from casework import use_cases
from casework.deliveries import Exporting
from casework.export import Export, Filters, Format, ListName
from casework.use_cases import EXPORT_REMOVE, EXPORT_WRITE
from casework_way import OFFICER, Way
from chassis.database import Database
from chassis.identity import Actor
from chassis.work import Job, Worker

CASE = (
    "INSERT INTO cases (case_id, enterprise_id, enterprise_name, programme, level, case_type, facts, drafted_at, changed_at)"
    " SELECT gen_random_uuid(), '9144', $2, $3, $4, 'first', '{\"enterprise\": {\"region\": \"441702\"}}', now(), now()"
    " FROM generate_series(1, $1)"
)


async def add_cases(
    db: Database, count: int, name: str = "示例有限公司", programme: str = "hnte", level: str | None = None
) -> None:
    await db.fetch(CASE, count, name, programme, level)


@dataclass
class ExportWay:
    way: Way

    def __post_init__(self) -> None:
        self.exporting = Exporting(self.way.work, self.way.db, self.way.storage, timedelta(days=30))
        self.worker = Worker(self.way.db, {}, self.exporting.kinds())

    async def asked(
        self, name: ListName, kind: Format = "csv", actor: Actor = OFFICER, **filters: Any
    ) -> Export:
        async with self.way.db.transaction(actor) as tx:
            return await use_cases.ask_export(tx, name, kind, Filters.model_validate(filters))

    async def leased(self) -> list[Job]:
        """What is due now; the leases of before have run out."""
        await self.way.db.fetch("UPDATE work SET leased_until = NULL WHERE state = 'due'")
        return await self.worker.lease([EXPORT_WRITE, EXPORT_REMOVE])

    async def worked(self) -> int:
        jobs = await self.leased()
        for job in jobs:
            await self.worker._perform(job)
        return len(jobs)

    async def read(self, export_id: UUID) -> Export:
        return await use_cases.read_export(self.way.db, OFFICER, export_id)

    async def content(self, export_id: UUID) -> bytes:
        opened = await use_cases.open_export(self.way.db, self.way.storage, OFFICER, export_id)
        return b"".join([chunk async for chunk in opened.chunks])

    async def exported(self, name: ListName, kind: Format = "csv", **filters: Any) -> bytes:
        export = await self.asked(name, kind, **filters)
        await self.worked()
        return await self.content(export.export_id)


def records(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV by its headings."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def workbook(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))
