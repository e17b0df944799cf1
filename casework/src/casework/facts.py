"""What an enterprise brings to a self-check or an application.

Money is yuan, exact; an absent fact is unknown, never zero; an unknown name is refused with its path.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from casework.fact_types import (
    Count,
    Day,
    FiscalYearNumber,
    Identifier,
    Money,
    Number,
    Region,
    Short,
    Uscc,
    broken,
    exact_number,
)
from casework.figures import Figures, figures_of
from casework.reading import Document, Unreadable, read, spell
from casework.unusable import UnusableInput

__all__ = [
    "CaseType", "Facts", "FiscalYear", "IpKind", "IpRight", "Region", "Uscc", "facts_from", "read_facts",
]  # fmt: skip

CaseType = Literal["first", "review_2008", "re_recognition"]
IpKind = Literal[
    "invention", "defence_invention", "plant_variety", "crop_variety", "new_drug", "tcm_variety",
    "ic_layout", "utility_model", "design", "software_copyright", "trademark",
]  # fmt: skip
Acquired = Literal["self", "transfer", "gift", "merger", "exclusive_licence"]
IncidentKind = Literal["safety", "quality", "environment", "dishonesty"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enterprise(_Shape):
    uscc: Uscc | None = None
    name: Short | None = None
    region: Region | None = None
    established_on: Day | None = None
    mainland_resident: StrictBool | None = None


class Staff(_Shape):
    """Yearly means. `st`: S&T staff; `college`: with a college degree or above; `rd`: R&D staff."""

    total: Count | None = None
    st: Count | None = None
    college: Count | None = None
    rd: Count | None = None

    @model_validator(mode="after")
    def _parts_within_the_whole(self) -> Self:
        for name in ("st", "college", "rd"):
            part = getattr(self, name)
            if part is not None and self.total is not None and part > self.total:
                raise broken("part_exceeds_whole", part=name, whole="total")
        return self


Months = Annotated[tuple[tuple[Count, Count], ...], Field(min_length=1, max_length=12)]


class StaffMonthly(_Shape):
    """Per kind `[start of month, end of month]` for each month of operation."""

    total: Months | None = None
    st: Months | None = None
    college: Months | None = None
    rd: Months | None = None

    @model_validator(mode="after")
    def _same_months(self) -> Self:
        given = [kind for kind in (self.total, self.st, self.college, self.rd) if kind is not None]
        if len({len(kind) for kind in given}) > 1:
            raise broken("months_differ")
        return self

    @model_validator(mode="after")
    def _parts_within_the_whole(self) -> Self:
        for name in ("st", "college", "rd"):
            part = getattr(self, name)
            if part is not None and self.total is not None and _sum(part) > _sum(self.total):
                raise broken("part_exceeds_whole", part=name, whole="total")
        return self


def _sum(months: tuple[tuple[Decimal, Decimal], ...]) -> Decimal:
    return sum((start + end for start, end in months), Decimal(0))


class RdItems(_Shape):
    """R&D costs actually incurred, before the edition's share and cap."""

    personnel: Money | None = None
    direct_input: Money | None = None
    depreciation: Money | None = None
    amortisation: Money | None = None
    design: Money | None = None
    commissioning: Money | None = None
    entrusted_domestic: Money | None = None
    entrusted_abroad: Money | None = None
    other: Money | None = None


class FiscalYear(_Shape):
    year: FiscalYearNumber
    sales_revenue: Money | None = None
    total_revenue: Money | None = None
    high_tech_revenue: Money | None = None
    costs: Money | None = None
    net_assets: Number | None = None
    total_assets: Money | None = None
    rd_spend: Money | None = None
    rd_spend_domestic: Money | None = None
    rd_items: RdItems | None = None
    staff: Staff | None = None
    staff_monthly: StaffMonthly | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.rd_items is not None and (self.rd_spend is not None or self.rd_spend_domestic is not None):
            raise broken("one_of", first="rd_spend", second="rd_items")
        if self.staff is not None and self.staff_monthly is not None:
            raise broken("one_of", first="staff", second="staff_monthly")
        if (
            self.rd_spend is not None
            and self.rd_spend_domestic is not None
            and self.rd_spend_domestic > self.rd_spend
        ):
            raise broken("part_exceeds_whole", part="rd_spend_domestic", whole="rd_spend")
        return self


class Use(_Shape):
    programme: Short
    year: FiscalYearNumber


class IpRight(_Shape):
    id: Identifier
    kind: IpKind
    acquired: Acquired | None = None
    granted_on: Day | None = None
    in_force: StrictBool | None = None
    owned: StrictBool | None = None
    related: StrictBool | None = None
    used_for: tuple[Use, ...] | None = None


class Conversion(_Shape):
    result: Identifier
    year: FiscalYearNumber | None = None


class Incident(_Shape):
    kind: IncidentKind | None = None
    on: Day | None = None
    major: StrictBool | None = None


def _judgement(value: Any) -> Any:
    return value if isinstance(value, bool) else exact_number(value)


def _in_order(years: tuple[FiscalYear, ...]) -> tuple[FiscalYear, ...]:
    ordered = tuple(sorted(years, key=lambda year: year.year))
    for place in range(1, len(ordered)):
        step = ordered[place].year - ordered[place - 1].year
        if step == 0:
            raise broken("doubled_year", year=ordered[place].year)
        if step > 1:
            raise broken("missing_year", year=ordered[place - 1].year + 1)
    return ordered


def _no_doubles(rights: tuple[IpRight, ...]) -> tuple[IpRight, ...]:
    seen: set[str] = set()
    for right in rights:
        if right.id in seen:
            raise broken("doubled_id", given=right.id)
        seen.add(right.id)
    return rights


Judgement = Annotated[bool | Decimal, BeforeValidator(_judgement)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class Facts(_Shape):
    """The facts of one enterprise. Names are those of the facts file; None is unknown."""

    programme: Short | None = None
    case_type: CaseType | None = None
    applied_on: Day | None = None
    enterprise: Enterprise = Enterprise()
    years: Annotated[tuple[FiscalYear, ...], AfterValidator(_in_order)] = ()
    ip: Annotated[tuple[IpRight, ...], AfterValidator(_no_doubles)] | None = None
    conversions: tuple[Conversion, ...] | None = None
    incidents: tuple[Incident, ...] | None = None
    judgements: dict[Name, Judgement] = Field(default_factory=dict)
    choices: dict[Name, Short] = Field(default_factory=dict)

    @cached_property
    def figures(self) -> Figures:
        """The same facts as scaled whole numbers, for exact and quick arithmetic."""
        return figures_of(self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, its figures counted anew. As in pydantic, `update` is not validated."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("figures", None)
        return copy


def read_facts(text: str | bytes) -> Facts:
    """Reads a facts file, YAML or JSON. Raises UnusableInput with path, rule and (for YAML) line."""
    try:
        document = read(text.decode() if isinstance(text, bytes) else text)
    except UnicodeDecodeError as error:
        raise UnusableInput("", "not_utf8") from error
    except Unreadable as error:
        raise UnusableInput(spell(error.path), error.rule, line=error.line, detail=error.detail) from error
    return facts_from(document)


def facts_from(content: "Document | dict[str, Any]") -> Facts:
    """Validates facts that were read before. Raises UnusableInput; a float in them is refused."""
    document = content if isinstance(content, Document) else Document(content, {})
    if not isinstance(document.content, dict):
        raise UnusableInput("", "not_a_mapping", line=document.line_of(()))
    try:
        return Facts.model_validate(document.content)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda found: found["type"] == "missing")
        raise _unusable(first, document) from error


_RULES = {
    "extra_forbidden": "unknown_name",
    "missing": "required",
    "bool_type": "not_a_boolean",
    "literal_error": "not_one_of",
    "string_type": "not_text",
    "string_pattern_mismatch": "not_well_formed",
    "tuple_type": "not_a_list",
    "dict_type": "not_a_mapping",
    "model_type": "not_a_mapping",
}


def _unusable(detail: ErrorDetails, document: Document) -> UnusableInput:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    context = detail.get("ctx", {})
    if detail["type"] == "rule":
        return UnusableInput(spell(path), context["rule"], line=document.line_of(path), **context["values"])
    rule = _RULES.get(detail["type"], "malformed")
    return UnusableInput(
        spell(path),
        rule,
        line=document.line_of(path),
        detail=detail["msg"],
        expected=context.get("expected", ""),
    )
