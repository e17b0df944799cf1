"""The rows of members."""

from datetime import date
from uuid import UUID

from casework.member import Member, MemberKind
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import insert, upsert

_COLUMNS = (
    "member_id", "enterprise_id", "person", "kind", "until", "invited_by", "joined_at", "ended_at", "ended_by",
)  # fmt: skip
_MEMBER = f"SELECT {', '.join(_COLUMNS)} FROM members"  # noqa: S608 - constants
_ADD = (
    f"{insert('members', _COLUMNS)} ON CONFLICT (enterprise_id, person) WHERE ended_at IS NULL DO NOTHING"
    " RETURNING true"
)
_SAVE_TOLD = upsert("members", (*_COLUMNS, "caused_by"))
_MEMBERS = Listing(
    _MEMBER, order="member_id", enterprise_id="enterprise_id = {}", person="person = {}", after="member_id > {}"
)  # fmt: skip


async def find_kind(reader: Reader, enterprise_id: str, person: str, today: date) -> MemberKind | None:
    """As what the person acts for the enterprise today, None where it does not."""
    row = await reader.fetchrow(
        "SELECT kind FROM members WHERE enterprise_id = $1 AND person = $2 AND ended_at IS NULL"
        " AND (until IS NULL OR until >= $3)",
        enterprise_id, person, today,
    )  # fmt: skip
    kind: MemberKind | None = None if row is None else row["kind"]
    return kind


async def add_member(tx: Transaction, member: Member) -> bool:
    """False where the person has a membership of the enterprise that has not ended."""
    return await tx.fetchval(_ADD, *(getattr(member, name) for name in _COLUMNS)) is True


async def save_told(tx: Transaction, member: Member) -> None:
    """Inside a consumer only: the row carries the event that caused it."""
    await tx.execute(_SAVE_TOLD, *(getattr(member, name) for name in _COLUMNS), tx.caused_by)


async def lock_member(tx: Transaction, member_id: UUID) -> Member | None:
    row = await tx.fetchrow(f"{_MEMBER} WHERE member_id = $1 FOR UPDATE", member_id)
    return None if row is None else Member.model_validate(dict(row))


async def lock_live(tx: Transaction, enterprise_id: str, person: str) -> Member | None:
    """The person's membership that has not ended, whether or not its last day is over."""
    row = await tx.fetchrow(
        f"{_MEMBER} WHERE enterprise_id = $1 AND person = $2 AND ended_at IS NULL FOR UPDATE",
        enterprise_id, person,
    )  # fmt: skip
    return None if row is None else Member.model_validate(dict(row))


async def save_end(tx: Transaction, member: Member) -> None:
    await tx.execute(
        "UPDATE members SET ended_at = $2, ended_by = $3 WHERE member_id = $1",
        member.member_id, member.ended_at, member.ended_by,
    )  # fmt: skip


async def list_members(
    reader: Reader,
    *,
    enterprise_id: str | None = None,
    person: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Member]:
    """In the order in which they joined, from the one after `after`; those that have ended too."""
    rows = await _MEMBERS.rows(reader, limit, enterprise_id=enterprise_id, person=person, after=after)
    return [Member.model_validate(dict(row)) for row in rows]
