"""The members of an enterprise, as certification tells them."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from chassis.identity import Actor
from contracts.certification import MemberEnded, MemberJoined
from ip_rig import REGISTERED, USCC, Bureau, listed, right

SUN = Actor("sun", "enterprise")
JOINED = MemberJoined(
    member_id=UUID(int=7), enterprise_id=USCC, person=str(SUN), kind="agent", until=date(2009, 12, 31),
    invited_by="enterprise:wang", joined_at=datetime(2009, 5, 3, 1, tzinfo=UTC),
)  # fmt: skip
ENDED = MemberEnded(
    **JOINED.model_dump(), ended_at=datetime(2009, 5, 4, 1, tzinfo=UTC), ended_by="enterprise:wang"
)
DRAFT: dict[str, Any] = {"programme": "ip-advantage", "case_type": "first", "enterprise_id": USCC}


async def drafts(bureau: Bureau) -> int:
    async with bureau.client(SUN) as agent:
        return (await agent.post("/v1/cases", json=DRAFT)).status_code


async def test_a_member_acts_from_when_it_was_told_until_its_end_was(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A")))
    assert await drafts(bureau) == 404
    await bureau.hear((REGISTERED, 1), (JOINED, 2))
    assert await drafts(bureau) == 201
    found = await bureau.get("/v1/assets", SUN, enterprise=USCC)
    assert [asset["asset_id"] for asset in found.json()["items"]] == ["A"]
    await bureau.hear((ENDED, 3))
    assert await drafts(bureau) == 404
    assert (await bureau.get("/v1/assets", SUN, enterprise=USCC)).status_code == 404


async def test_members_told_twice_or_out_of_order_are_one_row(bureau: Bureau) -> None:
    for _ in range(3):
        await bureau.hear((ENDED, 3), (JOINED, 2), (REGISTERED, 1), (ENDED, 3))
    rows = await bureau.db.fetch("SELECT ended_by, caused_by FROM members")
    assert [tuple(row) for row in rows] == [("enterprise:wang", f"certification.enterprises/{USCC}/3")]


async def test_a_person_of_no_enterprise_names_one_and_never_sees_all(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A")))
    unnamed = await bureau.get("/v1/assets", SUN)
    assert (unnamed.status_code, unnamed.json()["errors"][0]["field"]) == (422, "enterprise")
