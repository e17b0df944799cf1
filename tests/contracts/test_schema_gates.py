"""Gates 1 and 2: committed schemas say what the classes say, and no change breaks a reader without a new version."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import create_model

import generate
from contract_tools.changes import (
    Baseline,
    Schema,
    breaking_changes,
    broken_types,
    committed_baselines,
    digest,
)
from contract_tools.folder import Folder
from contract_tools.schemas import described, schema_of
from contracts.certification import TitleGranted
from contracts.envelope import Event
from contracts.finance_link import ReferralFact
from contracts.registry import event_types
from contracts.values import Text

TYPE = TitleGranted.type


def reworked(leaving_out: str | None = None, **fields: Any) -> dict[str, type[Event]]:
    """The events of the house, with certification's TitleGranted replaced by one that has other fields."""
    kept: Any = {
        name: (field.annotation, field)
        for name, field in TitleGranted.model_fields.items()
        if name != leaving_out and name not in fields
    }
    naming: Any = {
        "__base__": Event,
        "__module__": TitleGranted.__module__,
        "__doc__": described(TitleGranted),
        "__cls_kwargs__": {"topic": "certification.titles", "key": "enterprise_id"},
    }
    build: Any = create_model
    return {**event_types(), TYPE: build("TitleGranted", **naming, **kept, **fields)}


def schema(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


# The gates on what is committed


def test_every_committed_schema_says_what_its_class_says(contracts_folder: Path) -> None:
    assert Folder(contracts_folder, event_types()).stale() == []


def test_no_event_breaks_the_committed_baseline(contracts_folder: Path) -> None:
    assert Folder(contracts_folder, event_types()).broken() == []


def test_no_event_breaks_any_baseline_ever_committed(repository: Path, contracts_folder: Path) -> None:
    committed = committed_baselines(repository, "contracts/baseline.json")
    if not committed:
        pytest.skip("no commits at hand")
    folder = Folder(contracts_folder, event_types())
    for baseline in committed:
        assert broken_types(baseline, folder.schemas, folder.abandoned) == []


# Gate 1 can go red


def test_an_untouched_copy_is_not_stale(copied_folder: Path) -> None:
    assert generate.main(["--check", "--root", str(copied_folder)]) == 0
    assert generate.main(["--check", "--root", str(copied_folder)], reworked()) == 0


def test_a_changed_class_with_an_unchanged_schema_file_is_stale(
    copied_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    types = reworked(remark=(Text | None, None))
    assert generate.main(["--check", "--root", str(copied_folder)], types) == 1
    said = capsys.readouterr().out
    assert f"schemas/{TYPE}.json" in said
    assert "baseline.json" in said


@pytest.mark.parametrize("path", [f"schemas/{TYPE}.json", "asyncapi.yaml", "baseline.json"])
def test_a_missing_or_edited_generated_file_is_stale(copied_folder: Path, path: str) -> None:
    file = copied_folder / path
    original = file.read_text(encoding="utf-8")
    file.write_text(original + "\n", encoding="utf-8")
    assert Folder(copied_folder, event_types()).stale() == [path]
    file.unlink()
    assert Folder(copied_folder, event_types()).stale() == [path]
    assert generate.main(["--root", str(copied_folder)]) == 0
    assert file.read_text(encoding="utf-8") == original


def test_a_schema_without_a_class_is_stale_and_swept_away(copied_folder: Path) -> None:
    left = copied_folder / "schemas" / "cn.huiqi.certification.left-over.v1.json"
    left.write_text("{}")
    folder = Folder(copied_folder, event_types())
    assert folder.stale() == [f"schemas/{left.name}"]
    folder.write()
    assert not left.exists()


def test_the_command_notices_an_edited_class_in_the_source(
    contracts_folder: Path, copied_folder: Path
) -> None:
    source = copied_folder / "src" / "contracts" / "casework.py"
    text = source.read_text(encoding="utf-8")
    edited = text.replace("    valid_until: Day\n", "    valid_until: Day\n    remark: Text | None = None\n")
    assert edited != text
    assert _check(copied_folder) == 0
    source.write_text(edited, encoding="utf-8")
    assert _check(copied_folder) == 1


def _check(folder: Path) -> int:
    command = [sys.executable, str(folder / "tools" / "generate.py"), "--check"]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(folder / "src")}, capture_output=True, check=False
    ).returncode


# Gate 2 can go red


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (reworked(leaving_out="number"), "number: the field is gone"),
        (reworked(remark=(Text, ...)), "remark: the field is now required"),
        (reworked(number=(int, ...)), "number: type was"),
        (reworked(level=(Text, ...)), "level: anyOf was"),
        (reworked(case_id=(Text, ...)), "case_id: format was"),
        ({key: event for key, event in event_types().items() if key != TYPE}, "the type is gone"),
    ],
    ids=["field gone", "new required field", "other type", "no longer nullable", "other format", "type gone"],
)
def test_a_breaking_change_is_refused_and_nothing_is_written(
    copied_folder: Path, capsys: pytest.CaptureFixture[str], types: dict[str, type[Event]], said: str
) -> None:
    before = (copied_folder / "baseline.json").read_bytes()
    assert generate.main(["--check", "--root", str(copied_folder)], types) == 1
    assert generate.main(["--root", str(copied_folder)], types) == 1
    assert said in capsys.readouterr().out
    assert (copied_folder / "baseline.json").read_bytes() == before


def test_an_optional_addition_is_taken_and_becomes_the_new_baseline(copied_folder: Path) -> None:
    added = reworked(remark=(Text | None, None))
    assert generate.main(["--root", str(copied_folder)], added) == 0
    assert generate.main(["--check", "--root", str(copied_folder)], added) == 0
    assert generate.main(["--check", "--root", str(copied_folder)]) == 1, "what was added may not go again"


def test_a_new_version_is_no_breaking_change(copied_folder: Path) -> None:
    class TitleGrantedV2(Event, topic="certification.titles", key="enterprise_id", version=2):
        title_id: UUID
        enterprise_id: Text

    assert (
        generate.main(["--root", str(copied_folder)], {**event_types(), TitleGrantedV2.type: TitleGrantedV2})
        == 0
    )


def test_a_baseline_that_was_rewritten_by_hand_is_found_in_the_history(copied_folder: Path) -> None:
    repository = copied_folder.parent
    baseline_file = copied_folder / "baseline.json"
    _commit(repository, "first")
    narrowed: Baseline = json.loads(baseline_file.read_text(encoding="utf-8"))
    del narrowed[TYPE]["properties"]["number"]
    baseline_file.write_text(json.dumps(narrowed), encoding="utf-8")
    _commit(repository, "rewritten by hand")

    committed = committed_baselines(repository, "contracts/baseline.json")
    assert len(committed) == 2
    types = reworked(leaving_out="number")
    folder = Folder(copied_folder, types)
    faults = [fault for old in committed for fault in broken_types(old, folder.schemas, frozenset())]
    assert any("number: the field is gone" in fault for fault in faults)


def test_a_state_abandoned_on_purpose_binds_nobody(copied_folder: Path) -> None:
    types = reworked(leaving_out="number")
    before = json.loads((copied_folder / "baseline.json").read_bytes())
    arguments = ["--root", str(copied_folder), "--abandon", TYPE, "--reason", "not in use anywhere yet"]
    assert generate.main(arguments, types) == 0
    assert generate.main(["--check", "--root", str(copied_folder)], types) == 0
    folder = Folder(copied_folder, types)
    assert folder.abandoned >= {digest(before[TYPE])}
    assert broken_types(before, folder.schemas, folder.abandoned) == []
    assert broken_types(before, folder.schemas, frozenset()) != []


def test_outside_git_there_is_no_history(tmp_path: Path) -> None:
    assert committed_baselines(tmp_path, "contracts/baseline.json") == []


def _commit(repository: Path, message: str) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)

    if not (repository / ".git").exists():
        git("init", "-q")
    git("add", "-A")
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", message)


# What breaks and what does not

TEXT = {"type": "string"}
CHOICE = {"type": "string", "enum": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (schema(a=TEXT), schema(a=TEXT) | {"description": "said better", "title": "A"}),
        (schema(a=TEXT), schema(a=TEXT | {"description": "x", "default": "y", "examples": ["z"]})),
        (schema(a=TEXT), {**schema(a=TEXT, b=TEXT), "required": ["a"]}),
        (schema(a=TEXT), {**schema(a=TEXT), "required": []}),
        (schema(a=CHOICE), schema(a=CHOICE | {"enum": ["b", "a"]})),
        (schema(a={"anyOf": [TEXT, {"type": "null"}]}), schema(a={"anyOf": [{"type": "null"}, TEXT]})),
        (schema(a=schema(b=TEXT)), schema(a={**schema(b=TEXT, c=TEXT), "required": ["b"]})),
        (schema(a=TEXT), {**schema(a={"$ref": "#/$defs/T"}), "$defs": {"T": TEXT}}),
    ],
)
def test_what_breaks_nobody_is_let_through(old: Schema, new: Schema) -> None:
    assert breaking_changes(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (schema(a=TEXT, b=TEXT), schema(a=TEXT), "b: the field is gone"),
        (schema(a=TEXT), schema(a=TEXT, b=TEXT), "b: the field is now required"),
        ({**schema(a=TEXT), "required": []}, schema(a=TEXT), "a: the field is now required"),
        (schema(a=TEXT), schema(a={"type": "integer"}), 'a: type was "string" and is "integer"'),
        (schema(a=CHOICE), schema(a=CHOICE | {"enum": ["a"]}), 'a: the choice is narrower, without "b"'),
        (schema(a=CHOICE), schema(a=CHOICE | {"enum": ["a", "b", "c"]}), 'a: the choice is wider, with "c"'),
        (schema(a=TEXT), schema(a=CHOICE), "a: the choice was open"),
        (schema(a=TEXT), schema(a=TEXT | {"maxLength": 3}), "a: maxLength was open and is 3"),
        (schema(a=TEXT), schema(a={"anyOf": [TEXT, {"type": "null"}]}), "a: anyOf was open"),
        (schema(a=schema(b=TEXT)), schema(a=schema(c=TEXT)), "a.b: the field is gone"),
        (
            schema(a={"type": "array", "items": schema(b=TEXT)}),
            schema(a={"type": "array", "items": schema(b=TEXT, c=TEXT)}),
            "a[].c: the field is now required",
        ),
        ({"x-topic": "a.b"}, {"x-topic": "a.c"}, "the event: x-topic was"),
        ({"x-key": "a"}, {"x-key": "b"}, "the event: x-key was"),
        (
            {**schema(a={"$ref": "#/$defs/T"}), "$defs": {"T": TEXT}},
            {**schema(a={"$ref": "#/$defs/T"}), "$defs": {"T": {"type": "integer"}}},
            "a: type was",
        ),
    ],
)
def test_what_breaks_a_reader_is_named(old: Schema, new: Schema, said: str) -> None:
    assert any(line.startswith(said) for line in breaking_changes(old, new))


def test_a_narrower_choice_of_a_real_class_is_named() -> None:
    class Wide(ReferralFact, topic="finance-link.referrals", key="referral_id"):
        state: Literal["open", "closed"]

    class Narrow(ReferralFact, topic="finance-link.referrals", key="referral_id"):
        state: Literal["open"]

    assert breaking_changes(schema_of(Wide), schema_of(Narrow)) != []


def test_the_schema_of_a_reader_lets_unknown_fields_pass() -> None:
    assert all("additionalProperties" not in schema_of(event) for event in event_types().values())
