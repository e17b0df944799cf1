"""The one table: for every type of event who is told, over which channels, in which words; or why nobody is."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import yaml

from notifier.domain.broken import BrokenTable, Fault

Audience = Literal["enterprise", "officers", "bank", "expert"]
Channel = Literal["inbox", "mail"]

_AUDIENCES = get_args(Audience)
_CHANNELS = get_args(Channel)
_NEEDS_FIELD = {"enterprise": "enterprise_id", "bank": "bank_id", "expert": "subject"}
_HAS_ADDRESS = frozenset({"enterprise"})


@dataclass(frozen=True, slots=True)
class Notice:
    """One audience of one event: the channels it is told over and the template that words it."""

    audience: Audience
    channels: tuple[Channel, ...]
    template: str
    line: int


@dataclass(frozen=True, slots=True)
class Row:
    """`statutory` notices are owed by law: no preference and no digest may hold them back."""

    type: str
    line: int
    statutory: bool = False
    notices: tuple[Notice, ...] = ()
    nobody: str | None = None


Table = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Known:
    """What a table may speak of: event types with their fields, the types that arrive here, template names."""

    types: Mapping[str, Collection[str]]
    heard: Collection[str]
    templates: Collection[str]


def read_table(text: str, file: str, known: Known) -> dict[str, Row]:
    """The rows by type of event. Raises BrokenTable naming file and line of everything that is wrong."""
    reading = _Reading(file, known)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenTable([Fault(file, mark.line + 1 if mark else 1, str(error.problem))]) from error
    rows: dict[str, Row] = {}
    for type_, node, line in reading.entries(root):
        if type_ in rows:
            reading.fault(line, f"{type_} has two rows")
        rows[type_] = reading.row(type_, node, line)
    end = text.count("\n") + 1
    for missing in sorted(known.types.keys() - rows.keys()):
        reading.fault(end, f"{missing} has no row: say who is told of it, or why nobody is")
    if reading.faults:
        raise BrokenTable(reading.faults)
    return rows


@dataclass(slots=True)
class _Reading:
    file: str
    known: Known
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, text: str) -> None:
        self.faults.append(Fault(self.file, line, text))

    def entries(self, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node, int]]:
        if not isinstance(node, yaml.MappingNode):
            self.fault(_line(node), "must be a mapping")
            return
        for key, content in node.value:
            yield str(key.value), content, _line(key)

    def row(self, type_: str, node: yaml.Node, line: int) -> Row:
        if type_ not in self.known.types:
            self.fault(line, f"{type_} is no event of the contracts")
        parts = self.parts(node, "statutory", "tell", "nobody")
        nobody = self.text(parts.get("nobody"), "nobody") if "nobody" in parts else None
        if ("tell" in parts) == (nobody is not None):
            self.fault(line, f"{type_} must say either whom to `tell`, or under `nobody` why not")
        if nobody is not None:
            return Row(type_, line, nobody=nobody)
        if type_ in self.known.types and type_ not in self.known.heard:
            self.fault(
                line, f"{type_} never arrives here: topics.yaml names no listener notifier for its topic"
            )
        statutory = self.truth(parts.get("statutory"), line)
        notices = tuple(self.notice(type_, item) for item in self.items(parts.get("tell"), line))
        self.no_doubles(type_, notices)
        return Row(type_, line, statutory, notices)

    def notice(self, type_: str, node: yaml.Node) -> Notice:
        line = _line(node)
        parts = self.parts(node, "who", "channels", "template")
        audience: Any = self.one_of(parts.get("who"), _AUDIENCES, "who", line)
        channels: Any = tuple(
            self.one_of(item, _CHANNELS, "channel", line) for item in self.items(parts.get("channels"), line)
        )
        template = self.one_of(parts.get("template"), self.known.templates, "template", line)
        needed = _NEEDS_FIELD.get(audience)
        if needed and needed not in self.known.types.get(type_, (needed,)):
            self.fault(line, f"{type_} names no {needed}, so no {audience} can be told")
        if "mail" in channels and audience not in _HAS_ADDRESS:
            self.fault(line, f"no mail address is known of {audience}")
        if len(set(channels)) != len(channels):
            self.fault(line, "a channel is named twice")
        return Notice(audience, channels, template, line)

    def no_doubles(self, type_: str, notices: tuple[Notice, ...]) -> None:
        seen: set[tuple[str, str]] = set()
        for notice in notices:
            for channel in notice.channels:
                if (notice.audience, channel) in seen:
                    self.fault(notice.line, f"{type_} tells {notice.audience} twice by {channel}")
                seen.add((notice.audience, channel))

    def parts(self, node: yaml.Node, *names: str) -> dict[str, yaml.Node]:
        parts: dict[str, yaml.Node] = {}
        for name, content, at in self.entries(node):
            if name not in names:
                self.fault(at, f"unknown word {name!r}; known are {', '.join(names)}")
            elif name in parts:
                self.fault(at, f"{name} is given twice")
            parts[name] = content
        return parts

    def items(self, node: yaml.Node | None, line: int) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode) and node.value:
            return list(node.value)
        self.fault(_line(node, line), "must be a list with something in it")
        return []

    def text(self, node: yaml.Node | None, name: str, line: int = 1) -> str:
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str" and node.value.strip():
            return str(node.value)
        self.fault(_line(node, line), f"{name} must be a text")
        return ""

    def one_of(self, node: yaml.Node | None, names: Collection[str], what: str, line: int) -> str:
        word = self.text(node, what, line)
        if word and word not in names:
            self.fault(_line(node, line), f"unknown {what} {word!r}")
        return word

    def truth(self, node: yaml.Node | None, line: int) -> bool:
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        self.fault(_line(node, line), "statutory must be true or false")
        return False


def _line(node: yaml.Node | None, otherwise: int = 1) -> int:
    return node.start_mark.line + 1 if node is not None else otherwise


Check = Callable[[Row, Notice], list[Fault]]


def refuse(table: Table, check: Check) -> None:
    """Raises BrokenTable with what `check` finds wrong with any notice."""
    faults = [fault for row in table.values() for notice in row.notices for fault in check(row, notice)]
    if faults:
        raise BrokenTable(faults)
