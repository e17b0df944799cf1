"""`huiqi what-if`: over the cases of an installation and over files, in every form."""

import asyncio
import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner, Result
from uuid_utils.compat import uuid7

from casework.case import Case
from casework.reading import read_yaml
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.store import add_case, add_judgements, casework_sql
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.testing import Databases
from huiqi.cli import main

WHOLE = read_yaml(
    (Path(__file__).parents[2] / "data/facts/whole-firm.hnte.yaml").read_text(encoding="utf-8")
).content
FIRMS = ["91441702MA4UABCD1F", "91441702MA4UABCE1G", "91441702MA4UABCF1H"]
EDITIONS = ("--programme", "hnte", "--from", "2008-01-01", "--to", "2016-01-01", "--jobs", "1")


def ask(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["what-if", *EDITIONS, *map(str, arguments)], catch_exceptions=False)


def plain(**changes: Any) -> dict[str, Any]:
    """The whole firm without the points that the two editions read on different scales."""
    kept = {
        name: value
        for name, value in WHOLE["judgements"].items()
        if not name.startswith(("growth", "conversion"))
    }
    firm: dict[str, Any] = json.loads(json.dumps({**WHOLE, "judgements": kept, **changes}, default=str))
    return firm


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "facts.jsonl"
    doubled = json.dumps(plain())[:-1] + ', "case_type": "first"}'
    texts = [
        json.dumps(plain()),
        "",
        json.dumps(plain(case_type="review_2008")),
        doubled,
        '{"years": ["x"]}',
        "{",
    ]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return file


def test_a_file_is_judged_line_by_line(lines: Path) -> None:
    answer = json.loads(ask("--facts", lines, "--format", "json").stdout)
    verdicts = [(one["before"]["verdict"], one["after"]["verdict"]) for one in answer["enterprises"]]
    assert verdicts[0][1] == "pass"
    assert verdicts[1][1] == "unusable"
    assert verdicts[2:] == [("unusable", "unusable")] * 3
    assert answer["enterprises"][2]["after"]["refused"] == {"path": "case_type", "rule": "doubled_key"}
    assert answer["totals"]["judged"] == 5
    assert answer["enterprises"][0]["enterprise_id"] == WHOLE["enterprise"]["uscc"]


def test_csv_has_a_line_for_each_and_totals_apart(lines: Path) -> None:
    result = ask("--facts", lines, "--format", "csv", "--changed-only")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["after_verdict"] for row in rows][-1] == "unusable"
    assert all(row["before_verdict"] != row["after_verdict"] for row in rows)
    assert "of 5 enterprises change their verdict" in result.stderr


def test_a_table_shows_why(lines: Path) -> None:
    shown = ask("--facts", lines).stdout
    assert "case_type_not_allowed" in shown
    assert "of 5 enterprises change" in shown


def test_parquet_says_the_same_as_json_lines(tmp_path: Path) -> None:
    firms = [plain(), plain(incidents=[{"kind": "safety", "on": "2016-07-01", "major": True}])]
    text, columns = tmp_path / "facts.jsonl", tmp_path / "facts.parquet"
    text.write_text("\n".join(map(json.dumps, firms)), encoding="utf-8")
    pl.DataFrame(firms, infer_schema_length=None).write_parquet(columns)
    first, second = (json.loads(ask("--facts", file, "--format", "json").stdout) for file in (text, columns))
    assert first == second
    assert first["enterprises"][1]["after"]["failed"] == ["H8"]


def test_a_fraction_in_parquet_is_refused_as_everywhere(tmp_path: Path) -> None:
    firm = plain()
    firm["years"][2]["rd_spend"] = 0.1
    for year in firm["years"][:2]:
        year["rd_spend"] = 1.5
    pl.DataFrame([firm]).write_parquet(tmp_path / "facts.parquet")
    answer = json.loads(ask("--facts", tmp_path / "facts.parquet", "--format", "json").stdout)
    assert answer["enterprises"][0]["before"]["refused"]["rule"] == "float"


def test_jobs_change_nothing(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huiqi.what_if_population.AT_ONCE", 2)
    one = ask("--facts", lines, "--format", "json")
    several = ask("--facts", lines, "--format", "json", "--jobs", "2")
    assert one.stdout == several.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2009-01-01"), "2008-01-01"),
        (("--programme", "nothing"), "nothing"),
        (("--house", "x"), "--facts"),
    ],
)
def test_a_wrong_question_ends_with_2(lines: Path, arguments: tuple[str, ...], said: str) -> None:
    result = ask("--facts", lines, *arguments)
    assert (result.exit_code, said in result.stderr) == (2, True)


async def store(db: Database, clock: FixedClock, firm: str, state: str, edition: str, **facts: Any) -> str:
    books = load_rulebooks(rulebooks_of("certification"))
    pinned = books.edition("hnte", date.fromisoformat(edition))
    given = {
        name: value
        for name, value in plain(**facts).items()
        if name in {"years", "ip", "conversions", "enterprise"}
    }
    case = Case.model_validate({
        "case_id": uuid7(), "enterprise_id": firm, "programme": "hnte", "level": "national", "case_type": "first",
        "state": state, "applied_on": date(2016, 8, 1), "edition": pinned.in_force_from, "edition_hash": pinned.hash,
        "facts": given, "drafted_at": clock.now(), "changed_at": clock.now(),
    })  # fmt: skip
    async with db.transaction() as tx:
        await add_case(tx, case)
        judged = (
            WHOLE["judgements"]
            if edition == "2016-01-01"
            else {"conversion": "0.8", "in_supported_field": True}
        )
        said = {name: value if isinstance(value, bool) else str(value) for name, value in judged.items()}
        await add_judgements(
            tx,
            case.case_id,
            "expert:one",
            {name: False if value is True else "0" for name, value in said.items()},
        )
        await add_judgements(tx, case.case_id, "expert:one", said)
        await add_judgements(tx, case.case_id, "expert:two", said)
    return str(case.case_id)


async def test_each_enterprises_last_standing_case_is_judged_with_what_its_judges_agree_on(
    make_database: Databases, clock: FixedClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("huiqi.what_if_population.AT_ONCE", 2)
    url = await make_database.url([casework_sql()])
    db = await Database.open(url, service="certification", clock=clock)
    await store(db, clock, FIRMS[0], "granted", "2016-01-01", years=[])
    last = await store(db, clock, FIRMS[0], "granted", "2016-01-01")
    await store(db, clock, FIRMS[0], "withdrawn", "2016-01-01", years=[])
    older = await store(db, clock, FIRMS[1], "refused", "2008-01-01")
    third = await store(db, clock, FIRMS[2], "submitted", "2016-01-01", years=[])
    await db.close()
    services = dict.fromkeys(("certification", "finance-link", "ip-enterprise", "notifier", "portal"), url)
    file = tmp_path / "installation.yaml"
    file.write_text(yaml.safe_dump({"services": services, "kafka": {"bootstrap": "127.0.0.1:1"}}))
    result = await asyncio.to_thread(ask, "--installation", file, "--format", "json")
    found = {one["enterprise_id"]: one for one in json.loads(result.stdout)["enterprises"]}
    assert {firm: one["case_id"] for firm, one in found.items()} == dict(
        zip(FIRMS, (last, older, third), strict=True)
    )
    assert found[FIRMS[0]]["after"]["verdict"] == "pass"
    assert found[FIRMS[0]]["after"]["score"] == {"lo": "83", "hi": "83"}
    assert found[FIRMS[1]]["after"]["refused"] is None
    assert "H5a" in found[FIRMS[2]]["after"]["unknown"]
