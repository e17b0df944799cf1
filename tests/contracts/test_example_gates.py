"""Gate 4: golden examples parse, are written as they stand, and match the committed schemas."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract_tools.gates import example_faults
from contracts.certification import TitleGranted
from contracts.envelope import Event
from contracts.registry import event_types

TYPE = TitleGranted.type


def test_every_type_has_an_example_that_is_read_and_written_as_it_stands(contracts_folder: Path) -> None:
    assert example_faults(contracts_folder / "examples", event_types()) == []


@pytest.mark.parametrize("event", event_types().values(), ids=lambda event: event.type)
def test_an_event_is_the_same_after_the_wire(contracts_folder: Path, event: type[Event]) -> None:
    for payload in json.loads((contracts_folder / "examples" / f"{event.type}.json").read_bytes()):
        read = event.read(json.dumps(payload).encode())
        assert event.read(read.payload()) == read
        assert event.model_validate(dict(read)) == read, "a writer may say what a reader reads"


@pytest.mark.parametrize("event", event_types().values(), ids=lambda event: event.type)
def test_an_example_matches_the_committed_schema(contracts_folder: Path, event: type[Event]) -> None:
    schema = json.loads((contracts_folder / "schemas" / f"{event.type}.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for payload in json.loads((contracts_folder / "examples" / f"{event.type}.json").read_bytes()):
        validator.validate(payload)
        validator.validate(payload | {"surprise": 1})
        validator.validate(json.loads(event.read(json.dumps(payload).encode()).payload()))


# The gate can go red


def _rewrite(folder: Path, **changes: Any) -> Path:
    file = folder / "examples" / f"{TYPE}.json"
    payload = json.loads(file.read_bytes())[0] | changes
    file.write_text(json.dumps([payload]), encoding="utf-8")
    return folder / "examples"


def test_an_example_that_no_longer_parses_is_named(copied_folder: Path) -> None:
    faults = example_faults(_rewrite(copied_folder, valid_until="in three years"), event_types())
    assert len(faults) == 1
    assert faults[0].startswith(f"{TYPE}[0]: does not parse")


def test_an_example_with_a_field_that_is_no_longer_written_is_named(copied_folder: Path) -> None:
    assert example_faults(_rewrite(copied_folder, forgotten="x"), event_types()) == [
        f"{TYPE}[0]: forgotten is 'x' in the example and None when written"
    ]


def test_an_example_that_is_written_otherwise_now_is_named(copied_folder: Path) -> None:
    case = "01564B0E-0C00-7000-8000-000000CA5E01"
    assert example_faults(_rewrite(copied_folder, case_id=case), event_types()) == [
        f"{TYPE}[0]: case_id is '{case}' in the example and '{case.lower()}' when written"
    ]


def test_a_type_without_an_example_is_named(copied_folder: Path) -> None:
    examples = copied_folder / "examples"
    (examples / f"{TYPE}.json").unlink()
    assert example_faults(examples, event_types()) == [f"{TYPE}: no example"]
    (examples / f"{TYPE}.json").write_text("[]")
    assert example_faults(examples, event_types()) == [f"{TYPE}: no example"]


def test_an_example_of_no_type_is_named(copied_folder: Path) -> None:
    examples = copied_folder / "examples"
    (examples / "cn.huiqi.nobody.thing-seen.v1.json").write_text("[{}]")
    assert example_faults(examples, event_types()) == [
        "cn.huiqi.nobody.thing-seen.v1.json: there is no such type"
    ]
