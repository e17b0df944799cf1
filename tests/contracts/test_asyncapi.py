"""The AsyncAPI document is valid, whole, and says what the envelope and the topics say."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml

from chassis.topics import load_topics
from contract_tools.asyncapi import ENVELOPE
from contracts.envelope import Envelope
from contracts.registry import event_types

Document = dict[str, Any]


@pytest.fixture
def document(contracts_folder: Path) -> Document:
    loaded: Document = yaml.safe_load((contracts_folder / "asyncapi.yaml").read_bytes())
    return loaded


@pytest.fixture(scope="session")
def rules() -> jsonschema.Draft7Validator:
    schema = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_bytes())
    return jsonschema.Draft7Validator(schema)


def faults(document: Document, rules: jsonschema.Draft7Validator) -> list[str]:
    return [fault.json_path for fault in rules.iter_errors(document)]


def test_the_document_keeps_the_rules_of_asyncapi_3(
    document: Document, rules: jsonschema.Draft7Validator
) -> None:
    assert faults(document, rules) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("asyncapi",), "2.6.0"),
        (("info",), {"title": "no version"}),
        (("channels", "certification.titles", "surprise"), 1),
        (("channels", "certification.titles", "bindings", "kafka", "partitions"), 0),
        (("operations", "certification.send.certification.titles", "action"), "publish"),
        (("components", "messages", "cn.huiqi.certification.title-granted.v1", "payloads"), {}),
    ],
)
def test_a_document_that_breaks_a_rule_is_noticed(
    document: Document, rules: jsonschema.Draft7Validator, path: tuple[str, ...], wrong: object
) -> None:
    broken = deepcopy(document)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    assert faults(broken, rules) != []


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, part in node.items():
            if name == "$ref":
                yield part
            else:
                yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def test_every_reference_leads_somewhere(document: Document, contracts_folder: Path) -> None:
    references = set(_references(document))
    assert references
    for reference in references:
        file, _, pointer = reference.partition("#")
        if file:
            assert (contracts_folder / file).is_file()
            continue
        place: Any = document
        for step in pointer.strip("/").split("/"):
            place = place[step]


def test_operations_say_who_speaks_and_who_listens(document: Document) -> None:
    expected = {
        f"{service}.{verb}.{name.translate(str.maketrans('', '', '{}'))}"
        for name, topic in load_topics().items()
        for verb, services in (("send", [topic.owner]), ("receive", topic.listeners))
        for service in services
    }
    assert set(document["operations"]) == expected


def test_every_event_is_a_message_of_exactly_one_channel(document: Document) -> None:
    messages = [
        message["$ref"].rpartition("/")[2]
        for channel in document["channels"].values()
        for message in channel["messages"].values()
    ]
    assert sorted(messages) == sorted(event_types())


def test_real_headers_match_the_documented_envelope() -> None:
    at = datetime(2016, 8, 1, tzinfo=UTC)
    kind = "cn.huiqi.certification.title-granted.v1"
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    said = Envelope(
        UUID(int=1), "/huiqi/certification", kind, "certification.titles", "k", 1, at, "officer:li", trace
    )
    headers = {name: value.decode() for name, value in said.to_headers()}
    jsonschema.validate(headers, ENVELOPE)
    assert set(headers) == set(ENVELOPE["properties"])
    assert set(ENVELOPE["required"]) == set(headers) - {"traceparent", "ce_dataschema"}
