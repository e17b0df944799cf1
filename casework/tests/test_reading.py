"""Texts are read without floats, doubled keys, aliases or tags, and every refusal knows its place."""

from decimal import Decimal

import pytest

from casework.reading import Unreadable, read, read_yaml, spell


def test_numbers_become_exact_and_dates_stay_text() -> None:
    content = read_yaml(
        "{a: 0.6, b: 12, c: -3.50, d: 2016-08-01, e: '7', f: true, g: null, h: yes, i: 010}"
    ).content
    assert content == {
        "a": Decimal("0.6"), "b": 12, "c": Decimal("-3.50"), "d": "2016-08-01",
        "e": "7", "f": True, "g": None, "h": "yes", "i": "010",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["0.1", "1000000000000000000.01", "0.30000000000000004"])
def test_a_number_in_json_is_the_number_written(text: str) -> None:
    assert read(f'{{"a": {text}}}').content == {"a": Decimal(text)}


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "1e5", "1_000", "0x1F", "1:30"])
def test_what_other_readers_take_for_numbers_stays_text(text: str) -> None:
    assert read_yaml(f"a: {text}").content == {"a": text}


def test_the_key_on_is_a_word() -> None:
    assert read_yaml("on: 2016-01-01").content == {"on": "2016-01-01"}


@pytest.mark.parametrize(
    ("text", "rule", "path", "line"),
    [
        ("a: 1\nb: 2\na: 3", "doubled_key", "a", 3),
        ("a:\n  - {b: 1, b: 2}", "doubled_key", "a[0].b", 2),
        ("a: &x [1]\nb: *x", "alias", "b", 1),
        ("a: &x [*x]", "alias", "a[0]", 1),
        ("a: 1\nb: !!python/name:os.system x", "tag", "b", 2),
        ("? [a]\n: 1", "key_not_text", "", 1),
        ("a: 1\n---\nb: 2", "not_yaml", "", 2),
        ("a: 1\nb: [1", "not_yaml", "", 3),
        ("a: " + "[" * 60 + "]" * 60, "too_deep", "a" + "[0]" * 40, 1),
        ("a: " + "9" * 60, "too_many_digits", "a", 1),
        ('{"a": 1, "a": 2}', "doubled_key", "a", 0),
        ('{"a": NaN}', "not_finite", "", 0),
        ('{"a": -Infinity}', "not_finite", "", 0),
        ('{"a": 1e999}', "too_many_digits", "", 0),
        ('{"a": ' + "9" * 60 + "}", "too_many_digits", "", 0),
    ],
)
def test_an_unusable_text_is_refused_with_path_and_line(text: str, rule: str, path: str, line: int) -> None:
    with pytest.raises(Unreadable) as refused:
        read(text)
    assert (refused.value.rule, spell(refused.value.path), refused.value.line) == (rule, path, line)


def test_nesting_without_end_is_refused_and_not_a_crash() -> None:
    with pytest.raises(Unreadable):
        read("[" * 100_000)
    with pytest.raises(Unreadable):
        read('{"a":' * 100_000)
