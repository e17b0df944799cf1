"""What must be true of examples and topics; each function returns one line for each fault."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from chassis.topics import Topic
from contract_tools.changes import Schema
from contracts.envelope import Event


def topic_faults(
    topics: Mapping[str, Topic], types: Mapping[str, type[Event]], services: Collection[str]
) -> list[str]:
    """A listener or owner that is no service, a class without its row, a row without a class, a wrong key."""
    faults = [
        f"{name}: {service} is no service"
        for name, topic in topics.items()
        for service in (topic.owner, *topic.listeners)
        if service not in services
    ]
    for type_, event in types.items():
        row = topics.get(event.topic_template)
        if row is None:
            faults.append(f"{type_}: {event.topic_template} is not in topics.yaml")
        elif row.key != event.key_field:
            faults.append(f"{type_}: its key is {event.key_field}, topics.yaml says {row.key}")
    spoken = {event.topic_template for event in types.values()}
    return faults + [f"{name}: no event is ever said there" for name in topics if name not in spoken]


def example_faults(folder: Path, types: Mapping[str, type[Event]]) -> list[str]:
    """A type without an example, an example without a type, one that no longer parses or is written otherwise."""
    faults = [
        f"{file.name}: there is no such type" for file in sorted(folder.iterdir()) if file.stem not in types
    ]
    for type_, event in types.items():
        file = folder / f"{type_}.json"
        payloads = json.loads(file.read_bytes()) if file.exists() else []
        if not payloads:
            faults.append(f"{type_}: no example")
        faults += [
            f"{type_}[{place}]: {fault}"
            for place, payload in enumerate(payloads)
            for fault in _faults_of(event, payload)
        ]
    return faults


def _faults_of(event: type[Event], payload: Schema) -> list[str]:
    try:
        read = event.read(json.dumps(payload).encode())
    except ValueError as error:
        return [f"does not parse: {error}"]
    written: dict[str, Any] = json.loads(read.payload())
    return [
        f"{field} is {given!r} in the example and {written.get(field)!r} when written"
        for field, given in payload.items()
        if field not in written or written[field] != given
    ]
