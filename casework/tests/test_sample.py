"""The draw of titles, without a database: how many, each once, and repeated from the published file."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.draw_file import Differs, verify
from casework.sample import Batch, Sample, drawn_of, opened, sample_size, sealed

SEED = bytes(range(32))


def batch(size: int, share: str = "0.05") -> Batch:
    return Batch(
        draw_id=UUID(int=7), programme="sme", level="national", edition=date(2017, 5, 3), edition_hash="e" * 64,
        inspection="random_check", source="law", share=Decimal(share), year=2026,
        cases=tuple(UUID(int=n) for n in range(1, size + 1)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "drawn"), [(0, 0), (1, 1), (20, 1), (21, 2), (40, 2), (41, 3), (300, 15), (301, 16)]
)
def test_no_fewer_than_the_share_of_a_batch_are_drawn(size: int, drawn: int) -> None:
    assert sample_size(Decimal("0.05"), size) == drawn


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 120), st.binary(min_size=32, max_size=32), st.sampled_from(["0.05", "0.333", "1"]))
def test_each_case_is_drawn_at_most_once_whatever_the_order_of_the_batch(
    size: int, seed: bytes, share: str
) -> None:
    frozen = batch(size, share)
    drawn = drawn_of(frozen, seed, None)
    assert len(set(drawn)) == len(drawn) == sample_size(Decimal(share), size)
    turned = frozen.model_copy(update={"cases": tuple(reversed(frozen.cases))})
    assert (drawn_of(turned, seed, None), turned.hash()) == (drawn, frozen.hash())


def test_no_case_stands_in_a_batch_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Batch.model_validate(batch(2).model_dump() | {"cases": [UUID(int=1), UUID(int=1)]})


def _revealed() -> Sample:
    return opened(sealed(batch(41), SEED), SEED, "07 11 19")


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
    ("changes", "named"),
    [
        ({"drawn": []}, "drawn: the file has 0, 3 follow"),
        ({"beacon": "07 11 20"}, r"drawn\[0\]: "),
        ({"seed": "00" * 32}, "seed_hash: "),
        ({"seed": None}, "seed is not revealed"),
    ],
)
def test_the_first_difference_is_named(changes: dict[str, Any], named: str) -> None:
    content = json.loads(_revealed().model_dump_json())
    assert verify(json.dumps(content)) == _revealed()
    with pytest.raises(Differs, match=named):
        verify(json.dumps(content | changes))
