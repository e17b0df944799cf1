"""An application as the authority's own form."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from casework.case import Case
from casework.facts import Facts, facts_from
from casework.form import ApplicationForm
from casework.form_facts import known_of
from casework.form_files import write_application
from casework.use_cases.applying import snapshot, stored_facts
from casework.use_cases.casework import Casework
from casework.use_cases.steps import look_at
from chassis.database import Database
from chassis.identity import Actor


@dataclass(frozen=True, slots=True)
class FilledForm:
    """`title`: what the form is called in Chinese; `content`: the bytes of an .xlsx."""

    title: str
    content: bytes


async def fill_form(work: Casework, db: Database, actor: Actor, case_id: UUID) -> FilledForm:
    """The application on the form of its edition: the facts that are judged, for a draft those known now.

    Raises NotFound, Forbidden, NoForm, and for a draft UnusableInput.
    """
    case = await look_at(db, actor, case_id, "case.read")
    today = db.clock.today()
    edition = work.edition_of(case, today)
    form = work.form_of(ApplicationForm, edition)
    facts = await _facts_of(work, db, actor, case)
    known = known_of(case, facts, stored_facts(facts), edition)
    last_year = (case.applied_on or today).year - 1
    content = await asyncio.to_thread(write_application, form, known, last_year, case.changed_at)
    return FilledForm(form.title.zh, content)


async def _facts_of(work: Casework, db: Database, actor: Actor, case: Case) -> Facts:
    if case.edition_hash is not None:
        return facts_from(dict(case.facts))
    async with db.transaction(actor) as tx:
        return await snapshot(work, tx, case)
