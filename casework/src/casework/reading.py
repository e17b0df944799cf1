"""Reads YAML and JSON without ever making a float: numbers become int or Decimal, dates stay text.

Both readers refuse doubled keys, aliases, tags and non-finite numbers, and know the line of every value.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]*)\.[0-9]+\Z")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DIGITS = 40
_MAX_DEPTH = 40
_MAX_TEXT = 4 * 1024 * 1024
_PLAIN_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value", "merge"})


class Unreadable(ValueError):
    """A text that is not usable YAML or JSON. `rule` is a wording id; `line` counts from 1, 0 when unknown."""

    def __init__(self, rule: str, path: Path = (), line: int = 0, detail: str = "") -> None:
        self.rule = rule
        self.path = path
        self.line = line
        self.detail = detail
        super().__init__(f"line {line}: {spell(path)}: {rule} {detail}".strip())


class Document(NamedTuple):
    """Plain content (dict, list, str, int, Decimal, bool, None) and the line of each path in it."""

    content: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of the path, or of the nearest thing around it that the text holds."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def spell(path: Path) -> str:
    """`("years", 2, "staff")` as `years[2].staff`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def read(text: str) -> Document:
    """Reads JSON when the text is JSON, else YAML. Raises Unreadable."""
    if len(text) > _MAX_TEXT:
        raise Unreadable("too_large")
    if text.lstrip().startswith("{"):
        try:
            return read_json(text)
        except json.JSONDecodeError:
            return read_yaml(text)
    return read_yaml(text)


def read_json(text: str) -> Document:
    """Reads JSON. Raises Unreadable, or json.JSONDecodeError when it is no JSON at all."""
    try:
        content = json.loads(
            text,
            parse_float=_exact,
            parse_int=_exact,
            parse_constant=_not_finite,
            object_pairs_hook=_without_doubles,
        )
    except RecursionError as error:
        raise Unreadable("too_deep") from error
    return Document(content, {})


def read_yaml(text: str) -> Document:
    """Reads one YAML document. Raises Unreadable with path and line."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Unreadable("not_yaml", line=mark.line + 1 if mark else 0, detail=error.problem or "") from error
    except yaml.YAMLError as error:
        raise Unreadable("not_yaml", detail=str(error)) from error
    except RecursionError as error:
        raise Unreadable("too_deep") from error
    reader = _Reader({}, set())
    return Document(None if node is None else reader.plain(node, ()), reader.lines)


@dataclass(slots=True)
class _Reader:
    lines: dict[Path, int]
    seen: set[int]

    def plain(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if len(path) > _MAX_DEPTH:
            raise Unreadable("too_deep", path, line)
        # An alias is the anchored node itself, met a second time.
        if id(node) in self.seen:
            raise Unreadable("alias", path, line)
        self.seen.add(id(node))
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.rpartition(":")[2] not in _PLAIN_TAGS:
            raise Unreadable("tag", path, line, node.tag)
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*path, place)) for place, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return node.value if node.style else _scalar(node.value, path, line)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise Unreadable("key_not_text", path, line)
            if key.value in content:
                raise Unreadable("doubled_key", (*path, key.value), line)
            self.lines[(*path, key.value)] = line
            content[key.value] = self.plain(value, (*path, key.value))
        return content


def _scalar(text: str, path: Path, line: int) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not (_INTEGER.match(text) or _DECIMAL.match(text)):
        return text
    if len(text) > _MAX_DIGITS:
        raise Unreadable("too_many_digits", path, line)
    return int(text) if _INTEGER.match(text) else Decimal(text)


def _exact(text: str) -> int | Decimal:
    if len(text) > _MAX_DIGITS:
        raise Unreadable("too_many_digits", detail=text[:_MAX_DIGITS])
    if _INTEGER.match(text):
        return int(text)
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_DIGITS:
        raise Unreadable("too_many_digits", detail=text)
    return number


def _not_finite(text: str) -> Any:
    raise Unreadable("not_finite", detail=text)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise Unreadable("doubled_key", (key,))
        content[key] = value
    return content
