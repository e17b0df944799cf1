"""What has to hold besides where nothing failed: each event is sent once, because one relay at a time sends."""

from chassis.testing import fetch_rows
from huiqi.installation import Installation
from huiqi.ledger_log import open_log
from rig.standing import Standing


async def records_too_many(standing: Standing) -> int:
    """How many records the topics hold beyond the events that were said."""
    installation = standing.installation()
    async with open_log(installation) as log:
        await log.find_ends()
        records = sum(end - log.starts[partition] for partition, end in log.ends.items())
    return records - await count_events(installation)


async def count_events(installation: Installation) -> int:
    """Events that the owners have said, all services together."""
    total = 0
    for url in installation.databases.values():
        [row] = await fetch_rows(url, "SELECT count(*) AS events FROM events")
        total += row["events"]
    return total
