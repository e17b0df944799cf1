"""Who acts for an enterprise: invited with a code, joined, ended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from certification.main import service
from certification.use_cases.members import accept_invitation
from certification_rig import ENTERPRISE, FACTS, LI, OTHER, USCC, WANG, ZHOU, Counter, expect
from chassis.clock import FixedClock
from chassis.identity import Actor
from chassis.work import Worker

HOME = f"/v1/enterprises/{USCC}"
SUN, QIAN, NOBODY = Actor("sun", "enterprise"), Actor("qian", "enterprise"), Actor("tang", "enterprise")
AGENT: dict[str, Any] = {"kind": "agent", "until": "2016-12-31"}
VIEWER: dict[str, Any] = {"kind": "viewer"}
OWNER: dict[str, Any] = {"kind": "owner"}


@pytest.fixture
async def own(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """The owner by token, whose enterprise is registered."""
    await counter.register()
    async with counter.client(WANG) as client:
        yield client


async def invite(client: httpx.AsyncClient, given: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = await expect(client.post(f"{HOME}/invitations", json=given), status)
    body: dict[str, Any] = answer.json()
    return body


async def accept(counter: Counter, actor: Actor | None, code: str, status: int = 201) -> dict[str, Any]:
    async with counter.client(actor) as client:
        answer = await expect(client.post("/v1/invitations/accept", json={"code": code}), status)
    body: dict[str, Any] = answer.json()
    return body


async def joined(
    counter: Counter, own: httpx.AsyncClient, actor: Actor, given: dict[str, Any]
) -> dict[str, Any]:
    return await accept(counter, actor, (await invite(own, given))["code"])


async def test_whoever_brings_the_code_of_an_invitation_joins(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    member = await joined(counter, own, SUN, AGENT)
    assert (member["person"], member["kind"], member["until"]) == ("enterprise:sun", "agent", "2016-12-31")
    assert (await counter.said())[-1] == "member-joined"
    async with counter.client(SUN) as agent:
        mine = (await expect(agent.get("/v1/memberships"), 200)).json()["items"]
        everybody = (await expect(agent.get(f"{HOME}/members"), 200)).json()["items"]
    assert mine == everybody == [member]
    [given] = (await expect(own.get(f"{HOME}/invitations"), 200)).json()["items"]
    assert (given["accepted_by"], given["invited_by"]) == ("enterprise:sun", "enterprise:wang")
    async with counter.client(ZHOU) as stranger:
        assert (await expect(stranger.get("/v1/memberships"), 200)).json()["items"] == []


async def test_a_code_is_shown_once_and_kept_nowhere(counter: Counter, own: httpx.AsyncClient) -> None:
    asked = own.post(f"{HOME}/invitations", json=VIEWER, headers={"Idempotency-Key": "once"})
    code = (await expect(asked, 201)).json()["code"]
    assert code not in (await own.get(f"{HOME}/invitations")).text
    kept = ("invitations", "idempotency", "events")
    rows = [str(dict(row)) for name in kept for row in await counter.db.fetch(f"SELECT * FROM {name}")]
    assert not [row for row in rows if code[32:] in row]
    assert (await counter.rows())["idempotency"] == 0


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"kind": "agent"}, 422), ({"kind": "viewer", "until": "2016-12-31"}, 422),
        ({"kind": "agent", "until": "2016-07-31"}, 422), ({"kind": "agent", "until": "2016-08-01"}, 201),
        ({"kind": "king"}, 422),
    ],
)  # fmt: skip
async def test_an_agent_is_invited_until_a_day_to_come(
    own: httpx.AsyncClient, given: dict[str, Any], status: int
) -> None:
    await invite(own, given, status)


async def test_owners_invite_and_nobody_else(counter: Counter, own: httpx.AsyncClient) -> None:
    await joined(counter, own, SUN, AGENT)
    await joined(counter, own, QIAN, VIEWER)
    await joined(counter, own, ZHOU, OWNER)
    for actor, status, code in (
        (SUN, 403, "owners-only"), (QIAN, 403, "viewers-only-look"), (NOBODY, 404, "not-found"),
        (LI, 403, "forbidden"), (None, 401, "sign-in-needed"),
    ):  # fmt: skip
        async with counter.client(actor) as client:
            assert (await invite(client, VIEWER, status))["code"] == code
    async with counter.client(ZHOU) as second:
        await invite(second, VIEWER)


async def test_an_enterprise_that_is_not_registered_invites_nobody(counter: Counter) -> None:
    async with counter.client(ZHOU) as other:
        await expect(other.post(f"/v1/enterprises/{OTHER}/invitations", json=VIEWER), 409)


async def test_a_wrong_code_opens_nothing(counter: Counter, own: httpx.AsyncClient) -> None:
    code = (await invite(own, VIEWER))["code"]
    other = (await invite(own, VIEWER))["code"]
    for wrong in (code[:32] + other[32:], "0" * 64):
        assert (await accept(counter, SUN, wrong, 404))["code"] == "not-found"
    for malformed in (code[:-1], "g" + code[1:], ""):
        assert (await accept(counter, SUN, malformed, 422))["code"] == "malformed"
    await accept(counter, None, code, 401)
    await accept(counter, LI, code, 403)
    await accept(counter, SUN, code)


async def test_an_invitation_is_for_one_person(counter: Counter, own: httpx.AsyncClient) -> None:
    code = (await invite(own, VIEWER))["code"]
    await accept(counter, SUN, code)
    for actor in (SUN, QIAN):
        assert (await accept(counter, actor, code, 409))["code"] == "invitation-used"
    assert (await counter.rows())["members"] == 1


async def test_of_two_who_bring_the_same_code_at_once_one_joins(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    code = (await invite(own, VIEWER))["code"]
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with counter.db.transaction(SUN) as tx:
        await accept_invitation(tx, code)
        second = asyncio.create_task(accept(counter, QIAN, code, 409))
        while not second.done() and not await counter.db.fetchval(waits):
            await asyncio.sleep(0.01)
    assert (await second)["code"] == "invitation-used"
    assert (await counter.said()).count("member-joined") == 1


async def test_one_person_with_two_invitations_joins_once(counter: Counter, own: httpx.AsyncClient) -> None:
    codes = [(await invite(own, VIEWER))["code"] for _ in range(2)]
    async with counter.client(SUN) as person:
        bring = [person.post("/v1/invitations/accept", json={"code": code}) for code in codes]
        answers = await asyncio.gather(*bring)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert (await counter.rows())["members"] == 1
    assert (await accept(counter, WANG, (await invite(own, VIEWER))["code"], 409))["code"] == "already-member"


async def test_an_invitation_lasts_some_days(
    counter: Counter, own: httpx.AsyncClient, clock: FixedClock
) -> None:
    code, short = (
        (await invite(own, VIEWER))["code"],
        (await invite(own, AGENT | {"until": "2016-08-01"}))["code"],
    )
    clock.advance(timedelta(days=7, seconds=-1))
    assert (await accept(counter, SUN, short, 422))["code"] == "last-day-is-over"
    clock.advance(timedelta(seconds=1))
    assert (await accept(counter, SUN, code, 409))["code"] == "invitation-expired"
    assert (await counter.rows())["members"] == 0


async def test_an_invitation_that_was_cancelled_is_not_accepted(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    given = await invite(own, VIEWER)
    path = f"{HOME}/invitations/{given['invitation']['invitation_id']}"
    async with counter.client(ZHOU) as stranger:
        await expect(stranger.delete(path), 404)
        await expect(stranger.delete(path.replace(USCC, OTHER)), 404)
    first = (await expect(own.delete(path), 200)).json()
    assert (await expect(own.delete(path), 200)).json() == first
    assert (await accept(counter, SUN, given["code"], 409))["code"] == "invitation-cancelled"
    used = await invite(own, VIEWER)
    await accept(counter, SUN, used["code"])
    await expect(own.delete(f"{HOME}/invitations/{used['invitation']['invitation_id']}"), 409)


async def test_a_membership_is_ended_by_an_owner_or_by_the_member_itself(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    agent, viewer = await joined(counter, own, SUN, AGENT), await joined(counter, own, QIAN, VIEWER)
    path = f"{HOME}/members/{agent['member_id']}"
    for actor, status in ((QIAN, 403), (NOBODY, 404), (LI, 403)):
        async with counter.client(actor) as client:
            await expect(client.delete(path), status)
    async with counter.client(ZHOU) as other:
        await expect(other.delete(path.replace(USCC, OTHER)), 404)
    async with counter.client(SUN) as itself:
        await expect(itself.delete(f"{HOME}/members/{viewer['member_id']}"), 403)
        ended = (await expect(itself.delete(path), 200)).json()
        assert ended["ended_by"] == "enterprise:sun"
        await expect(itself.get(f"{HOME}/facts"), 404)
        [mine] = (await expect(itself.get("/v1/memberships"), 200)).json()["items"]
    assert mine == ended == (await expect(own.delete(path), 200)).json()
    await expect(own.delete(f"{HOME}/members/{viewer['member_id']}"), 200)
    assert (await counter.said()).count("member-ended") == 2
    await joined(counter, own, SUN, VIEWER)


async def test_with_an_owner_the_invitations_end_that_it_gave(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    second = await joined(counter, own, ZHOU, OWNER)
    async with counter.client(ZHOU) as owner:
        code = (await invite(owner, VIEWER))["code"]
    kept = (await invite(own, VIEWER))["code"]
    await expect(own.delete(f"{HOME}/members/{second['member_id']}"), 200)
    assert (await accept(counter, SUN, code, 409))["code"] == "invitation-cancelled"
    await accept(counter, SUN, kept)


async def test_an_agent_s_membership_ends_after_its_last_day(
    counter: Counter, own: httpx.AsyncClient, clock: FixedClock
) -> None:
    await joined(counter, own, SUN, AGENT)
    clock.set(datetime(2016, 12, 31, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    assert await counter.meet_deadlines() == 0
    clock.set(datetime(2016, 12, 31, 16, tzinfo=UTC))
    assert await counter.meet_deadlines() == 1
    assert (await counter.said())[-1] == "member-ended"
    [was] = (await expect(own.get(f"{HOME}/members"), 200)).json()["items"]
    assert was["ended_by"] == "system:system"
    await joined(counter, own, SUN, AGENT | {"until": "2017-12-31"})
    assert await counter.meet_deadlines() == 0


async def test_an_agent_is_invited_again_however_late_its_end_is_noted(
    counter: Counter, own: httpx.AsyncClient, clock: FixedClock
) -> None:
    await joined(counter, own, SUN, AGENT)
    clock.set(datetime(2017, 3, 1, tzinfo=UTC))
    await joined(counter, own, SUN, AGENT | {"until": "2017-12-31"})
    assert (await counter.said())[-2:] == ["member-ended", "member-joined"]
    assert await counter.meet_deadlines() == 1
    assert (await counter.said())[-1] == "member-joined"


async def test_members_reach_the_register_as_far_as_their_kind(
    counter: Counter, own: httpx.AsyncClient
) -> None:
    for actor, given in ((SUN, AGENT), (QIAN, VIEWER), (ZHOU, OWNER)):
        await joined(counter, own, actor, given)
    for actor, facts, entry, invited in ((SUN, 200, 403, 403), (QIAN, 403, 403, 403), (ZHOU, 200, 200, 200)):
        async with counter.client(actor) as member:
            await expect(member.get(HOME), 200)
            await expect(member.get(f"{HOME}/facts"), 200)
            await expect(member.put(f"{HOME}/facts", json=FACTS), facts)
            await expect(member.put(HOME, json=ENTERPRISE), entry)
            await expect(member.get(f"{HOME}/invitations"), invited)
    async with counter.client(NOBODY) as nobody:
        for path in ("", "/facts", "/invitations", "/members"):
            await expect(nobody.get(f"{HOME}{path}"), 404)


async def test_a_clock_that_was_set_back_ends_no_membership_early(
    counter: Counter, own: httpx.AsyncClient, clock: FixedClock
) -> None:
    await joined(counter, own, SUN, AGENT)
    clock.set(datetime(2016, 12, 31, 16, tzinfo=UTC))
    worker = Worker(counter.db, service.deadlines)
    [job] = await worker.lease(list(service.deadlines))
    clock.set(datetime(2016, 12, 31, 15, tzinfo=UTC))
    await worker._perform(job)
    assert (await counter.said())[-1] == "member-joined"
    clock.set(datetime(2016, 12, 31, 16, tzinfo=UTC))
    assert await counter.meet_deadlines() == 1
    assert (await counter.said())[-1] == "member-ended"
