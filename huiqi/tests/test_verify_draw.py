"""`huiqi verify draw FILE`: anybody draws again from the published file, and a changed file is found."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click.testing
import pytest

from casework.draw_file import Draw, Recusal, committed, revealed
from casework.panel import Kind, Pool, PoolCase, PoolExpert, Rules
from casework.sample import Batch, opened, sealed
from huiqi.cli import main

SEED = bytes(range(32))
CASE = UUID(int=101)
KINDS: tuple[Kind, ...] = ("financial", "technical", "technical")


def _draw(recusals: tuple[Recusal, ...] = ()) -> Draw:
    pool = Pool(
        draw_id=UUID(int=7), programme="hnte", edition=date(2016, 1, 1), edition_hash="e" * 64,
        rules=Rules(size=5, least={"technical": 3, "financial": 1}, head="technical", pool_multiple=3, source="law"),
        experts=tuple(PoolExpert(expert_id=UUID(int=n), kind=KINDS[n % 3]) for n in range(1, 31)),
        cases=(PoolCase(case_id=CASE, barred=(UUID(int=5),)),),
    )  # fmt: skip
    return revealed(committed(pool, SEED), SEED, "07 11 19 22", recusals)


def _verified(path: Path, content: Any, *options: str) -> click.testing.Result:
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return click.testing.CliRunner().invoke(main, ["verify", "draw", str(path), *options])


def test_a_published_draw_is_drawn_again_from_its_file_alone(tmp_path: Path) -> None:
    first = _draw()
    member = first.panels[0].places[0].expert_id
    for draw in (first, _draw((Recusal(case_id=CASE, expert_id=member),)), committed(first.pool, SEED)):
        done = _verified(tmp_path / "draw.json", draw.model_dump_json())
        assert done.exit_code == 0, done.output
        assert draw.seed_hash in done.output
        assert draw.pool_hash in done.output
    assert "not revealed yet" in done.output


def test_a_published_draw_of_titles_is_drawn_again_too(tmp_path: Path) -> None:
    batch = Batch(
        draw_id=UUID(int=7), programme="sme", level="national", edition=date(2017, 5, 3), edition_hash="e" * 64,
        inspection="random_check", source="law", share=Decimal("0.05"), year=2026,
        cases=tuple(UUID(int=n) for n in range(1, 42)),
    )  # fmt: skip
    sample = opened(sealed(batch, SEED), SEED, None)
    done = _verified(tmp_path / "draw.json", sample.model_dump_json())
    assert done.exit_code == 0, done.output
    assert "41 cases, 3 drawn" in done.output
    assert all(str(case_id) in done.output for case_id in sample.drawn)
    assert (
        "not revealed yet" in _verified(tmp_path / "draw.json", sealed(batch, SEED).model_dump_json()).output
    )
    changed = sample.model_copy(update={"drawn": sample.drawn[::-1]})
    assert "differs: drawn[0]" in _verified(tmp_path / "draw.json", changed.model_dump_json()).output


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (("pool", "experts", 2, "kind"), "management", "pool_hash"),
        (("seed",), "00" * 32, "seed_hash"),
        (("panels", 0, "places", 1, "expert_id"), str(UUID(int=30)), "panels[0].places[1].expert_id"),
    ],
)
def test_a_changed_pool_seed_or_result_is_found_and_named(
    tmp_path: Path, place: tuple[Any, ...], value: Any, named: str
) -> None:
    content = json.loads(_draw().model_dump_json())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    done = _verified(tmp_path / "draw.json", content)
    assert (done.exit_code, done.output.splitlines()[0].partition(" the file")[0]) == (
        1,
        f"differs: {named}:",
    )


def test_a_draw_that_was_made_anew_does_not_have_the_announced_hashes(tmp_path: Path) -> None:
    first = _draw()
    again = revealed(committed(first.pool, b"x" * 32), b"x" * 32, None).model_dump_json()
    assert _verified(tmp_path / "draw.json", again).exit_code == 0
    announced = _verified(tmp_path / "draw.json", again, "--seed-hash", first.seed_hash)
    assert announced.exit_code == 1
    assert "differs: seed_hash" in announced.output
    assert _verified(tmp_path / "draw.json", again, "--pool-hash", "abc").exit_code == 2


def test_what_is_no_draw_is_refused_without_a_traceback(tmp_path: Path) -> None:
    for text in ("", "[1]", "{}", "nonsense"):
        done = _verified(tmp_path / "draw.json", text)
        assert (done.exit_code, done.output[:29]) == (1, "differs: not a published draw")
