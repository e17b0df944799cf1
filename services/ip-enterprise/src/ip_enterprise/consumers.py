"""What ip-enterprise hears: which enterprises the bureau knows."""

from chassis.database import Transaction
from chassis.inbox import Consumers
from contracts.certification import EnterpriseChanged, EnterpriseFact, EnterpriseRegistered
from ip_enterprise import use_cases
from ip_enterprise.domain import Enterprise

consumers = Consumers("ip-enterprise")


@consumers.on(EnterpriseRegistered)
async def note_registration(event: EnterpriseRegistered, tx: Transaction) -> None:
    await use_cases.note_enterprise(tx, _enterprise(event))


@consumers.on(EnterpriseChanged)
async def note_change(event: EnterpriseChanged, tx: Transaction) -> None:
    await use_cases.note_enterprise(tx, _enterprise(event))


def _enterprise(event: EnterpriseFact) -> Enterprise:
    return Enterprise.model_validate(event.model_dump(include=set(Enterprise.model_fields)))
