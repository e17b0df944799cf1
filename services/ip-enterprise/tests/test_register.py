"""What the register takes in, shows, and lets run out."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from ip_rig import CHEN, LI, OTHER, WANG, ZHOU, Bureau, listed, right

DEMO = Path(__file__).parents[3] / "data/demo/2009/assets.xlsx"


async def test_a_dry_run_says_what_would_happen_and_keeps_nothing(bureau: Bureau) -> None:
    report = (await bureau.take_in(DEMO.read_bytes(), dry_run=True)).json()
    assert (report["dry_run"], report["imported"], report["refusals"]) == (True, False, [])
    assert report["recorded"] == report["rows"]["知识产权"] > 100
    assert await bureau.assets() == {}
    assert await bureau.said() == []
    assert await bureau.db.fetchval("SELECT count(*) FROM work") == 0


async def test_the_same_list_twice_says_everything_once(bureau: Bureau) -> None:
    first = (await bureau.take_in(DEMO.read_bytes())).json()
    again = (await bureau.take_in(DEMO.read_bytes())).json()
    assert (again["recorded"], again["changed"], again["unchanged"]) == (0, 0, first["recorded"])
    assert await bureau.said() == ["asset-recorded"] * first["recorded"]


@pytest.mark.parametrize(
    ("language", "reason"), [("zh-CN", "早于授权日期"), ("en", "is before the grant on")]
)
async def test_one_refused_row_keeps_the_whole_list_out_and_is_named(
    bureau: Bureau, language: str, reason: str
) -> None:
    refused = await bureau.take_in(listed(right("A"), right("B", "2001-01-01")), language=language)
    assert refused.status_code == 422
    (row,) = refused.json()["refusals"]
    assert (row["row"], row["column"], row["rule"]) == (3, "届满日期", "expires-before-grant")
    assert reason in row["reason"]
    assert await bureau.assets() == {}
    assert await bureau.said() == []


async def test_a_form_with_the_file_does_the_same(bureau: Bureau) -> None:
    async with bureau.client(LI) as officer:
        sent = await officer.post("/v1/imports", files={"file": BytesIO(listed(right("A")))})
    assert sent.json()["recorded"] == 1


async def test_a_changed_entry_is_said_again_and_a_right_left_out_stays(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A"), right("B")))
    report = (await bureau.take_in(listed(right("A", kind="实用新型")))).json()
    assert (report["recorded"], report["changed"], report["unchanged"]) == (0, 1, 0)
    assert await bureau.said() == ["asset-recorded"] * 3
    assert await bureau.assets() == {"A": True, "B": True}
    assert await bureau.assets(kind="utility_model") == {"A": True}


async def test_a_right_is_in_force_on_its_last_day_and_not_after_it(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A", "2009-05-06"), right("B")))
    bureau.clock.set(datetime(2009, 5, 6, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    assert await bureau.meet_deadlines() == 0
    assert await bureau.assets() == {"A": True, "B": True}
    bureau.clock.set(datetime(2009, 5, 6, 16, tzinfo=UTC))
    assert await bureau.meet_deadlines() == 1
    assert await bureau.assets(in_force="false") == {"A": False}
    assert (await bureau.said())[-1] == "asset-expired"
    assert await bureau.meet_deadlines() == 0


async def test_a_right_that_ran_out_stays_out_of_force_when_an_old_list_comes_again(bureau: Bureau) -> None:
    old = listed(right("A", "2009-05-06"))
    await bureau.take_in(old)
    bureau.clock.set(datetime(2009, 6, 1, 2, tzinfo=UTC))
    await bureau.meet_deadlines()
    assert (await bureau.take_in(old)).json()["unchanged"] == 1
    assert await bureau.assets() == {"A": False}
    assert await bureau.said() == ["asset-recorded", "asset-expired"]


async def test_a_later_last_day_replaces_the_earlier_one(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A", "2009-05-06")))
    await bureau.take_in(listed(right("A", "2010-05-06")))
    bureau.clock.set(datetime(2009, 6, 1, 2, tzinfo=UTC))
    assert await bureau.meet_deadlines() == 0
    assert await bureau.assets() == {"A": True}
    bureau.clock.set(datetime(2010, 6, 1, 2, tzinfo=UTC))
    assert await bureau.meet_deadlines() == 1
    assert await bureau.said() == ["asset-recorded", "asset-recorded", "asset-expired"]


async def test_a_right_that_is_over_when_it_comes_is_never_said_to_expire(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A", "2008-05-06")))
    assert await bureau.meet_deadlines() == 0
    assert await bureau.assets() == {"A": False}
    assert await bureau.said() == ["asset-recorded"]


async def test_an_enterprise_sees_its_own_rights_and_another_s_do_not_exist_for_it(bureau: Bureau) -> None:
    await bureau.take_in(listed(right("A"), right("B", owner=OTHER)))
    own = await bureau.get("/v1/assets", WANG)
    assert [asset["asset_id"] for asset in own.json()["items"]] == ["A"]
    assert (await bureau.get("/v1/assets", ZHOU, enterprise=WANG.enterprise_id or "")).status_code == 404
    assert (await bureau.get("/v1/assets", None)).status_code == 401
    assert len((await bureau.get("/v1/assets", LI)).json()["items"]) == 2


async def test_the_list_pages_by_enterprise_and_number_without_a_gap(bureau: Bureau) -> None:
    await bureau.take_in(
        listed(
            *(right(f"R{n}", owner=owner) for n in range(5) for owner in (WANG.enterprise_id or "", OTHER))
        )
    )
    seen: list[tuple[str, str]] = []
    query: dict[str, str] = {}
    while True:
        answer = (await bureau.get("/v1/assets", LI, limit="3", **query)).json()
        seen += [(asset["enterprise_id"], asset["asset_id"]) for asset in answer["items"]]
        if answer["cursor"] is None:
            break
        query = {"cursor": answer["cursor"]}
    assert len(seen) == 10
    assert seen == sorted(set(seen))


async def test_only_the_bureau_imports(bureau: Bureau) -> None:
    for actor in (WANG, CHEN):
        assert (await bureau.take_in(listed(right("A")), actor=actor)).status_code == 403
    assert await bureau.assets() == {}
