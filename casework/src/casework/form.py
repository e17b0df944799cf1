"""The forms of the authorities as data: what stands in which column of an application, and of the lists that go out and in."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import Field, model_validator

from casework.edition import Edition
from casework.sourced import Day, Frozen, Sourced, Text

# What Excel takes as the name of a sheet.
SheetName = Annotated[str, Field(min_length=1, max_length=31, pattern=r"^[^\[\]:*?/\\]+$")]
Heading = Annotated[str, Field(min_length=1, max_length=100)]
Width = Annotated[int, Field(ge=4, le=100)]
Result = Literal["grant", "refuse"]
Given = Literal["enterprise_name", "enterprise_id", "result", "number", "granted_on", "valid_until", "reason"]
RECOMMENDED: Final = (
    "row", "place", "enterprise_name", "enterprise_id", "region", "field", "case_type", "score", "verdict", "proposal",
    "reasons", "case_id",
)  # fmt: skip
GROUP: Final = "group."
"""In a recommendation: the points of one group of the edition's score, `group.ip`."""
_NEEDED: Final[frozenset[Given]] = frozenset(
    {"enterprise_name", "enterprise_id", "result", "number", "granted_on"}
)


class Blank(Frozen):
    """One value of a form: its heading, the fact that stands there, and how it is written.

    Without a `fact` the cell is left for hands. `or_else`: the fact that stands in for one that is not given. `unit`:
    the form's unit of an amount in yuan. `words`: what the form calls each code of the fact.
    """

    heading: Heading
    fact: str | None = None
    or_else: str | None = None
    unit: Literal["wan"] | None = None
    number_format: str | None = None
    words: Mapping[str, str] = Field(default_factory=dict)

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(fact for fact in (self.fact, self.or_else) if fact is not None)


class Part(Frozen):
    """A block of a sheet, one of three: `fields` are rows of a heading and its value; `by_year` are rows with a column for
    each of the last `years` fiscal years before the application; `columns` have a row for each entry of the list `rows_of`,
    or none where no fact tells of it.
    """

    title: str | None = None
    fields: tuple[Blank, ...] = ()
    by_year: tuple[Blank, ...] = ()
    years: Annotated[int, Field(ge=1, le=5)] | None = None
    columns: tuple[Blank, ...] = ()
    rows_of: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(map(bool, (self.fields, self.by_year, self.columns))) != 1:
            raise ValueError("exactly one of fields, by_year, columns is needed")
        if bool(self.by_year) != (self.years is not None):
            raise ValueError("`by_year` needs `years`, nothing else does")
        if self.rows_of is not None and not self.columns:
            raise ValueError("`rows_of` is for `columns`")
        return self


class Sheet(Frozen):
    name: SheetName
    title: str
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]


class _Form(Sourced):
    """`editions`: those it belongs to, by their first day; of one `level` where the programme has several.

    `verified` is false while nobody has laid it beside the authority's own form; `note` says what is open.
    """

    title: Text
    editions: Annotated[tuple[Day, ...], Field(min_length=1)]
    level: str | None = None
    note: Text | None = None

    def is_of(self, edition: Edition) -> bool:
        return edition.in_force_from in self.editions and self.level in (None, edition.level)


class ApplicationForm(_Form):
    """The application, section by section."""

    form: Literal["application"]
    sheets: Annotated[tuple[Sheet, ...], Field(min_length=1)]


class ListColumn(Frozen):
    """`field`: one of RECOMMENDED, or a group of the score. `width` in characters."""

    field: str
    heading: Heading
    width: Width = 14
    words: Mapping[str, str] = Field(default_factory=dict)


class RecommendationForm(_Form):
    """The list with which the city recommends the applications of a round."""

    form: Literal["recommendation"]
    sheet: SheetName
    columns: Annotated[tuple[ListColumn, ...], Field(min_length=1)]


class GivenColumn(Frozen):
    field: Given
    heading: Heading
    synonyms: tuple[Heading, ...] = ()


class DecisionForm(_Form):
    """The list with which the authority decides. `results`: its words for each result; `ignored`: columns nobody reads."""

    form: Literal["decision_list"]
    sheet: SheetName
    synonyms: tuple[SheetName, ...] = ()
    columns: tuple[GivenColumn, ...]
    results: Annotated[Mapping[str, Result], Field(min_length=1)]
    ignored: tuple[Heading, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        fields = [column.field for column in self.columns]
        if len(set(fields)) != len(fields):
            raise ValueError("a field has one column")
        if missing := _NEEDED - set(fields):
            raise ValueError(f"columns are missing: {', '.join(sorted(missing))}")
        return self


Form = ApplicationForm | RecommendationForm | DecisionForm
FORMS: Final[Mapping[str, type[Form]]] = {
    "application": ApplicationForm, "recommendation": RecommendationForm, "decision_list": DecisionForm,
}  # fmt: skip
F = TypeVar("F", ApplicationForm, RecommendationForm, DecisionForm)


class Forms:
    """The forms of each programme."""

    def __init__(self, forms: Iterable[tuple[str, Form]] = ()) -> None:
        self._forms = tuple(forms)

    def find(self, kind: type[F], edition: Edition) -> F | None:
        for programme, form in self._forms:
            if isinstance(form, kind) and programme == edition.programme and form.is_of(edition):
                return form
        return None
