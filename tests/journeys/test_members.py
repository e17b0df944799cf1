"""An agent of an enterprise, from the invitation to the day after its last, in every service that knows of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from chassis.clock import SHANGHAI
from chassis.identity import Actor
from chassis.testing import given_kafka
from huiqi.demo_doors import OFFICER, Doors, Stopped, person, until
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import check

USCC = "91441702MA4UABCD1F"
OWNER, AGENT = person(f"enterprise:{USCC}"), Actor("sun", "enterprise")
FIRM = {"name": "示例精密制造有限公司", "region": "441702", "established_on": "2010-03-15"}
INVITED = {"kind": "agent", "until": "2016-12-31"}
HOME = f"/v1/enterprises/{USCC}"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    clock_at = datetime(2016, 8, 1, 9, tzinfo=SHANGHAI)
    with House(clock_at=clock_at, broker=given_kafka()) as house:
        yield house


async def joined(doors: Doors) -> None:
    await doors.ask(OFFICER, "certification", "PUT", HOME, FIRM)
    given = await doors.ask(OWNER, "certification", "POST", f"{HOME}/invitations", INVITED)
    code = {"code": given.json()["code"]}
    await doors.ask(AGENT, "certification", "POST", "/v1/invitations/accept", code)


async def drafts(doors: Doors, service: str, programme: str) -> bool | None:
    body = {"programme": programme, "case_type": "first", "enterprise_id": USCC}
    try:
        await doors.ask(AGENT, service, "POST", "/v1/cases", body)
    except Stopped as stopped:
        if " 404 " not in str(stopped):
            raise
        return None
    else:
        return True


async def message(doors: Doors, text: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        inbox = await doors.get(OWNER, "notifier", "/v1/inbox")
        return next((found for found in inbox["items"] if text in found["subject"]), None)

    return await until(f"the inbox holds {text}", look)


async def test_an_agent_acts_in_every_service_until_its_last_day_is_over(house: House) -> None:
    async with Doors(house.addresses) as doors:
        await joined(doors)
        assert await drafts(doors, "certification", "hnte")
        await until("ip-enterprise knows it", lambda: drafts(doors, "ip-enterprise", "ip-advantage"))
        assert "enterprise:sun" in (await message(doors, "新成员：代理人"))["body"]
        house.set_clock(datetime(2017, 1, 1, tzinfo=SHANGHAI))
        assert "system:system" in (await message(doors, "成员资格已终止：代理人"))["body"]
        for service, programme in (("certification", "hnte"), ("ip-enterprise", "ip-advantage")):
            assert await drafts(doors, service, programme) is None
    ledger = await check(Installation.of_house(house.addresses), wait=60)
    assert ledger.kept, ledger.as_json()
