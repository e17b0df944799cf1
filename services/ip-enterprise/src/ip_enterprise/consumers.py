"""What ip-enterprise hears: which enterprises the bureau knows, and who acts for each."""

from casework.member import Member
from chassis.database import Transaction
from chassis.inbox import Consumers
from contracts.certification import (
    EnterpriseChanged,
    EnterpriseFact,
    EnterpriseRegistered,
    MemberEnded,
    MemberJoined,
)
from ip_enterprise import use_cases
from ip_enterprise.domain import Enterprise

consumers = Consumers("ip-enterprise")


@consumers.on(EnterpriseRegistered)
async def note_registration(event: EnterpriseRegistered, tx: Transaction) -> None:
    await use_cases.note_enterprise(tx, _enterprise(event))


@consumers.on(EnterpriseChanged)
async def note_change(event: EnterpriseChanged, tx: Transaction) -> None:
    await use_cases.note_enterprise(tx, _enterprise(event))


@consumers.on(MemberJoined)
async def note_joining(event: MemberJoined, tx: Transaction) -> None:
    await use_cases.note_member(tx, Member.model_validate(event.model_dump()))


@consumers.on(MemberEnded)
async def note_end(event: MemberEnded, tx: Transaction) -> None:
    await use_cases.note_member(tx, Member.model_validate(event.model_dump()))


def _enterprise(event: EnterpriseFact) -> Enterprise:
    return Enterprise.model_validate(event.model_dump(include=set(Enterprise.model_fields)))
