"""The table names everybody who is told, and nothing that does not exist."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.envelope import Event
from contracts.registry import event_types
from notifier.domain.broken import BrokenTable
from notifier.store.shipped import load_notices

SHIPPED = Path(str(files("notifier")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rules.yaml", "words.yaml"):
        shutil.copy(SHIPPED / name, tmp_path)
    shutil.copytree(SHIPPED / "templates", tmp_path / "templates")
    return tmp_path


def edit(folder: Path, old: str, new: str, name: str = "rules.yaml") -> int:
    """Replaces the first occurrence; returns its line."""
    file = folder / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return text[: text.index(old.lstrip("\n"), text.index(old))].count("\n") + 1


def faults(folder: Path) -> str:
    with pytest.raises(BrokenTable) as broken:
        load_notices(folder)
    return str(broken.value)


def test_every_event_of_the_contracts_has_a_row() -> None:
    assert load_notices().table.keys() == event_types().keys()


@pytest.mark.parametrize("type_", sorted(event_types()))
def test_an_event_without_its_row_stops_the_start(folder: Path, type_: str) -> None:
    rules = folder / "rules.yaml"
    kept = re.sub(rf"^{re.escape(type_)}:\n(  .*\n)+", "", rules.read_text(), flags=re.MULTILINE)
    rules.write_text(kept)
    end = kept.count("\n") + 1
    assert f"{rules}:{end}: {type_} has no row" in faults(folder)


def test_a_new_event_that_nobody_thought_of_stops_the_start() -> None:
    class CaseForgotten(Event, topic="certification.cases", key="case_id"):
        case_id: str

    with pytest.raises(BrokenTable, match="case-forgotten.v1 has no row"):
        load_notices(types={**event_types(), CaseForgotten.type: CaseForgotten})


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("cn.huiqi.certification.case-submitted.v1", "cn.huiqi.certification.case-sent.v1", "no event of the contracts"),
        ("template: case-to-check", "template: case-to-chek", "unknown template 'case-to-chek'"),
        ("channels: [inbox, mail], template: case-submitted", "channels: [inbox, fax], template: case-submitted",
         "unknown channel 'fax'"),
        ("channels: [inbox], template: case-to-check", "channels: [inbox, inbox], template: case-to-check",
         "a channel is named twice"),
        ("who: officers, channels: [inbox], template: case-to-check", "who: officers, channels: [mail], template: case-to-check",
         "no mail address is known of officers"),
        ("who: officers, channels: [inbox], template: case-to-check", "who: bank, channels: [inbox], template: case-to-check",
         "names no bank_id"),
        ("who: officers", "who: everybody", "unknown who 'everybody'"),
        ("\n  statutory: true", "\n  statutory: perhaps", "statutory must be true or false"),
        ("\n  statutory: true", "\n  obligatory: true", "unknown word 'obligatory'"),
        ("channels: [inbox, mail]", "channels: []", "must be a list with something in it"),
    ],
)  # fmt: skip
def test_a_wrong_word_stops_the_start_and_is_named_with_its_line(
    folder: Path, old: str, new: str, fault: str
) -> None:
    line = edit(folder, old, new)
    assert re.search(rf"rules\.yaml:{line}: .*{re.escape(fault)}", faults(folder))


def test_a_row_must_not_tell_of_what_never_arrives_here(folder: Path) -> None:
    told = (
        "statutory: false\n  tell:\n    - {who: enterprise, channels: [inbox], template: enterprise-changed}"
    )
    rules = folder / "rules.yaml"
    text = re.sub(r"(asset-expired\.v1:\n  )nobody: .*", rf"\1{told}", rules.read_text())
    rules.write_text(text)
    assert "asset-expired.v1 never arrives here" in faults(folder)


def test_a_row_says_either_whom_or_why_nobody(folder: Path) -> None:
    edit(folder, "  nobody: said to the bank alone", "  nobody: ''\n  #")
    assert "nobody must be a text" in faults(folder)


def test_two_rows_for_one_event_are_refused(folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(f"{rules.read_text()}cn.huiqi.finance-link.referral-offered.v1:\n  nobody: again\n")
    assert "has two rows" in faults(folder)


def test_yaml_that_cannot_be_read_is_named_with_its_line(folder: Path) -> None:
    line = edit(folder, "{who: officers", "{who: [officers")
    assert re.search(rf"rules\.yaml:{line}", faults(folder))


def test_an_unknown_variable_stops_the_start_with_file_and_line(folder: Path) -> None:
    edit(folder, "{{ number }}", "{{ numbr }}", "templates/title-granted.v1.en.txt")
    assert re.search(r"title-granted\.v1\.en\.txt:7: 'numbr' is not known here", faults(folder))


def test_a_broken_template_stops_the_start_with_file_and_line(folder: Path) -> None:
    edit(folder, "{{ number }}", "{{ number", "templates/title-granted.v1.en.txt")
    assert re.search(r"title-granted\.v1\.en\.txt:\d+:", faults(folder))


def test_an_unknown_filter_stops_the_start(folder: Path) -> None:
    edit(folder, "{{ number }}", "{{ number | shout }}", "templates/title-granted.v1.en.txt")
    assert "shout" in faults(folder)


def test_a_template_in_one_language_only_stops_the_start(folder: Path) -> None:
    (folder / "templates" / "title-granted.v1.en.txt").unlink()
    assert "there is no en text of title-granted version 1" in faults(folder)


def test_a_bank_is_not_told_here_which_enterprise_it_is(folder: Path) -> None:
    edit(folder, "{{ consent_id }}", "{{ enterprise_id }}", "templates/consent-ended.v1.en.txt")
    assert "'enterprise_id' is not known here" in faults(folder)
