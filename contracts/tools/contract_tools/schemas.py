"""JSON Schemas of the event classes, as a reader must take them: unknown fields are allowed."""

import inspect
import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.envelope import SCHEMA_URN, Event

Schema = dict[str, Any]


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _tolerant(node: Any) -> Any:
    if isinstance(node, dict):
        closed = node.get("additionalProperties") is False
        return {
            name: _tolerant(part)
            for name, part in node.items()
            if not (closed and name == "additionalProperties")
        }
    return [_tolerant(part) for part in node] if isinstance(node, list) else node


def described(event: type[Event]) -> str:
    """What the class, or the shape it is built on, says of the fact."""
    return inspect.getdoc(event) or ""


def schema_of(event: type[Event]) -> Schema:
    """The schema of an event's payload, with the topic and the key as `x-topic` and `x-key`."""
    generated = _tolerant(event.model_json_schema(mode="validation", schema_generator=_Untitled))
    for replaced in ("title", "description"):
        generated.pop(replaced, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA_URN}{event.type}",
        "title": event.__name__,
        "description": described(event),
        "x-topic": event.topic_template,
        "x-key": event.key_field,
        **generated,
    }


def written(content: Any) -> str:
    """JSON as it is committed."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
