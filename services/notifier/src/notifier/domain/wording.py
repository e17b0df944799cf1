"""Texts: versioned templates in Chinese and English, rendered from an event's fields.

A template file is `<name>.v<version>.<language>.txt`: the subject, an empty line, the body. A text that was ever sent
is not edited: it gets a new version, and the highest one is used.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from notifier.domain.broken import BrokenTable, Fault
from notifier.domain.lines import one_line

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LONGEST_SUBJECT = 200

_FILE = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)\.v(?P<version>[1-9][0-9]*)\.(?P<language>zh-CN|en)\.txt"
)
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_ALWAYS = frozenset({"language"})
# kind → word of the wire → language → text
Words = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Text:
    template: str
    version: int
    language: Language
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class _Source:
    file: str
    template: Template
    names: Mapping[str, int]  # the names it asks for, each with the line where it does so first


class Wording:
    """All templates, compiled. Raises BrokenTable when one cannot be used or lacks its sister language."""

    def __init__(self, files: Mapping[str, str], words: Words) -> None:
        self._words = words
        environment = _environment(words)
        self._sources: dict[tuple[str, int, str], _Source] = {}
        faults: list[Fault] = []
        for file, text in files.items():
            match = _FILE.fullmatch(file.rpartition("/")[2])
            if match is None:
                faults.append(Fault(file, 1, "must be named <name>.v<version>.<language>.txt"))
                continue
            try:
                key = match["name"], int(match["version"]), match["language"]
                self._sources[key] = _source(environment, file, text)
            except TemplateSyntaxError as error:
                faults.append(Fault(file, error.lineno, error.message or "cannot be read"))
        self._versions: dict[str, int] = {}
        for name, version, _ in self._sources:
            self._versions[name] = max(version, self._versions.get(name, 0))
        faults += self._without_sister() + [
            f for s in self._sources.values() for f in _shape_faults(s, files)
        ]
        if faults:
            raise BrokenTable(faults)

    def _without_sister(self) -> list[Fault]:
        return [
            Fault(source.file, 1, f"there is no {language} text of {name} version {version}")
            for (name, version, _), source in self._sources.items()
            for language in LANGUAGES
            if (name, version, language) not in self._sources
        ]

    @property
    def templates(self) -> Collection[str]:
        return self._versions.keys()

    def unknown_names(self, template: str, given: Collection[str]) -> list[Fault]:
        """What the current version asks for that nobody gives, by file and line."""
        version = self._versions[template]
        sources = [self._sources[template, version, language] for language in LANGUAGES]
        return [
            Fault(source.file, line, f"{name!r} is not known here")
            for source in sources
            for name, line in source.names.items()
            if name not in given and name not in _ALWAYS
        ]

    def text(self, template: str, language: Language, facts: Mapping[str, Any]) -> Text:
        """The current version, filled. Raises jinja2.UndefinedError where a fact is missing."""
        version = self._versions[template]
        source = self._sources[template, version, language]
        written = source.template.render({**facts, "language": language})
        subject, _, body = written.partition("\n")
        return Text(template, version, language, one_line(subject, LONGEST_SUBJECT), body.strip("\n") + "\n")


def _source(environment: SandboxedEnvironment, file: str, text: str) -> _Source:
    tree = environment.parse(text)
    asked = meta.find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for found in tree.find_all(nodes.Name):
        if found.name in asked:
            lines[found.name] = min(found.lineno, lines.get(found.name, found.lineno))
    try:
        return _Source(file, environment.from_string(text), lines)
    except TemplateSyntaxError:
        raise
    except TemplateError as error:
        raise TemplateSyntaxError(str(error), 1) from error


def _shape_faults(source: _Source, files: Mapping[str, str]) -> list[Fault]:
    subject, _, rest = files[source.file].partition("\n")
    if not subject.strip() or not rest.startswith("\n") or not rest.strip():
        return [Fault(source.file, 1, "must be a subject, an empty line and a body")]
    return []


def _environment(words: Words) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )

    @pass_context
    def word(context: Context, said: str | None, kind: str) -> str:
        return _word(words, kind, said, context["language"])

    @pass_context
    def named(context: Context, programme: str, level: str | None) -> str:
        language = context["language"]
        title = _word(words, "programme", programme, language)
        rank = _word(words, "level", level, language)
        if not rank:
            return title
        return f"{title}（{rank}）" if language == "zh-CN" else f"{title} ({rank})"

    @pass_context
    def day(context: Context, on: date) -> str:
        return _day(on, context["language"])

    environment.filters |= {"word": word, "named": named, "day": day}
    environment.filters |= {"moment": _moment, "yuan": _yuan, "percent": _percent}
    return environment


def _word(words: Words, kind: str, said: str | None, language: str) -> str:
    """Our word for a name of the wire; the name itself where the list has none, as new ones may come at any time."""
    if said is None:
        return ""
    return words.get(kind, {}).get(said, {}).get(language, said)


def _shown(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


def _day(on: date, language: str) -> str:
    return f"{on.year}年{on.month}月{on.day}日" if language == "zh-CN" else on.isoformat()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(_SHANGHAI):%Y-%m-%d %H:%M}"


def _yuan(amount: Decimal) -> str:
    return f"¥{amount:,.2f}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
