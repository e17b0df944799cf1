"""From facts as they are stored or written in files to chunks that can be judged; in a process of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from json import JSONDecodeError
from typing import Any, Final, NamedTuple

import orjson

from casework.columns.gathering import Gathering
from casework.edition import Edition
from casework.facts import Facts, facts_from
from casework.reading import Unreadable, read_json, spell
from casework.rulebook import Rulebooks, load_rulebooks, rulebooks_of
from casework.unusable import UnusableInput
from casework.what_if import Chunk, Row, Subject, Totals, WhatIf

Document = Mapping[str, Any]
# Enough to be quick, and few enough for the processor's own memory.
AT_ONCE = 8_192
_NOT_FACTS: Document = {"": None}


class Given(NamedTuple):
    """One enterprise of the population. `facts`: JSON, or a document that was read before.

    `known`: what prevails over the facts. `stored`: the JSON is a database's own, without doubled names.
    """

    facts: str | bytes | Document
    known: Document
    subject: Subject | None = None
    stored: bool = False


class Question(NamedTuple):
    """What is asked; the dates are those from which the editions are in force."""

    programme: str
    level: str | None
    before: date
    after: date
    changed_only: bool


# Where the programmes of a package's rulebooks are applied for.
_SERVICES: Final = {"certification": "certification", "ip-enterprise": "ip_enterprise"}


def rulebooks() -> Rulebooks:
    return load_rulebooks(*(rulebooks_of(package) for package in _SERVICES.values()))


def service_of(programme: str) -> str:
    """The service that keeps the programme's cases. Raises UnusableInput where none does."""
    for service, package in _SERVICES.items():
        if programme in load_rulebooks(rulebooks_of(package)).programmes():
            return service
    raise UnusableInput("programme", "unknown_programme", given=programme, known="")


@dataclass(slots=True)
class Judge:
    """Answers a question for some of the population at a time."""

    question: Question
    books: Rulebooks
    editions: tuple[Edition, Edition]
    what_if: WhatIf

    @classmethod
    def of(cls, question: Question) -> "Judge":
        """Raises UnusableInput where there is no such programme, level or edition."""
        books = rulebooks()
        before, after = (
            books.edition(question.programme, day, question.level)
            for day in (question.before, question.after)
        )
        same = [edition for edition in books.editions if edition.programme == question.programme]
        return cls(question, books, (before, after), WhatIf(before, after, same))

    def answer(self, given: Sequence[Given]) -> tuple[list[Row], Totals]:
        totals = Totals()
        chunk = self._chunk(given)
        rows = list(self.what_if.rows(chunk, changed_only=self.question.changed_only, totals=totals))
        return rows, totals

    def _chunk(self, given: Sequence[Given]) -> Chunk:
        gathering = Gathering()
        subjects: list[Subject] = []
        readers: list[Callable[[], Document]] = []
        for one in given:
            document, exactly = _read(one)
            if document.get("programme") not in {None, self.question.programme}:
                continue
            gathering.add(document, exactly)
            subjects.append(one.subject or self._subject_of(document))
            readers.append(exactly)

        def facts_of(row: int) -> Facts | UnusableInput:
            try:
                return facts_from(dict(readers[row]()))
            except UnusableInput as refusal:
                return refusal

        return Chunk(subjects, gathering.table(), facts_of)

    def _subject_of(self, document: Document) -> Subject:
        enterprise = document.get("enterprise")
        said = enterprise if isinstance(enterprise, Mapping) else {}
        names = (said.get(name) for name in ("uscc", "name"))
        uscc, name = (text if isinstance(text, str) else None for text in names)
        return Subject(uscc, name, None, self._edition_on(document.get("applied_on")))

    def _edition_on(self, applied_on: object) -> str | None:
        try:
            day = applied_on if isinstance(applied_on, date) else date.fromisoformat(str(applied_on))
            return self.books.edition_for(self.question.programme, day, self.question.level).hash
        except (ValueError, UnusableInput):
            return None


def _read(given: Given) -> tuple[Document, Callable[[], Document]]:
    """The document, quickly, and how it is read exactly."""
    facts = given.facts
    if isinstance(facts, Mapping):
        whole = {**facts, **given.known}
        return whole, lambda: whole
    text = facts

    def exactly() -> Document:
        return {**_read_exactly(text), **given.known}

    try:
        quick = orjson.loads(text)
        if isinstance(quick, dict) and (given.stored or _no_name_doubled(text, quick)):
            return {**quick, **given.known}, exactly
        return exactly(), exactly
    except (orjson.JSONDecodeError, UnusableInput):
        # Nobody's facts; what is wrong with them is told when they are read exactly.
        return _NOT_FACTS, exactly


def _no_name_doubled(text: str | bytes, document: Document) -> bool:
    """Certain where every colon of the text belongs to a name that was kept."""
    colons = text.count(":") if isinstance(text, str) else text.count(b":")
    return colons == _names(document)


def _names(content: Any) -> int:
    if isinstance(content, dict):
        return len(content) + sum(map(_names, content.values()))
    return sum(map(_names, content)) if isinstance(content, list) else 0


def _read_exactly(text: str | bytes) -> Document:
    try:
        content = read_json(text.decode() if isinstance(text, bytes) else text).content
    except UnicodeDecodeError as error:
        raise UnusableInput("", "not_utf8") from error
    except JSONDecodeError as error:
        raise UnusableInput("", "not_yaml", detail=error.msg) from error
    except Unreadable as error:
        raise UnusableInput(spell(error.path), error.rule, detail=error.detail) from error
    if not isinstance(content, dict):
        raise UnusableInput("", "not_a_mapping")
    return content
