"""I7: the hash chain, and one decision row for each event that tells of a decision."""

import asyncpg

from huiqi.audit import Chain, verify_chain
from huiqi.promises import Promise

# Which steps of a case are told, and by which event. A draft that is withdrawn was never told of.
_TOLD = {
    "submit": "case-submitted", "resubmit": "case-submitted", "return": "case-returned", "judge": "case-judged",
    "propose": "case-proposed", "open_notice": "notice-opened", "refuse": "case-refused",
    "withdraw": "case-withdrawn", "grant": "title-granted",
}  # fmt: skip
_DECISIONS = """
WITH decided AS (
    SELECT d.case_id::text AS case_id, t.fact, count(*) AS rows
    FROM decisions d JOIN unnest($1::text[], $2::text[]) AS t(verb, fact) ON t.verb = d.verb
    WHERE NOT (d.verb = 'withdraw' AND d.from_state = 'draft') GROUP BY 1, 2
), told AS (
    SELECT payload->>'case_id' AS case_id, split_part(type, '.', 4) AS fact, count(*) AS rows
    FROM events WHERE split_part(type, '.', 4) = ANY($2) AND payload->>'case_id' IS NOT NULL GROUP BY 1, 2
)
SELECT case_id, fact, coalesce(d.rows, 0) AS decided, coalesce(t.rows, 0) AS told
FROM decided d FULL JOIN told t USING (case_id, fact)
"""


async def check_chain(i7: Promise, service: str, connection: asyncpg.Connection) -> Chain:
    chain = await verify_chain(connection, service)
    i7.checked += chain.events
    for text in chain.breaks:
        i7.breaks(text, service=service)
    i7.broken += chain.broken - len(chain.breaks)
    if chain.head:
        i7.notes.append(f"{service}: head {chain.head.hex()}, {chain.links} links")
    return chain


async def check_decisions(i7: Promise, service: str, connection: asyncpg.Connection) -> None:
    """As many decision rows as events of each kind, case by case; a service without cases has nothing to show."""
    if not await connection.fetchval("SELECT to_regclass('decisions') IS NOT NULL"):
        return
    for row in await connection.fetch(_DECISIONS, list(_TOLD), list(_TOLD.values())):
        i7.checked += row["told"]
        if row["told"] != row["decided"]:
            why = f"{row['told']} events {row['fact']}, {row['decided']} decision rows"
            times = abs(row["told"] - row["decided"])
            i7.breaks(why, times=times, service=service, case_id=row["case_id"])
