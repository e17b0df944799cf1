"""What certification hears: the register of IP assets, for the facts that HNTE applications are judged by."""

from certification import use_cases
from certification.domain import Asset
from chassis.database import Transaction
from chassis.inbox import Consumers
from contracts.ip_enterprise import AssetExpired, AssetRecorded

consumers = Consumers("certification")


@consumers.on(AssetRecorded)
async def note_asset(event: AssetRecorded, tx: Transaction) -> None:
    await use_cases.note_asset(tx, Asset.model_validate(event.model_dump()))


@consumers.on(AssetExpired)
async def expire_asset(event: AssetExpired, tx: Transaction) -> None:
    await use_cases.expire_asset(tx, event.enterprise_id, event.asset_id, event.expired_on)
