"""Officers keep the registers: enterprises, of which a few are written to by everybody at once, and IP assets."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rig.journal import Attempt
from rig.load_hands import Person, enterprise, officer
from rig.load_world import Scene, load_programmes

CLERKS = ("li", "wang", "chen")
COLUMNS = "编号,统一社会信用代码,种类,取得方式,授权日期,届满日期,是否有效,是否自有,是否与主要产品相关"


async def register_enterprise(scene: Scene) -> None:
    enterprise_id = scene.world.new_uscc(scene.chance)
    answer = await _put(scene, officer("li"), enterprise_id, None)
    if answer is not None and answer.acknowledged:
        scene.world.enterprises.append(enterprise_id)


async def change_enterprise(scene: Scene) -> None:
    """Sometimes with the version that was read; then one of those who read the same is too late."""
    enterprise_id = scene.somebody()
    who = officer(scene.chance.choice(CLERKS))
    if scene.chance.random() < 0.2:
        who = enterprise(enterprise_id)
    seen = None
    if scene.chance.random() < 0.4:
        read = await scene.hands.read(who, "certification", f"/v1/enterprises/{enterprise_id}")
        seen = read.etag if read is not None and read.acknowledged else None
    await _put(scene, who, enterprise_id, seen)


async def _put(scene: Scene, who: Person, enterprise_id: str, seen: str | None) -> Attempt | None:
    """Each write gives a name of its own, so that it can be told from all others afterwards."""
    body = {
        "name": "示例企业{intent}有限公司", "region": "441702", "established_on": "2001-05-18",
        "mainland_resident": True, "language": scene.chance.choice(["zh-CN", "en"]),
        "contact_email": f"post-{enterprise_id.lower()}@firm.example",
    }  # fmt: skip
    return await scene.hands.write(
        who, "certification", "PUT", f"/v1/enterprises/{enterprise_id}", body,
        kind="enterprise", seen=seen, enterprise_id=enterprise_id,
    )  # fmt: skip


async def keep_facts(scene: Scene) -> None:
    enterprise_id = scene.somebody()
    [firm] = [one.facts for one in load_programmes() if one.service == "certification"]
    body = {"conversions": [*firm["conversions"], {"result": "{intent}", "year": 2008}]}
    await scene.hands.write(
        enterprise(enterprise_id), "certification", "PUT", f"/v1/enterprises/{enterprise_id}/facts", body,
        kind="facts", enterprise_id=enterprise_id,
    )  # fmt: skip


async def import_assets(scene: Scene) -> None:
    """A list of new rights, and of old ones whose last day changed. Some run out within days."""
    enterprise_id = scene.somebody()
    granted = scene.today - timedelta(days=scene.chance.randint(30, 900))
    assets = [f"ZL{{intent}}.{n}" for n in range(scene.chance.randint(1, 3))]
    known = [asset for owner, asset in scene.world.assets if owner == enterprise_id]
    assets += scene.chance.sample(known, min(len(known), scene.chance.randint(0, 2)))
    lines = []
    for asset in assets:
        last = granted + timedelta(days=scene.chance.randint(901, 5000))
        if scene.chance.random() < 0.25:
            last = scene.today + timedelta(days=scene.chance.randint(1, 4))
        lines.append(f"{asset},{enterprise_id},发明专利,自主研发,{granted},{last},是,是,是")
    answer = await scene.hands.write(
        officer("ma"), "ip-enterprise", "POST", "/v1/imports?dry_run=false",
        "\n".join([COLUMNS, *lines]).encode(), kind="import", media="text/csv",
        enterprise_id=enterprise_id, assets=len(assets),
    )  # fmt: skip
    if answer is not None and answer.acknowledged:
        read = await scene.hands.read(
            officer("ma"), "ip-enterprise", f"/v1/assets?enterprise={enterprise_id}&limit=200"
        )
        _remember(scene, enterprise_id, read.content if read is not None and read.acknowledged else {})


def _remember(scene: Scene, enterprise_id: str, page: Mapping[str, Any]) -> None:
    others = [asset for asset in scene.world.assets if asset[0] != enterprise_id]
    scene.world.assets = others + [(enterprise_id, item["asset_id"]) for item in page.get("items", [])]


async def read_inbox(scene: Scene) -> None:
    who = scene.chance.choice([officer("li"), enterprise(scene.somebody())])
    unread = await scene.hands.read(who, "notifier", "/v1/inbox?unread=true&limit=20")
    items = unread.content["items"] if unread is not None and unread.acknowledged else []
    if items:
        message = scene.chance.choice(items)["notification_id"]
        await scene.hands.write(
            who, "notifier", "POST", f"/v1/inbox/{message}/read", kind="read-message", notification_id=message
        )
