"""What finance-link hears."""

from chassis.database import Transaction
from chassis.inbox import Consumers
from contracts import certification, ip_enterprise
from contracts.casework import TitleGrantedShape
from contracts.certification import EnterpriseChanged, EnterpriseFact, EnterpriseRegistered
from finance_link.domain.scope import Enterprise, Title
from finance_link.use_cases import knowing

consumers = Consumers("finance-link")


@consumers.on(EnterpriseRegistered)
async def note_registration(event: EnterpriseRegistered, tx: Transaction) -> None:
    await knowing.note_enterprise(tx, _enterprise(event))


@consumers.on(EnterpriseChanged)
async def note_change(event: EnterpriseChanged, tx: Transaction) -> None:
    await knowing.note_enterprise(tx, _enterprise(event))


@consumers.on(certification.TitleGranted)
async def refer_recognition(event: certification.TitleGranted, tx: Transaction) -> None:
    await knowing.refer_title(tx, _title(event))


@consumers.on(ip_enterprise.TitleGranted)
async def refer_ip_title(event: ip_enterprise.TitleGranted, tx: Transaction) -> None:
    await knowing.refer_title(tx, _title(event))


@consumers.on(certification.TitleRevoked)
async def end_recognition(event: certification.TitleRevoked, tx: Transaction) -> None:
    await knowing.end_title(tx, event.title_id, event.revoked_on)


@consumers.on(ip_enterprise.TitleRevoked)
async def end_ip_title(event: ip_enterprise.TitleRevoked, tx: Transaction) -> None:
    await knowing.end_title(tx, event.title_id, event.revoked_on)


def _enterprise(event: EnterpriseFact) -> Enterprise:
    return Enterprise.model_validate(event.model_dump())


def _title(event: TitleGrantedShape) -> Title:
    return Title.model_validate(event.model_dump(exclude={"case_id"}))
