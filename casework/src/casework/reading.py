"""Reads YAML and JSON without ever making a float: numbers become int or Decimal, dates stay text.

Both readers refuse doubled keys, aliases, tags and non-finite numbers, and know the line of every value.
"""

import json
import re
from decimal import Decimal
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]*)\.[0-9]+\Z")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
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
        _refuse_aliases(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Unreadable("not_yaml", line=mark.line + 1 if mark else 0, detail=error.problem or "") from error
    except yaml.YAMLError as error:
        raise Unreadable("not_yaml", detail=str(error)) from error
    except RecursionError as error:
        raise Unreadable("too_deep") from error
    lines: dict[Path, int] = {}
    return Document(None if node is None else _plain(node, (), lines), lines)


def _refuse_aliases(text: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("alias", line=event.start_mark.line + 1 if event.start_mark else 0)


def _plain(node: Node, path: Path, lines: dict[Path, int]) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if len(path) > _MAX_DEPTH:
        raise Unreadable("too_deep", path, line)
    if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.rpartition(":")[2] not in _PLAIN_TAGS:
        raise Unreadable("tag", path, line, node.tag)
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, place), lines) for place, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return node.value if node.style else _scalar(node.value, path, line)


def _mapping(node: MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode):
            raise Unreadable("key_not_text", path, line)
        if key.value in content:
            raise Unreadable("doubled_key", (*path, key.value), line)
        content[key.value] = _plain(value, (*path, key.value), lines)
        lines[(*path, key.value)] = line
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
