"""The draw: its constraints always hold, it can be repeated, and whatever is changed in it is found."""

import json
import random
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.draw_file import Differs, Draw, Recusal, committed, revealed, verify
from casework.panel import (
    KINDS,
    Kind,
    KindMissing,
    NobodyLeft,
    PanelTooSmall,
    Pool,
    PoolCase,
    PoolExpert,
    PoolTooSmall,
    Rules,
    check_pool,
    drawn,
    ranking,
    rules_of,
)
from casework.rulebook import load_edition
from casework_way import RULEBOOKS

CASE, OTHER_CASE = UUID(int=1001), UUID(int=1002)
TECHNICAL: Kind = "technical"
FINANCIAL: Kind = "financial"
FIELDS = ("electronics", "new materials")


def _pool(kinds: Sequence[Kind], rules: Rules, **of_the_case: Any) -> Pool:
    experts = tuple(
        PoolExpert(expert_id=UUID(int=place), kind=kind, fields=(FIELDS[place % 2],))
        for place, kind in enumerate(kinds, 1)
    )
    cases = (PoolCase(case_id=CASE, **of_the_case), PoolCase(case_id=OTHER_CASE))
    return Pool(
        draw_id=UUID(int=7), programme="hnte", edition=date(2016, 1, 1), edition_hash="e" * 64, rules=rules,
        experts=experts, cases=cases,
    )  # fmt: skip


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Pools that are large enough, with some barred, some of another field, under all sorts of rules."""
    size = draw(st.integers(1, 9))
    technical = draw(st.integers(1, size))
    financial = draw(st.integers(0, size - technical))
    least: dict[Kind, int] = {"technical": technical, "financial": financial}
    head: Kind | None = draw(st.sampled_from([None, "technical"]))
    rules = Rules(size=size, least=least, head=head, pool_multiple=3, source="law")
    kinds: list[Kind] = draw(st.lists(st.sampled_from(KINDS), min_size=3 * size, max_size=6 * size + 6))
    barred = draw(st.sets(st.integers(1, len(kinds)), max_size=6))
    field = draw(st.sampled_from([None, *FIELDS]))
    return _pool(kinds, rules, field=field, barred=tuple(UUID(int=n) for n in sorted(barred)))


seeds = st.binary(min_size=32, max_size=32)


def _is_large_enough(pool: Pool) -> bool:
    try:
        check_pool(pool)
    except (PoolTooSmall, KindMissing):
        return False
    return True


def _hnte_pool(experts: int = 30, financial: int = 8) -> Pool:
    kinds = [FINANCIAL] * financial + [TECHNICAL] * (experts - financial)
    return _pool(kinds, rules_of(load_edition(RULEBOOKS / "hnte/2016-01-01.yaml")))


@settings(max_examples=100, deadline=None)
@given(pools(), seeds)
def test_every_panel_keeps_the_rules(pool: Pool, seed: bytes) -> None:
    if not _is_large_enough(pool):
        return
    ranked, case = drawn(pool, CASE, seed), pool.case(CASE)
    seated = ranked.seated
    assert len(seated) == pool.rules.size
    for kind, least in pool.rules.least.items():
        assert sum(place.kind == kind for place in seated) >= least
    assert not {place.expert_id for place in seated} & set(case.barred)
    fields = {expert.expert_id: expert.fields for expert in pool.experts}
    for place in seated:
        assert case.field is None or place.kind != "technical" or case.field in fields[place.expert_id]
    heads = [place for place in seated if place.head]
    assert len(heads) == 1
    assert heads[0].kind == (pool.rules.head or heads[0].kind)
    assert [place.rank for place in ranked.places] == list(range(1, len(ranked.places) + 1))


@settings(max_examples=100, deadline=None)
@given(pools(), seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_pools_listing_does_not_matter(
    pool: Pool, seed: bytes, chance: random.Random
) -> None:
    if not _is_large_enough(pool):
        return
    experts, cases = list(pool.experts), list(pool.cases)
    chance.shuffle(experts)
    chance.shuffle(cases)
    shuffled = pool.model_copy(update={"experts": tuple(experts), "cases": tuple(cases)})
    assert shuffled.hash() == pool.hash()
    assert drawn(shuffled, CASE, seed) == drawn(pool, CASE, seed)


@settings(max_examples=100, deadline=None)
@given(pools(), seeds, st.integers(0, 8))
def test_a_recusal_seats_the_next_one_and_moves_nobody_else(pool: Pool, seed: bytes, which: int) -> None:
    if not _is_large_enough(pool):
        return
    before = drawn(pool, CASE, seed).seated
    leaves = before[which % len(before)]
    try:
        after = drawn(pool, CASE, seed, recused=[leaves.expert_id]).seated
    except NobodyLeft:
        return
    stayed = {place.expert_id for place in before} - {leaves.expert_id}
    come = {place.expert_id for place in after} - stayed
    assert stayed < {place.expert_id for place in after}
    assert len(come) == 1
    if not leaves.head:
        assert next(p.expert_id for p in before if p.head) == next(p.expert_id for p in after if p.head)


def test_another_seed_case_or_beacon_gives_another_ranking() -> None:
    pool = _hnte_pool()
    ranked = [expert.expert_id for expert in ranking(pool, CASE, b"s" * 32)]
    for other in (
        ranking(pool, CASE, b"t" * 32),
        ranking(pool, OTHER_CASE, b"s" * 32),
        ranking(pool, CASE, b"s" * 32, "07 11 19 22 30 33"),
        ranking(pool.model_copy(update={"draw_id": UUID(int=8)}), CASE, b"s" * 32),
    ):
        assert [expert.expert_id for expert in other] != ranked


def test_every_expert_is_seated_about_equally_often() -> None:
    """Among 2,000 draws of 5 from 30; the bounds are five standard deviations wide."""
    kinds = [TECHNICAL] * 30
    pool = _pool(kinds, Rules(size=5, least={}, head=None, pool_multiple=3, source="law"))
    counts = dict.fromkeys((expert.expert_id for expert in pool.experts), 0)
    chance = random.Random(5)
    for _ in range(2000):
        for place in drawn(pool, CASE, chance.randbytes(32)).seated:
            counts[place.expert_id] += 1
    assert all(333 - 84 < count < 333 + 84 for count in counts.values())


def test_the_editions_rules_are_those_of_the_draw() -> None:
    edition = load_edition(RULEBOOKS / "hnte/2016-01-01.yaml")
    assert rules_of(edition).model_dump() == {
        "size": 5, "least": {"technical": 3, "financial": 1}, "head": "technical", "pool_multiple": 3,
        "source": "国科发火〔2016〕195号 一(五)、二(四)",
    }  # fmt: skip
    assert rules_of(edition, 7).least["technical"] == 5
    with pytest.raises(PanelTooSmall) as refused:
        rules_of(edition, 4)
    assert refused.value.source == "国科发火〔2016〕195号 一(五)、二(四)"


def test_a_pool_below_three_times_the_panel_is_refused_with_the_rule() -> None:
    check_pool(_hnte_pool(15))
    with pytest.raises(PoolTooSmall) as refused:
        check_pool(_hnte_pool(14))
    assert (refused.value.rule, refused.value.fields["needed"]) == ("panel.pool_multiple", 15)
    kinds = [FINANCIAL] * 4 + [TECHNICAL] * 11
    barred = _pool(kinds, _hnte_pool().rules, barred=(UUID(int=9),))
    with pytest.raises(PoolTooSmall, match="14 experts may be drawn"):
        check_pool(barred)
    with pytest.raises(KindMissing, match="0 experts of kind financial"):
        check_pool(_hnte_pool(20, financial=0))


def _revealed() -> Draw:
    pool, seed = _hnte_pool(), bytes(range(32))
    recused = drawn(pool, CASE, seed).seated[1]
    recusal = Recusal(case_id=CASE, expert_id=recused.expert_id)
    return revealed(committed(pool, seed), seed, "07 11 19", [recusal])


def test_a_published_draw_verifies_before_and_after_the_seed_is_revealed() -> None:
    draw = _revealed()
    assert verify(draw.model_dump_json()) == draw
    sealed = committed(draw.pool, bytes(range(32)))
    assert (sealed.pool_hash, sealed.seed_hash) == (draw.pool_hash, draw.seed_hash)
    assert verify(sealed.model_dump_json()) == sealed
    assert (sealed.seed, sealed.panels) == (None, ())


_LINES = _revealed().model_dump_json(indent=0).splitlines()


@settings(max_examples=250, deadline=None)
@given(st.integers(0, len(_LINES) - 1), st.integers(0, 200), st.sampled_from('0123456789abcdef_Zé"{}[],:'))
def test_one_changed_byte_is_found_wherever_it_is(line: int, column: int, new: str) -> None:
    text = _LINES[line]
    at = column % len(text)
    if text[at] == new:
        return
    changed = [*_LINES[:line], text[:at] + new + text[at + 1 :], *_LINES[line + 1 :]]
    with pytest.raises(Differs):
        verify("\n".join(changed))


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (("pool", "experts", 3, "kind"), "technical", "pool_hash: "),
        (("pool", "rules", "size"), 6, "pool_hash: "),
        (("seed",), "00" * 32, "seed_hash: "),
        (("beacon",), "07 11 20", r"panels\[0\].places"),
        (("recusals",), [], r"panels\[0\].places"),
        (("panels", 1, "places", 0, "head"), True, r"panels\[1\].places\[0\].head: "),
        (("panels",), [], "panels: the file has 0, 2 follow"),
        (("pool", "draw_id"), "00000000-0000-0000-0000-00000000000A", "pool.draw_id: "),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(place: tuple[Any, ...], value: Any, named: str) -> None:
    content = json.loads(_revealed().model_dump_json())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    if inner[place[-1]] == value:
        value = not value if isinstance(value, bool) else None
    inner[place[-1]] = value
    with pytest.raises(Differs, match=named):
        verify(json.dumps(content))


def test_a_file_that_is_whole_in_itself_is_held_against_what_was_announced() -> None:
    """Somebody who draws again with another seed makes a file that verifies, but not under the announced hashes."""
    draw = _revealed()
    again = revealed(committed(draw.pool, b"x" * 32), b"x" * 32, None)
    verify(again.model_dump_json())
    with pytest.raises(Differs, match="seed_hash"):
        verify(again.model_dump_json(), seed_hash=draw.seed_hash)
    with pytest.raises(Differs, match="pool_hash"):
        verify(draw.model_dump_json(), pool_hash="0" * 64)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"pool": 1, "pool": 2}', "[" * 100_000, "\0", '{"pool": NaN}']
)
def test_what_is_no_draw_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Differs, match="not a published draw"):
        verify(text)


def test_the_draw_has_not_changed_since_it_was_first_written_down() -> None:
    """A golden result: another huiqi, or another program, must come to the same panel."""
    least: dict[Kind, int] = {"technical": 3, "financial": 1}
    rules = Rules(size=5, least=least, head="technical", pool_multiple=3, source="law")
    kinds = [FINANCIAL] * 8 + [TECHNICAL] * 22
    pool = _pool(kinds, rules, barred=(UUID(int=9),))
    assert pool.hash() == "6212ae4afe184c4486860c66b75f393c9401a39fd1102c1b820bdb2754857acb"
    ranked = drawn(pool, CASE, bytes(range(32)), "07 11 19")
    assert [place.expert_id.int for place in ranked.seated] == [29, 23, 18, 26, 2]
