"""Where titles stand in the status lists."""

from casework.case import Title
from casework.status_lists import LIST_LENGTH, Place
from casework.store import Reader

_PLACED = (
    "SELECT title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on, valid_until,"
    " edition, edition_hash, revoked_on, status_place FROM titles"
)
_LIST = (
    "SELECT status_place FROM titles WHERE status_place >= $1 AND status_place < $2 AND revoked_on IS NOT NULL"
    " ORDER BY status_place"
)


async def find_placed_title(reader: Reader, number: str) -> tuple[Title, Place] | None:
    row = await reader.fetchrow(f"{_PLACED} WHERE number = $1", number)
    if row is None:
        return None
    kept = dict(row)
    place = Place.numbered(kept.pop("status_place"))
    return Title.model_validate(kept), place


async def list_revoked(reader: Reader, list_id: int) -> list[int] | None:
    """The indexes of the titles in the list that were revoked; None for a list that is not begun. List 0 always is."""
    first = list_id * LIST_LENGTH
    begun = await reader.fetchrow("SELECT FROM titles WHERE status_place >= $1 LIMIT 1", first)
    if begun is None and list_id > 0:
        return None
    rows = await reader.fetch(_LIST, first, first + LIST_LENGTH)
    return [row["status_place"] - first for row in rows]
