"""Who may act for an enterprise: the one door to what is an enterprise's own, for tokens and for members alike."""

from dataclasses import replace
from datetime import date
from typing import ClassVar, Protocol

from casework import member_store, store
from casework.edition import Edition
from casework.lifecycle import cited
from casework.member import MemberKind
from casework.policy import CASEWORK, Reach
from chassis.auth import authorize
from chassis.clock import Clock
from chassis.errors import Invalid, Refused
from chassis.identity import Actor


class ViewersOnlyLook(Refused):
    """You are a viewer of this enterprise: you look, and do not do this: {action}."""

    status: ClassVar[int] = 403


class OwnersOnly(Refused):
    """You are an agent of this enterprise; this is for its owners: {action}."""

    status: ClassVar[int] = 403


class NoAgents(Refused):
    """You are an agent of this enterprise, and no agent acts in an application for {programme}: {title}."""

    status: ClassVar[int] = 403


class Desk(store.Reader, Protocol):
    """A database or a transaction, which both know what day it is."""

    clock: Clock


async def permit(
    reader: Desk, actor: Actor, action: str, enterprise_id: str | None, reach: Reach = CASEWORK
) -> MemberKind | None:
    """Ends quietly when the actor may do the action to what is this enterprise's. The rows of members are asked for a
    person of another enterprise or of none alone; whoever is no member there is answered as a stranger.

    Returns as what member the actor acts, None for everybody else. Raises what `authorize` raises, ViewersOnlyLook,
    OwnersOnly.
    """
    kind = await _kind(reader, actor, enterprise_id)
    acting = actor if kind is None else replace(actor, enterprise_id=enterprise_id)
    authorize(reach.policy, acting, action, enterprise_id=enterprise_id)
    if kind is not None and not reach.allows(kind, action):
        raise (ViewersOnlyLook if kind == "viewer" else OwnersOnly)(rule="members", action=action)
    return kind


async def _kind(reader: Desk, actor: Actor, enterprise_id: str | None) -> MemberKind | None:
    if actor.role != "enterprise" or enterprise_id is None or enterprise_id == actor.enterprise_id:
        return None
    return await member_store.find_kind(reader, enterprise_id, str(actor), reader.clock.today())


def enterprise_meant(actor: Actor, named: str | None, field: str) -> str | None:
    """The enterprise that a request names, else the actor's own; None where the bureau names none.

    Raises Invalid for a person of no enterprise who names none: `field` is needed then.
    """
    if actor.role != "enterprise":
        return named
    meant = named or actor.enterprise_id
    if meant is None:
        raise Invalid(field=field, rule_broken="this is needed")
    return meant


def check_agents(edition: Edition, kind: MemberKind | None, today: date) -> None:
    """Raises NoAgents for an agent where the edition lets none act in an application on that day."""
    rule = edition.no_agents_on(today) if kind == "agent" else None
    if rule is not None:
        raise NoAgents(
            rule="agents", source=cited(rule.source), programme=edition.programme,
            title=f"{rule.title.zh} / {rule.title.en}",
        )  # fmt: skip
