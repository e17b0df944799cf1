"""What notifier hears: whom it has to know, and everything that the table tells somebody of."""

from chassis.database import Transaction
from chassis.inbox import Consumers
from contracts.certification import EnterpriseChanged, EnterpriseFact, EnterpriseRegistered
from contracts.envelope import Event
from contracts.registry import event_types
from notifier.domain.notifications import Enterprise, Notices
from notifier.use_cases import keep_enterprise, tell


def listening(notices: Notices) -> Consumers:
    """One handler for each event that somebody is told of, and for those that say who an enterprise is."""
    consumers = Consumers("notifier")

    async def know_enterprise(event: EnterpriseFact, tx: Transaction) -> None:
        enterprise = Enterprise(event.enterprise_id, event.name, event.language, event.contact_email)
        await keep_enterprise(notices, enterprise, tx)
        if notices.table[event.type].notices:
            await tell(notices, event, tx)

    async def tell_of_it(event: Event, tx: Transaction) -> None:
        await tell(notices, event, tx)

    for known_by in (EnterpriseRegistered, EnterpriseChanged):
        consumers.on(known_by)(know_enterprise)
    types = event_types()
    for row in notices.table.values():
        if row.notices and row.type not in consumers.types:
            consumers.on(types[row.type])(tell_of_it)
    return consumers
