"""The rows of decision lists, and what is known here of the enterprises and numbers that one names."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from casework.case import Case, Kept, Notice, Sha256, Size, Title
from casework.store import CASE, NOTICE, TITLE, Reader
from chassis.database import Transaction, values
from chassis.listing import Listing
from chassis.rows import insert


class TakenList(Kept):
    """A list as it was taken in: its bytes by their hash, and what it did."""

    list_id: UUID
    round_id: UUID
    format: Literal["csv", "xlsx"]
    sha256: Sha256
    bytes: Size
    granted: int
    refused: int
    unchanged: int
    taken_by: str
    taken_at: datetime


_COLUMNS = tuple(TakenList.model_fields)
_LIST = f"SELECT {', '.join(_COLUMNS)} FROM decision_lists"  # noqa: S608 - constants
_ADD = f"{insert('decision_lists', _COLUMNS)} ON CONFLICT (round_id, sha256) DO NOTHING RETURNING true"
_LISTS = Listing(_LIST, order="list_id", round_id="round_id = {}", after="list_id > {}")


async def add_list(tx: Transaction, taken: TakenList) -> bool:
    """False where the same bytes were taken in before; then nothing is added."""
    is_new = await tx.fetchval(_ADD, *(getattr(taken, name) for name in _COLUMNS))
    return is_new is True


async def find_list(reader: Reader, round_id: UUID, list_id: UUID) -> TakenList | None:
    row = await reader.fetchrow(f"{_LIST} WHERE round_id = $1 AND list_id = $2", round_id, list_id)
    return None if row is None else TakenList.model_validate(dict(row))


async def list_lists(
    reader: Reader, round_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[TakenList]:
    """In the order in which they were taken in, from the one after `after`."""
    rows = await _LISTS.rows(reader, limit, round_id=round_id, after=after)
    return [TakenList.model_validate(dict(row)) for row in rows]


async def lock_standing(
    tx: Transaction, round_id: UUID, enterprise_ids: Sequence[str]
) -> dict[str, list[Case]]:
    """The enterprises' cases of the round that were not withdrawn, locked in the same order by everybody."""
    rows = await tx.fetch(
        f"{CASE} WHERE round_id = $1 AND enterprise_id = ANY($2) AND state <> 'withdrawn' ORDER BY case_id FOR UPDATE",
        round_id,
        enterprise_ids,
    )
    cases: dict[str, list[Case]] = defaultdict(list)
    for row in rows:
        cases[row["enterprise_id"]].append(Case.model_validate(dict(row)))
    return cases


async def list_applicants(reader: Reader, enterprise_ids: Sequence[str]) -> frozenset[str]:
    """Those of the enterprises that ever applied for anything here."""
    rows = await reader.fetch(
        "SELECT DISTINCT enterprise_id FROM cases WHERE enterprise_id = ANY($1)", enterprise_ids
    )
    return frozenset(values(rows, "enterprise_id"))


async def list_titles_of(reader: Reader, case_ids: Sequence[UUID]) -> dict[UUID, Title]:
    rows = await reader.fetch(f"{TITLE} WHERE case_id = ANY($1)", case_ids)
    return {row["case_id"]: Title.model_validate(dict(row)) for row in rows}


async def list_taken(reader: Reader, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that a title has."""
    rows = await reader.fetch("SELECT number FROM titles WHERE number = ANY($1)", numbers)
    return frozenset(values(rows, "number"))


async def list_notices_of(reader: Reader, case_ids: Sequence[UUID]) -> dict[UUID, Notice]:
    rows = await reader.fetch(f"{NOTICE} WHERE case_id = ANY($1)", case_ids)
    return {row["case_id"]: Notice.model_validate(dict(row)) for row in rows}


async def list_said(reader: Reader, case_ids: Sequence[UUID], actor: str) -> dict[UUID, list[str]]:
    """The verbs that this actor said in each of the cases, in order."""
    rows = await reader.fetch(
        "SELECT case_id, array_agg(verb ORDER BY version) AS verbs FROM decisions"
        " WHERE case_id = ANY($1) AND actor = $2 GROUP BY case_id",
        case_ids,
        actor,
    )
    return {row["case_id"]: list(row["verbs"]) for row in rows}


async def list_interests_in(reader: Reader, person: str, enterprise_ids: Sequence[str]) -> dict[str, str]:
    """The ground on which the person is tied to each of the enterprises that it is tied to."""
    rows = await reader.fetch(
        "SELECT enterprise_id, min(ground) AS ground FROM interests"
        " WHERE person = $1 AND enterprise_id = ANY($2) AND ended_at IS NULL GROUP BY enterprise_id",
        person,
        enterprise_ids,
    )
    return {row["enterprise_id"]: row["ground"] for row in rows}


async def keep_series_ahead(tx: Transaction, series: str, serial: int) -> None:
    """Numbers that are made here come after this one; others of the series wait for this transaction's end."""
    await tx.execute(
        "INSERT INTO title_series (series, sequence) VALUES ($1, $2)"
        " ON CONFLICT (series) DO UPDATE SET sequence = greatest(title_series.sequence, excluded.sequence)",
        series,
        serial,
    )
