"""The topics that exist, who owns them and who listens, as `topics.yaml` of the contracts says."""

import re
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
TopicName = Annotated[
    str,
    StringConstraints(
        max_length=249, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(\.([a-z0-9]+(-[a-z0-9]+)*|\{[a-z_]+\}))+$"
    ),
]


class UnknownTopic(LookupError):
    """No row of topics.yaml stands for this name."""


class Topic(BaseModel):
    """One row. `key` is the field by which events are ordered; `outside` says who else may read all of it.

    Without a listener, `nobody` gives the reason; with one, it is None. Retention is in days.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TopicName
    holds: str = Field(min_length=1)
    owner: ServiceName
    key: str = Field(min_length=1)
    listeners: list[ServiceName]
    partitions: int = Field(ge=1, le=1000)
    retention_days: int = Field(ge=1)
    outside: list[str] = []
    nobody: str | None = Field(default=None, min_length=1)

    @property
    def is_template(self) -> bool:
        """Whether the name stands for many topics, one for each value of the field in braces."""
        return "{" in self.name

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the names of its topics look like, the field in braces being one segment."""
        parts = [
            r"[a-z0-9]+(?:-[a-z0-9]+)*" if part.startswith("{") else re.escape(part)
            for part in self.name.split(".")
        ]
        return re.compile(r"\.".join(parts))

    @model_validator(mode="after")
    def _row_is_whole(self) -> Self:
        if bool(self.listeners) == (self.nobody is not None):
            raise ValueError("either somebody listens, or `nobody` says why not")
        if len(set(self.listeners)) != len(self.listeners):
            raise ValueError("a listener is named twice")
        if not self.name.startswith(f"{self.owner}."):
            raise ValueError(f"the name must begin with its owner, {self.owner}")
        return self


class _Loader(yaml.SafeLoader):
    """Refuses a name that is given twice, where YAML would silently keep the last."""


def _no_doubles(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    names = [loader.construct_object(name) for name, _ in node.value]
    doubled = sorted({str(name) for name in names if names.count(name) > 1})
    if doubled:
        raise yaml.constructor.ConstructorError(None, None, f"given twice: {doubled}", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _no_doubles)
_ROWS = TypeAdapter(dict[str, dict[str, Any]])
_TOPICS = TypeAdapter(dict[str, Topic])


def read_topics(text: str) -> dict[str, Topic]:
    """The rows of a topics.yaml by name. Raises ValueError or yaml.YAMLError where it is wrong."""
    rows = _ROWS.validate_python(yaml.load(text, Loader=_Loader))  # noqa: S506 - it is a SafeLoader
    return _TOPICS.validate_python({name: {**row, "name": name} for name, row in rows.items()})


@cache
def load_topics() -> dict[str, Topic]:
    """The rows that the installed contracts bring, by name; treat the answer as read-only."""
    return read_topics((files("contracts") / "topics.yaml").read_text(encoding="utf-8"))


@cache
def topic_for(name: str) -> Topic:
    """The row for a topic or a template's name: `finance-link.bank.icbc` finds `finance-link.bank.{bank_id}`.

    Raises UnknownTopic.
    """
    topics = load_topics()
    if name in topics:
        return topics[name]
    for topic in topics.values():
        if topic.is_template and topic.pattern.fullmatch(name):
            return topic
    raise UnknownTopic(name)


def listened_by(service: str) -> list[str]:
    """The names, templates included, of the topics that a service reads; sorted."""
    return sorted(name for name, topic in load_topics().items() if service in topic.listeners)


def owned_by(service: str) -> list[str]:
    """The names, templates included, of the topics that a service writes; sorted."""
    return sorted(name for name, topic in load_topics().items() if topic.owner == service)
