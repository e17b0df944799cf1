from datetime import date
from typing import Any

from certification_rig import LI, USCC, Counter, expect
from contracts.ip_enterprise import AssetExpired, AssetRecorded

RIGHT = "ZL201110000001.0"


def recorded(asset_id: str = RIGHT, **changed: Any) -> AssetRecorded:
    entry: dict[str, Any] = {
        "asset_id": asset_id, "enterprise_id": USCC, "kind": "invention", "acquired": "self",
        "granted_on": date(2013, 6, 5), "expires_on": None, "in_force": True, "owned": True, "related": True,
    }  # fmt: skip
    return AssetRecorded(**(entry | changed))


async def _rights(counter: Counter) -> dict[str, Any]:
    async with counter.client(LI) as officer:
        known = (await expect(officer.get(f"/v1/enterprises/{USCC}/facts"), 200)).json()["known"]
    return {right["id"]: right for right in known["ip"]}


async def test_the_register_of_assets_prevails_over_what_was_given_of_the_same_right(
    counter: Counter,
) -> None:
    await counter.register()
    await counter.hear((recorded(owned=False), 1), (recorded("ZL201310000003.7"), 2))
    rights = await _rights(counter)
    assert not rights[RIGHT]["owned"]
    assert rights["ZL201310000003.7"]["owned"]
    assert len(rights) == 3


async def test_an_expired_right_is_no_longer_in_force(counter: Counter) -> None:
    await counter.register()
    expired = AssetExpired(asset_id=RIGHT, enterprise_id=USCC, expired_on=date(2016, 7, 1))
    await counter.hear((recorded(), 1), (expired, 2))
    assert not (await _rights(counter))[RIGHT]["in_force"]


async def test_an_event_told_five_times_or_out_of_order_leaves_one_row(counter: Counter) -> None:
    await counter.register()
    later = (recorded(related=False), 2)
    for _ in range(5):
        await counter.hear(later, (recorded(), 1), later)
    rows = await counter.db.fetch("SELECT asset_id, related, caused_by FROM assets")
    assert [tuple(row) for row in rows] == [(RIGHT, False, f"ip-enterprise.assets/{USCC}/2")]


async def test_an_asset_may_be_known_before_its_enterprise(counter: Counter) -> None:
    await counter.hear((recorded("ZL201310000003.7"), 1))
    await counter.register()
    assert "ZL201310000003.7" in await _rights(counter)


async def test_the_expiry_of_an_unknown_right_is_a_fact_and_stops_nothing(counter: Counter) -> None:
    expired = AssetExpired(asset_id="ZL-none", enterprise_id=USCC, expired_on=date(2016, 7, 1))
    await counter.hear((expired, 1), (recorded(), 2))
    assert await counter.db.fetchval("SELECT count(*) FROM event_refusals") == 1
    assert await counter.db.fetchval("SELECT count(*) FROM parked") == 0
    assert await counter.db.fetchval("SELECT count(*) FROM assets") == 1
