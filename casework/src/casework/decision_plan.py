"""What a list of decisions does, laid beside what is known here of its enterprises and numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from casework import titles
from casework.case import Case, Notice, Title
from casework.decision_list import DecisionList
from casework.edition import Edition
from casework.sheets import Reason, Record, Refusal
from casework.sheets.values import plain

UNKNOWN_APPLICANT = Reason(
    "unknown-applicant", "No application of the enterprise {enterprise} is known here."
)
NOT_IN_ROUND = Reason("not-in-round", "The enterprise {enterprise} has no application in this round.")
SEVERAL = Reason(
    "several-applications",
    "The enterprise {enterprise} has {count} applications in this round; decide them one by one.",
)
OTHER_NAME = Reason("other-name", "{value} is not the name in the application, which is {name}.")
TIED = Reason("tied", "You are tied to this enterprise ({ground}); somebody else must take in its decision.")
FOUR_EYES = Reason("four-eyes", "{verb} is for somebody else than who said: {said}.")
NOT_NOW = Reason(
    "not-now", "An application that is {state} cannot be taken to: {verb}. Possible now: {allowed}."
)
GRANTED_OTHERWISE = Reason("decided-otherwise", "The title {number} was granted on {on} before.")
REFUSED_BEFORE = Reason("decided-otherwise", "The application was refused before.")
NOT_OF_FORM = Reason("not-a-title-number", "{number} is not a number of the form {form}.")
NUMBER_TAKEN = Reason("number-taken", "The number {number} is another title's.")
FUTURE = Reason("future", "{value} is in the future; today is {today}.")
DURING_NOTICE = Reason(
    "during-notice", "{value} is not after the public notice, which was open until {until}."
)
OTHER_VALIDITY = Reason("other-validity", "{value} is not the last day of the validity, which is {until}.")
RUN_OUT = Reason("run-out", "A title of {value} would have ended on {until} already.")

Outcome = Literal["granted", "refused", "unchanged"]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known here of the list's enterprises and numbers.

    `cases`: those of the round that stand, by enterprise; `known`: the enterprises with any application; `taken`: the
    numbers that are titles already; `ties` and `said`: of the officer who takes the list in, by enterprise and by case.
    """

    today: date
    role: str
    cases: Mapping[str, Sequence[Case]]
    known: frozenset[str]
    titles: Mapping[UUID, Title]
    taken: frozenset[str]
    notices: Mapping[UUID, Notice]
    ties: Mapping[str, str]
    said: Mapping[UUID, Sequence[str]]
    edition_of: Callable[[Case], Edition]


@dataclass(frozen=True, slots=True)
class Decided:
    """What becomes of one row; `number` and `granted_on` of a grant, `reason` of a refusal."""

    row: int
    case: Case
    edition: Edition
    outcome: Outcome
    number: str | None
    granted_on: date | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the list does; nothing of it while one row is refused."""

    decided: Sequence[Decided] = ()
    refusals: Sequence[Refusal] = ()

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.decided)

    def last_serials(self) -> dict[str, int]:
        """The highest serial of each series that the list takes numbers of."""
        last: dict[str, int] = {}
        for one in self.decided:
            if one.outcome == "granted" and one.number is not None and one.granted_on is not None:
                series = titles.number_series(one.edition, titles.region_of(one.case), one.granted_on)
                last[series] = max(last.get(series, 0), titles.serial_of(series, one.number) or 0)
        return dict(sorted(last.items()))


def lay_beside(listed: DecisionList, around: Around) -> Plan:
    """What each row does, or every reason why not, in the order of the rows."""
    decided: list[Decided] = []
    refusals = list(listed.refusals)
    for record in listed.records:
        case, found = _case_of(record, around)
        if case is not None:
            found += _problems(record, case, around)
            if not found and not record.faulty:
                decided.append(_decided(record, case, around))
        refusals += found
    if refusals:
        return Plan(refusals=sorted(refusals, key=lambda refusal: refusal.row or 0))
    return Plan(decided)


def _case_of(record: Record, around: Around) -> tuple[Case | None, list[Refusal]]:
    enterprise = record.values.get("enterprise_id")
    if enterprise is None:
        return None, []
    cases = around.cases.get(str(enterprise), ())
    if len(cases) == 1:
        return cases[0], []
    reason = SEVERAL if cases else NOT_IN_ROUND if enterprise in around.known else UNKNOWN_APPLICANT
    return None, [record.refuse("enterprise_id", reason, enterprise=str(enterprise), count=str(len(cases)))]


def _problems(record: Record, case: Case, around: Around) -> list[Refusal]:
    found: list[Refusal] = []
    name = record.values.get("enterprise_name")
    if name is not None and case.enterprise_name and plain(str(name)) != plain(case.enterprise_name):
        found.append(record.refuse("enterprise_name", OTHER_NAME, value=str(name), name=case.enterprise_name))
    if ground := around.ties.get(case.enterprise_id):
        found.append(record.refuse("enterprise_id", TIED, ground=ground))
    verb = record.values.get("result")
    if verb is None:
        return found
    if case.state in ("granted", "refused"):
        return [*found, *_decided_before(record, case, str(verb), around)]
    found += _step(record, case, str(verb), around)
    if verb == "grant":
        found += _days(record, case, around)
        found += _number(record, case, around)
    return found


def _decided_before(record: Record, case: Case, verb: str, around: Around) -> Iterator[Refusal]:
    """Refusals may be worded as they like; a title is the same by its number and its day."""
    title = around.titles.get(case.case_id)
    if title is None:
        if verb != "refuse":
            yield record.refuse("result", REFUSED_BEFORE)
        return
    same = (record.values.get("number"), record.values.get("granted_on")) == (title.number, title.granted_on)
    if verb != "grant" or not same:
        yield record.refuse("result", GRANTED_OTHERWISE, number=title.number, on=str(title.granted_on))
    else:
        yield from _validity(record, title.valid_until)


def _step(record: Record, case: Case, verb: str, around: Around) -> Iterator[Refusal]:
    steps = around.edition_of(case).steps_from(case.state, case.case_type)
    step = next((step for step in steps if step.verb == verb and around.role in step.by), None)
    if step is None:
        allowed = ", ".join(sorted({step.verb for step in steps})) or "-"
        yield record.refuse("result", NOT_NOW, state=case.state, verb=verb, allowed=allowed)
        return
    said = [one for one in around.said.get(case.case_id, ()) if one in step.not_by]
    if said:
        yield record.refuse("result", FOUR_EYES, verb=verb, said=said[-1])


def _days(record: Record, case: Case, around: Around) -> Iterator[Refusal]:
    granted_on, notice = record.values.get("granted_on"), around.notices.get(case.case_id)
    if not isinstance(granted_on, date):
        return
    value, today = str(granted_on), around.today
    if granted_on > today:
        yield record.refuse("granted_on", FUTURE, value=value, today=str(today))
    if notice is not None and granted_on <= notice.ends_on:
        yield record.refuse("granted_on", DURING_NOTICE, value=value, until=str(notice.ends_on))
    until = titles.valid_until(around.edition_of(case), granted_on)
    if until < today:
        yield record.refuse("granted_on", RUN_OUT, value=value, until=str(until))
    yield from _validity(record, until)


def _validity(record: Record, until: date) -> Iterator[Refusal]:
    value = record.values.get("valid_until", until)
    if value != until:
        yield record.refuse("valid_until", OTHER_VALIDITY, value=str(value), until=str(until))


def _number(record: Record, case: Case, around: Around) -> Iterator[Refusal]:
    number, granted_on = record.values.get("number"), record.values.get("granted_on")
    if number is None:
        return
    if str(number) in around.taken:
        yield record.refuse("number", NUMBER_TAKEN, number=str(number))
    if not isinstance(granted_on, date):
        return
    series = titles.number_series(around.edition_of(case), titles.region_of(case), granted_on)
    if titles.serial_of(series, str(number)) is None:
        yield record.refuse("number", NOT_OF_FORM, number=str(number), form=series)


def _decided(record: Record, case: Case, around: Around) -> Decided:
    values = record.values
    grants, is_done = values["result"] == "grant", case.state in ("granted", "refused")
    granted_on, reason = values.get("granted_on"), values.get("reason")
    outcome: Outcome = "unchanged" if is_done else "granted" if grants else "refused"
    return Decided(
        row=record.row, case=case, edition=around.edition_of(case), outcome=outcome,
        number=str(values["number"]) if grants else None,
        granted_on=granted_on if isinstance(granted_on, date) else None,
        reason=None if reason is None or grants else str(reason),
    )  # fmt: skip
