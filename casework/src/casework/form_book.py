"""Loads the forms that stand beside the rulebooks, `<programme>/forms/*.yaml`, checked before anybody fills one in.

An unknown fact, field or edition raises MalformedRulebook with file and line, so that a service does not start.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from casework.edition import Edition
from casework.form import (
    FORMS,
    GROUP,
    RECOMMENDED,
    ApplicationForm,
    Blank,
    Form,
    Forms,
    Part,
    RecommendationForm,
)
from casework.form_facts import Known, UnknownFact, ids_in, ids_of, leaf_at, shape_at
from casework.reading import Document, spell
from casework.rulebook import MalformedRulebook, Rulebooks, document_in
from casework.rulebook_checks import Place, Problem


def load_forms(folder: Path, rulebooks: Rulebooks) -> Forms:
    """Reads and checks every form of the folder. Raises MalformedRulebook."""
    return Forms(
        (path.parents[1].name, _load(path, rulebooks)) for path in sorted(folder.glob("*/forms/*.yaml"))
    )


def _load(path: Path, rulebooks: Rulebooks) -> Form:
    document = document_in(path, path.read_bytes())
    form = _validated(path, document)
    for place, reason in _problems_of(form, path.parents[1].name, rulebooks):
        raise MalformedRulebook(path, document.line_of(place), spell(place), reason)
    return form


def _validated(path: Path, document: Document) -> Form:
    content = document.content if isinstance(document.content, dict) else {}
    shape = FORMS.get(str(content.get("form")))
    if shape is None:
        raise MalformedRulebook(
            path, document.line_of(("form",)), "form", f"one of {', '.join(FORMS)} is needed"
        )
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda found: found["type"] == "missing")
        place = first["loc"]
        raise MalformedRulebook(path, document.line_of(place), spell(place), first["msg"]) from error


def _problems_of(form: Form, programme: str, rulebooks: Rulebooks) -> Iterator[Problem]:
    of_programme = [edition for edition in rulebooks.editions if edition.programme == programme]
    for at, day in enumerate(form.editions):
        if day not in {edition.in_force_from for edition in of_programme}:
            yield ("editions", at), f"{programme} has no edition of {day}"
    editions = [edition for edition in of_programme if form.is_of(edition)]
    if isinstance(form, ApplicationForm):
        for at, sheet in enumerate(form.sheets):
            if [other.name for other in form.sheets].count(sheet.name) > 1:
                yield ("sheets", at, "name"), f"the sheet {sheet.name} appears twice"
            for nth, part in enumerate(sheet.parts):
                yield from _part(part, ("sheets", at, "parts", nth), editions)
    if isinstance(form, RecommendationForm):
        yield from _recommended(form, editions)


def _recommended(form: RecommendationForm, editions: Sequence[Edition]) -> Iterator[Problem]:
    groups = [
        {GROUP + group.id for group in (edition.score.groups if edition.score else ())}
        for edition in editions
    ]
    known = set(RECOMMENDED) | (set.intersection(*groups) if groups else set())
    for at, column in enumerate(form.columns):
        if column.field not in known:
            yield ("columns", at, "field"), f"no field {column.field}"


def _part(part: Part, place: Place, editions: Sequence[Edition]) -> Iterator[Problem]:
    within: Any = Known
    if part.rows_of is not None:
        try:
            within = shape_at(f"{part.rows_of}[]")
        except UnknownFact as error:
            yield (*place, "rows_of"), str(error)
            return
    for name in ("fields", "by_year", "columns"):
        for at, blank in enumerate(getattr(part, name)):
            yield from _blank(blank, (*place, name, at), within, editions, per_year=name == "by_year")


def _blank(
    blank: Blank, place: Place, within: Any, editions: Sequence[Edition], *, per_year: bool
) -> Iterator[Problem]:
    for name in ("fact", "or_else"):
        if (path := getattr(blank, name)) is not None:
            for field, reason in _path(blank, path, within, editions, per_year=per_year):
                yield (*place, field or name), reason
    if blank.fact is None and blank.or_else is not None:
        yield (*place, "or_else"), "there is no fact that it stands in for"


def _path(
    blank: Blank, path: str, within: Any, editions: Sequence[Edition], *, per_year: bool
) -> Iterator[tuple[str | None, str]]:
    """Problems with the path itself, or with the field of the blank that does not fit what it leads to."""
    try:
        leaf = leaf_at(path, within)
    except UnknownFact as error:
        yield None, str(error)
        return
    if ("[]" in path) != per_year:
        yield None, f"{path}: `[]` is for the values of each year, and needed there"
    for listed, wanted in ids_in(path):
        if not all(wanted in ids_of(edition).get(listed, ()) for edition in editions):
            yield None, f"{listed} has no {wanted}"
    if blank.unit is not None and leaf.kind != "number":
        yield "unit", f"{path} is no amount"
    if blank.words and (missing := set(leaf.codes) - set(blank.words)):
        yield "words", f"no words for {', '.join(sorted(missing))}"
