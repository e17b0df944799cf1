"""What the applicant does: draft, revise, submit, withdraw."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import file_store, inspection_store, lifecycle, objection_store, store
from casework.case import Brought, Case, Document
from casework.edition import Edition
from casework.facts import Facts, facts_from
from casework.founding import check_founding
from casework.unusable import UnusableInput
from casework.uscc import is_uscc
from casework.use_cases.casework import Casework
from casework.use_cases.inspecting import plan_inspections
from casework.use_cases.keeping import keep_by_application
from casework.use_cases.permitting import check_agents, permit
from casework.use_cases.refusals import (
    CaseTypeNotInEdition,
    DocumentsNotUploaded,
    MissingDocuments,
    NotYours,
    UnknownDocument,
)
from casework.use_cases.rounds import admit
from casework.use_cases.steps import about, add_decision, keep, move, take_own
from casework.use_cases.weighing import weigh, weigh_unjudged
from chassis.database import Transaction
from chassis.work import cancel_work

NOTICE_CLOSE = "notice.close"
_SAID_ELSEWHERE = ("programme", "case_type", "applied_on")


async def draft_case(
    work: Casework,
    tx: Transaction,
    *,
    enterprise_id: str | None,
    programme: str,
    case_type: str,
    level: str | None = None,
    facts: Mapping[str, Any] | None = None,
    documents: Sequence[Document] = (),
) -> Case:
    """A new application, not yet the bureau's to see. None is nobody's, and refused.

    Raises NotFound, Forbidden, NoAgents, UnusableInput, CaseTypeNotInEdition, UnknownDocument.
    """
    kind = await permit(tx, tx.actor, "case.draft", enterprise_id)
    if enterprise_id is None or not is_uscc(enterprise_id):
        raise UnusableInput("enterprise_id", "uscc", given=(enterprise_id or "")[:40])
    edition = work.rulebooks.edition_for(programme, tx.clock.today(), level)
    check_agents(edition, kind, tx.clock.today())
    check_case_type(edition, case_type)
    now = tx.clock.now()
    case = Case.model_validate(
        {
            "case_id": uuid7(), "enterprise_id": enterprise_id, "programme": programme, "level": edition.level,
            "case_type": case_type, "facts": checked_facts(facts or {}), "drafted_at": now, "changed_at": now,
        }
    )  # fmt: skip
    await store.add_case(tx, case)
    await save_documents(tx, edition, case, documents)
    await add_decision(tx, case, "draft", None)
    return case


async def revise_case(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    *,
    expected: int | None = None,
    facts: Mapping[str, Any] | None = None,
    documents: Sequence[Document] | None = None,
) -> Case:
    """Replaces the facts or the documents of a draft or a returned case; None leaves them as they are."""
    case, edition = await take_own(work, tx, case_id, "case.revise", expected)
    if case.state not in ("draft", "returned"):
        lifecycle.next_step(edition, case.case_type, case.state, "revise", tx.actor.role)
    if documents is not None:
        await save_documents(tx, edition, case, documents)
    return await keep(tx, case, "revise", facts=case.facts if facts is None else checked_facts(facts))


def check_case_type(edition: Edition, case_type: str) -> None:
    if case_type not in edition.case_types:
        raise CaseTypeNotInEdition(
            rule="case_types", source=lifecycle.cited(edition.process[0].source),
            programme=edition.programme, edition=edition.in_force_from, case_type=case_type,
        )  # fmt: skip


def checked_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The applicant's facts in their stored form. Raises UnusableInput with the path, NotYours for judgements."""
    if "judgements" in facts:
        raise NotYours(path="facts.judgements")
    for name in _SAID_ELSEWHERE:
        if name in facts:
            raise UnusableInput(name, "unknown_name")
    return stored_facts(facts_from(dict(facts)))


def stored_facts(facts: Facts) -> dict[str, Any]:
    """The facts that were given, numbers as exact strings and dates in ISO form."""
    stored: dict[str, Any] = facts.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return stored


async def save_documents(
    tx: Transaction, edition: Edition, case: Case, documents: Sequence[Document]
) -> None:
    known = {paper.id for paper in edition.papers_for(case.case_type)}
    for document in documents:
        if document.paper not in known:
            raise UnknownDocument(rule="documents", programme=edition.programme, paper=document.paper)
    if len({document.paper for document in documents}) != len(documents):
        raise UnusableInput("documents", "doubled_id")
    await store.save_documents(tx, case.case_id, documents, tx.clock.now())


async def submit_case(work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None) -> Case:
    """Hands the application in: the edition of the day is pinned by date and hash, the facts are kept as they are now.

    A returned case that is submitted again keeps its day and its edition. Raises Barred, TitleInForce,
    OutsideRound, RoundIsOver, MissingDocuments, DocumentsNotUploaded, AppliedThisYear, UnusableInput, WrongState, WrongActor.
    """
    case, edition = await take_own(work, tx, case_id, "case.submit", expected)
    today = tx.clock.today()
    check_case_type(edition, case.case_type)
    verb = "resubmit" if case.state == "returned" else "submit"
    lifecycle.next_step(edition, case.case_type, case.state, verb, tx.actor.role)
    round_id = await admit(tx, edition, case, today)
    brought = await file_store.list_brought(tx, case)
    check_documents(edition, case, {document.paper for document in brought})
    check_files(brought)
    applied_on = case.applied_on or today
    facts = await snapshot(work, tx, case)
    stored = stored_facts(facts)
    changes = {
        "applied_on": applied_on,
        "edition": edition.in_force_from,
        "edition_hash": edition.hash,
        "once_in_year": applied_on.year if lifecycle.once_a_year(edition) else None,
        "round_id": round_id,
        "facts": stored,
        "enterprise_name": facts.enterprise.name,
        "defects": (),
    }
    changed = case.model_copy(update=changes)
    if case.state == "draft":
        weighed = weigh_unjudged(work, edition, changed, facts)
    else:
        weighed = await weigh(work, tx, edition, changed)
    case = await move(tx, edition, case, verb, **changes, **weighed.changes)
    tx.publish(work.events.CaseSubmitted(**about(case), applied_on=applied_on, edition_hash=edition.hash))
    await keep_by_application(work, tx, case)
    await plan_inspections(work, tx, edition, case)
    return case


def check_documents(edition: Edition, case: Case, given: Collection[str]) -> None:
    """Raises MissingDocuments, which names each one."""
    missing = [p for p in edition.papers_for(case.case_type) if p.required and p.id not in given]
    if missing:
        raise MissingDocuments(
            rule="documents", source=lifecycle.cited(missing[0].source),
            missing="; ".join(f"{p.id} ({p.title.zh} / {p.title.en})" for p in missing),
            documents=[paper.id for paper in missing],
        )  # fmt: skip


def check_files(brought: Sequence[Brought]) -> None:
    """Raises DocumentsNotUploaded, which names each one and why."""
    problems = {document.paper: _problem_with(document) for document in brought}
    named = [f"{paper} ({problem})" for paper, problem in problems.items() if problem]
    if named:
        raise DocumentsNotUploaded(
            rule="documents", problems="; ".join(named),
            documents=[paper for paper, problem in problems.items() if problem],
        )  # fmt: skip


def _problem_with(document: Brought) -> str | None:
    bytes_, type_ = document.file_bytes, document.file_type
    if document.file_id is None:
        return "未上传 / not uploaded"
    if document.bytes != bytes_:
        return f"声明{document.bytes}字节，实为{bytes_}字节 / declared {document.bytes} bytes, is {bytes_}"
    if document.media_type != type_:
        return f"声明{document.media_type}，实为{type_} / declared {document.media_type}, is {type_}"
    return None


async def snapshot(work: Casework, tx: Transaction, case: Case) -> Facts:
    """The applicant's facts with what the service knows itself, which prevails."""
    known = await work.facts_of(tx, case.enterprise_id)
    enterprise = {
        **case.facts.get("enterprise", {}),
        **known.get("enterprise", {}),
        "uscc": case.enterprise_id,
    }
    facts = facts_from({**case.facts, **known, "enterprise": enterprise})
    check_founding(facts, facts.enterprise.established_on)
    return facts


async def withdraw_case(
    work: Casework, tx: Transaction, case_id: UUID, *, expected: int | None = None
) -> Case:
    """The applicant takes the case back; an open notice ends, and objections to it."""
    case, edition = await take_own(work, tx, case_id, "case.withdraw", expected)
    was_draft = case.edition_hash is None
    case = await move(tx, edition, case, "withdraw")
    await store.close_notices(tx, [case_id], "withdrawn", tx.clock.now())
    await objection_store.lapse_objections(tx, case_id)
    await inspection_store.lapse_inspections(tx, [case_id])
    await cancel_work(tx, NOTICE_CLOSE, str(case_id), "withdrawn")
    if not was_draft:
        tx.publish(work.events.CaseWithdrawn(**about(case)))
    return case
