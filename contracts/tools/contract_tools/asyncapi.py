"""The AsyncAPI 3.0 document of the house: one channel per topic, one operation per owner and listener."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from chassis.topics import Topic
from contract_tools.schemas import described
from contracts.envelope import CONTENT_TYPE, SCHEMA_URN, Event

_DAY_IN_MS = 86_400_000
_TRACE = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the payload is the event.",
    "properties": {
        "ce_id": {"type": "string", "format": "uuid", "description": "UUID version 7"},
        "ce_source": {"type": "string", "description": "/huiqi/<service>"},
        "ce_specversion": {"const": "1.0"},
        "ce_type": {"type": "string", "pattern": r"^cn\.huiqi\.[a-z-]+\.[a-z0-9-]+\.v[0-9]+$"},
        "ce_time": {"type": "string", "format": "date-time", "description": "when it was recorded, UTC"},
        "ce_partitionkey": {"type": "string", "description": "the key, equal to the key of the record"},
        "ce_sequence": {
            "type": "string",
            "pattern": "^[0-9]{1,19}$",
            "description": "place among the events of the same topic and key, from 1 without gaps, zero-padded",
        },
        "ce_actor": {"type": "string", "description": "who did it: <role>:<subject>"},
        "ce_dataschema": {"type": "string", "format": "uri", "description": f"{SCHEMA_URN}<type>"},
        "content-type": {"const": CONTENT_TYPE},
        "traceparent": {"type": "string", "pattern": _TRACE, "description": "W3C Trace Context"},
    },
    "required": [
        "ce_id",
        "ce_source",
        "ce_specversion",
        "ce_type",
        "ce_time",
        "ce_partitionkey",
        "ce_sequence",
        "ce_actor",
        "content-type",
    ],
}


def _channel_id(topic: str) -> str:
    return re.sub("[{}]", "", topic)


def _channel(topic: Topic, events: list[type[Event]]) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": topic.name,
        "description": f"{topic.holds}; ordered by {topic.key}",
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.type}"} for event in events},
    }
    parameters = re.findall(r"\{(\w+)\}", topic.name)
    if parameters:
        channel["parameters"] = {name: {"description": f"the event's {name}"} for name in parameters}
    channel["bindings"] = {
        "kafka": {
            "partitions": topic.partitions,
            "topicConfiguration": {
                "cleanup.policy": ["delete"],
                "retention.ms": topic.retention_days * _DAY_IN_MS,
            },
        }
    }
    channel["x-owner"] = topic.owner
    channel["x-listeners"] = topic.listeners
    channel["x-outside"] = topic.outside
    return channel


def _operations(topic: Topic, events: list[type[Event]]) -> dict[str, Any]:
    channel = _channel_id(topic.name)
    reference = {"$ref": f"#/channels/{channel}"}
    messages = [{"$ref": f"#/channels/{channel}/messages/{event.__name__}"} for event in events]
    said = {f"{topic.owner}.send.{channel}": {"action": "send", "channel": reference, "messages": messages}}
    heard = {
        f"{listener}.receive.{channel}": {"action": "receive", "channel": reference, "messages": messages}
        for listener in topic.listeners
    }
    return said | heard


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": described(event).splitlines()[0],
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/Envelope"},
        "payload": {"$ref": f"./schemas/{event.type}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": event.key_field}}},
    }


def document(types: Mapping[str, type[Event]], topics: Mapping[str, Topic], version: str) -> dict[str, Any]:
    """The whole document; references to the schemas beside it are relative."""
    said = {name: [event for event in types.values() if event.topic_template == name] for name in topics}
    operations: dict[str, Any] = {}
    for name, topic in topics.items():
        operations |= _operations(topic, said[name])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "huiqi",
            "version": version,
            "description": "What the services of huiqi say to each other. Generated; see README.md.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {_channel_id(name): _channel(topic, said[name]) for name, topic in topics.items()},
        "operations": operations,
        "components": {
            "messages": {type_: _message(event) for type_, event in types.items()},
            "schemas": {"Envelope": ENVELOPE},
        },
    }


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def written_yaml(content: dict[str, Any]) -> str:
    """YAML as it is committed, without anchors."""
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
