"""Whole lists as files: asked for, written by a delivery, read for some time, and taken away."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from casework import export_store, round_store
from casework.export import COLUMNS, FILTERS, Column, Export, Filters, Format, ListName
from casework.form import RecommendationForm
from casework.policy import POLICY
from casework.recommending import above, columns_of, points_by_group
from casework.store import Reader
from casework.use_cases.casework import Casework
from casework.use_cases.filing import whole_object
from casework.use_cases.refusals_of_files import ExportLost, ExportRemoved, ExportTooLong, ExportWaits
from casework.use_cases.rounds import find_round_form
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import Invalid, NotFound
from chassis.identity import Actor
from chassis.storage import Storage
from chassis.work import add_work

EXPORT_WRITE = "export.write"
EXPORT_REMOVE = "export.remove"

log = structlog.get_logger()


async def ask_export(tx: Transaction, name: ListName, kind: Format, filters: Filters) -> Export:
    """Raises Invalid for a filter that the list does not know or that it needs, NotFound for an unknown round."""
    authorize(POLICY, tx.actor, "export.ask")
    for given in filters.given():
        if given not in FILTERS[name]:
            broken = "the list {list} is narrowed by {known} only"
            raise Invalid(field=given, rule_broken=broken, list=name, known=", ".join(FILTERS[name]))
    if name == "recommendation":
        if filters.round_id is None:
            raise Invalid(field="round_id", rule_broken="this is needed")
        if await round_store.find_round(tx, filters.round_id) is None:
            raise NotFound(thing="round")
    export = Export(
        export_id=uuid7(), list=name, format=kind, filters=filters, asked_by=str(tx.actor), asked_at=tx.clock.now()
    )  # fmt: skip
    await export_store.add_export(tx, export)
    await add_work(tx, EXPORT_WRITE, str(export.export_id), {})
    return export


async def read_export(reader: Reader, actor: Actor, export_id: UUID) -> Export:
    authorize(POLICY, actor, "export.read")
    export = await export_store.find_export(reader, export_id)
    if export is None:
        raise NotFound(thing="export")
    return export


async def list_exports(
    reader: Reader, actor: Actor, *, after: UUID | None = None, limit: int = 50
) -> list[Export]:
    authorize(POLICY, actor, "export.read")
    return await export_store.list_exports(reader, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class OpenedExport:
    export: Export
    chunks: AsyncIterator[bytes]


async def open_export(reader: Reader, storage: Storage, actor: Actor, export_id: UUID) -> OpenedExport:
    """The file; its first bytes are there when this returns.

    Raises NotFound, Forbidden, ExportWaits, ExportTooLong, ExportRemoved, ExportLost.
    """
    export = await read_export(reader, actor, export_id)
    if export.removed_at is not None:
        raise ExportRemoved(removed_at=export.removed_at.isoformat(timespec="seconds"))
    if export.state == "failed":
        raise ExportTooLong
    if export.file_key is None or export.bytes is None:
        raise ExportWaits
    chunks = await whole_object(storage, export.file_key, export.bytes)
    if chunks is None:
        log.error("export.lost", export_id=str(export_id), key=export.file_key)
        raise ExportLost
    return OpenedExport(export, chunks)


@dataclass(frozen=True, slots=True)
class ListLayout:
    """How a list is written: its columns, the sheet's name and the lines above it, and what completes each row."""

    columns: Sequence[Column]
    completed: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    sheet: str = "名单"
    above: Sequence[str] = ()


async def export_layout(work: Casework, reader: Reader, export: Export) -> ListLayout:
    """A recommendation is on the form of the edition that was in force when its round opened, where there is one."""
    round_id = export.filters.round_id if export.list == "recommendation" else None
    own = None if round_id is None else await round_store.find_round(reader, round_id)
    form = None if own is None else find_round_form(work, RecommendationForm, own)
    if own is None or form is None:
        return ListLayout(COLUMNS[export.list])

    def completed(row: Mapping[str, Any]) -> Mapping[str, Any]:
        edition = work.rulebooks.find(row["edition_hash"])
        return {**row, **points_by_group(edition, row["items"])}

    return ListLayout(columns_of(form), completed, form.sheet, above(form, own))
