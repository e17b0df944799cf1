"""Where a population comes from: the cases of an installation in one snapshot, or a file of facts."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import click

from casework.case import Judgement
from casework.use_cases.weighing import together
from casework.what_if import Subject
from huiqi.installation import Installation
from huiqi.ledger_reading import snapshots
from huiqi.what_if_rows import AT_ONCE, Document, Given, service_of

# Each enterprise's last application that stands. The order is that of cases_by_enterprise, read backwards.
_CASES: Final = """
SELECT DISTINCT ON (enterprise_id)
       enterprise_id, case_id, enterprise_name, case_type, applied_on, edition_hash, facts::text AS facts
FROM cases
WHERE programme = $1 AND ($2::text IS NULL OR level = $2) AND edition_hash IS NOT NULL AND state <> 'withdrawn'
ORDER BY enterprise_id DESC, case_id DESC
"""
_JUDGEMENTS: Final = """
SELECT DISTINCT ON (case_id, name, judge) case_id, name, judge, version, value::text AS value, given_at
FROM judgements WHERE case_id = ANY($1) ORDER BY case_id, name, judge, version DESC
"""


async def cases_of(
    installation: Installation, programme: str, level: str | None
) -> AsyncIterator[list[Given]]:
    """The enterprises with a case of the programme, a chunk at a time, as they are now. Raises Unavailable."""
    service = service_of(programme)
    async with snapshots(installation, [service]) as connections:
        connection = connections[service]
        cursor = await connection.cursor(_CASES, programme, level)
        while rows := await cursor.fetch(AT_ONCE):
            judged = await _judgements(connection, [row["case_id"] for row in rows])
            yield [_given(programme, row, judged.get(row["case_id"], [])) for row in rows]


async def _judgements(
    connection: asyncpg.Connection, case_ids: Sequence[UUID]
) -> dict[UUID, list[Judgement]]:
    judged: dict[UUID, list[Judgement]] = {}
    for row in await connection.fetch(_JUDGEMENTS, case_ids):
        said = Judgement.model_construct(
            name=row["name"], judge=row["judge"], version=row["version"], value=json.loads(row["value"]),
            given_at=row["given_at"],
        )  # fmt: skip
        judged.setdefault(row["case_id"], []).append(said)
    return judged


def _given(programme: str, row: asyncpg.Record, judged: Iterable[Judgement]) -> Given:
    known: Document = {
        "programme": programme,
        "case_type": row["case_type"],
        "applied_on": row["applied_on"],
        "judgements": together(judged),
    }
    subject = Subject(row["enterprise_id"], row["enterprise_name"], str(row["case_id"]), row["edition_hash"])
    return Given(row["facts"], known, subject, stored=True)


async def facts_in(file: Path) -> AsyncIterator[list[Given]]:
    """The facts of a JSON-lines file or a Parquet file, a chunk at a time. Raises click.UsageError."""
    rows = _parquet(file) if file.suffix == ".parquet" else _lines(file)
    try:
        while chunk := list(islice(rows, AT_ONCE)):
            yield chunk
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error


def _lines(file: Path) -> Iterator[Given]:
    with file.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield Given(line, {})


def _parquet(file: Path) -> Iterator[Given]:
    import polars as pl  # noqa: PLC0415 - large, and only this kind of file needs it

    try:
        frame = pl.scan_parquet(file)
        for part in frame.collect_batches(chunk_size=AT_ONCE, maintain_order=True):
            for row in part.iter_rows(named=True):
                yield Given(_present(row), {})
    except pl.exceptions.PolarsError as error:
        raise click.UsageError(f"{file}: {error}") from error


def _present(content: Any) -> Any:
    """Without nulls: a column stands for every row, so that null is how Parquet says absent."""
    if isinstance(content, dict):
        return {name: _present(value) for name, value in content.items() if value is not None}
    return [_present(one) for one in content] if isinstance(content, list) else content
