"""Gate 3: every topic has an owner, a listener or a reason for none, and every event has its topic."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from chassis.topics import (
    UnknownTopic,
    listened_by,
    load_topics,
    owned_by,
    read_topics,
    topic_for,
)
from contract_tools.gates import topic_faults
from contracts.envelope import Event
from contracts.registry import event_types

ROW = "a.things: {holds: x, owner: a, key: k, listeners: [b], partitions: 1, retention_days: 1}"


@pytest.fixture(scope="session")
def services(repository: Path) -> frozenset[str]:
    """The services that exist: the folders with a project of their own."""
    found = frozenset(project.parent.name for project in (repository / "services").glob("*/pyproject.toml"))
    assert found
    return found


@pytest.fixture
def text(contracts_folder: Path) -> str:
    return (contracts_folder / "topics.yaml").read_text(encoding="utf-8")


def test_topics_events_and_services_agree(services: frozenset[str]) -> None:
    assert topic_faults(load_topics(), event_types(), services) == []


def test_the_installed_contracts_bring_the_table(text: str) -> None:
    assert (files("contracts") / "topics.yaml").read_text(encoding="utf-8") == text


def test_a_topic_is_found_by_its_own_name_and_by_its_template() -> None:
    assert topic_for("certification.titles").owner == "certification"
    assert topic_for("finance-link.bank.city-bank").name == "finance-link.bank.{bank_id}"
    assert topic_for("finance-link.bank.{bank_id}").is_template


@pytest.mark.parametrize(
    "name", ["certification.title", "finance-link.bank.a.b", "finance-link.bank.", "", "A.b"]
)
def test_an_unknown_topic_is_refused(name: str) -> None:
    with pytest.raises(UnknownTopic):
        topic_for(name)


def test_a_service_finds_what_it_reads_and_what_it_writes() -> None:
    assert listened_by("certification") == ["ip-enterprise.assets"]
    assert owned_by("notifier") == ["notifier.notifications"]
    assert listened_by("nobody-at-all") == []


# The gate can go red


@pytest.mark.parametrize(
    "wrong",
    [
        ROW.replace("[b]", "[]"),
        ROW.replace("[b]", "[b, b]"),
        ROW.replace("[b]", "[b], nobody: really"),
        ROW.replace("[b]", "[], nobody: ''"),
        ROW.replace("[b]", "[B_b]"),
        ROW.replace("listeners: [b], ", ""),
        ROW.replace("owner: a", "owner: c"),
        ROW.replace("a.things", "a.my_things"),
        ROW.replace("partitions: 1", "partitions: 0"),
        ROW.replace("key: k", "key: k, surprise: 1"),
        "a.things: nothing",
        "- a.things",
    ],
)
def test_a_bad_row_is_refused(wrong: str) -> None:
    assert read_topics(ROW)
    with pytest.raises(ValueError, match="validation error"):
        read_topics(wrong)


@pytest.mark.parametrize("doubled", [f"{ROW}\n{ROW}", ROW.replace("owner: a", "owner: a, owner: a")])
def test_a_name_given_twice_is_refused(doubled: str) -> None:
    with pytest.raises(yaml.YAMLError, match="twice"):
        read_topics(doubled)


def test_a_listener_that_is_no_service_is_named(text: str, services: frozenset[str]) -> None:
    topics = read_topics(text.replace("listeners: [certification]", "listeners: [portal]"))
    assert topic_faults(topics, event_types(), services) == ["ip-enterprise.assets: portal is no service"]


def test_a_class_whose_topic_has_no_row_is_named(services: frozenset[str]) -> None:
    topics = {name: row for name, row in load_topics().items() if name != "ip-enterprise.titles"}
    assert topic_faults(topics, event_types(), services) == [
        f"cn.huiqi.ip-enterprise.{fact}.v1: ip-enterprise.titles is not in topics.yaml"
        for fact in (
            "change-decided",
            "change-reported",
            "duty-done",
            "duty-due",
            "duty-missed",
            "revocation-proposed",
            "title-expired",
            "title-granted",
            "title-revoked",
        )
    ]


def test_a_row_for_which_no_event_exists_is_named(services: frozenset[str]) -> None:
    topics = {
        **load_topics(),
        **read_topics(
            "notifier.whispers: "
            "{holds: x, owner: notifier, key: k, listeners: [certification], partitions: 1, retention_days: 1}"
        ),
    }
    assert topic_faults(topics, event_types(), services) == ["notifier.whispers: no event is ever said there"]


def test_a_class_with_another_key_than_its_topic_is_named(services: frozenset[str]) -> None:
    class TitleSeen(Event, topic="certification.titles", key="title_id"):
        title_id: str

    types: dict[str, type[Event]] = {**event_types(), TitleSeen.type: TitleSeen}
    assert topic_faults(load_topics(), types, services) == [
        "cn.huiqi.certification.title-seen.v1: its key is title_id, topics.yaml says enterprise_id"
    ]
