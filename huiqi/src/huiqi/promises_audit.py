"""I7: the hash chain, one row for each event that tells of a decision or a duty, draws as they were announced."""

import asyncpg

from huiqi.audit import Chain, verify_chain
from huiqi.promises import Promise

# Which steps of a case are told, and by which event. A draft that is withdrawn was never told of.
_TOLD = {
    "submit": "case-submitted", "resubmit": "case-submitted", "return": "case-returned", "judge": "case-judged",
    "propose": "case-proposed", "open_notice": "notice-opened", "refuse": "case-refused",
    "withdraw": "case-withdrawn", "grant": "title-granted", "draw_panel": "panel-drawn", "recuse": "expert-recused",
    "end_panel": "panel-ended",
    "object": "objection-lodged", "dismiss_objection": "objection-decided", "uphold_objection": "objection-decided",
    "inspect": "inspection-held",
}  # fmt: skip
# What is told of titles and what they owe, and of inspections, each with its row.
_WITH_ROWS = (
    "revocation-proposed", "title-revoked", "title-expired", "change-reported", "change-decided", "duty-due",
    "duty-done", "duty-missed", "inspection-due", "inspection-overdue",
)  # fmt: skip
_DECISIONS = """
WITH decided AS (
    SELECT d.case_id::text AS case_id, t.fact, count(*) AS rows
    FROM decisions d JOIN unnest($1::text[], $2::text[]) AS t(verb, fact) ON t.verb = d.verb
    WHERE NOT (d.verb = 'withdraw' AND d.from_state = 'draft') GROUP BY 1, 2
    UNION ALL
    SELECT t.case_id::text, r.fact, count(*) FROM titles t JOIN (
        SELECT title_id, 'revocation-proposed' AS fact FROM revocations
        UNION ALL SELECT title_id, 'title-revoked' FROM revocations WHERE state = 'revoked'
        UNION ALL SELECT title_id, 'title-expired' FROM titles WHERE expired_at IS NOT NULL
        UNION ALL SELECT title_id, 'change-reported' FROM changes
        UNION ALL SELECT title_id, 'change-decided' FROM changes WHERE result IS NOT NULL
        UNION ALL SELECT title_id, 'duty-due' FROM duties WHERE reminded_on IS NOT NULL
        UNION ALL SELECT title_id, 'duty-due' FROM duties WHERE grace_until IS NOT NULL
        UNION ALL SELECT title_id, 'duty-done' FROM duties WHERE done_on IS NOT NULL
        UNION ALL SELECT title_id, 'duty-missed' FROM duties WHERE missed_on IS NOT NULL
    ) AS r USING (title_id) GROUP BY 1, 2
    UNION ALL SELECT case_id::text, 'inspection-due', count(*) FROM inspections GROUP BY 1
    UNION ALL SELECT case_id::text, 'inspection-overdue', count(*) FROM inspections WHERE overdue_on IS NOT NULL GROUP BY 1
), told AS (
    SELECT payload->>'case_id' AS case_id, split_part(type, '.', 4) AS fact, count(*) AS rows
    FROM events WHERE split_part(type, '.', 4) = ANY($2::text[] || $3::text[]) AND payload->>'case_id' IS NOT NULL GROUP BY 1, 2
)
SELECT case_id, fact, coalesce(d.rows, 0) AS decided, coalesce(t.rows, 0) AS told
FROM decided d FULL JOIN told t USING (case_id, fact)
"""


# What the chained events say of each draw, and what its row says now.
_DRAWS = """
WITH drawn AS (
    SELECT draw_id, pool_hash, seed_hash, seed, revealed_at FROM draws
    UNION ALL SELECT draw_id, pool_hash, seed_hash, seed, revealed_at FROM inspection_draws
), told AS (
    SELECT payload->>'draw_id' AS draw_id, split_part(type, '.', 4) AS fact, count(*) AS times,
        min(payload->>'pool_hash') AS pool_hash, min(payload->>'seed_hash') AS seed_hash, min(payload->>'seed') AS seed
    FROM events WHERE split_part(type, '.', 4) IN ('draw-committed', 'draw-revealed') GROUP BY 1, 2
)
SELECT coalesce(d.draw_id::text, c.draw_id) AS draw_id,
    d.draw_id IS NOT NULL AND c.times = 1 AND c.pool_hash = d.pool_hash AND c.seed_hash = d.seed_hash AS as_committed,
    (d.revealed_at IS NULL AND r.times IS NULL)
        OR (d.revealed_at IS NOT NULL AND r.times = 1 AND r.seed = encode(d.seed, 'hex')) AS as_revealed
FROM drawn d FULL JOIN (SELECT * FROM told WHERE fact = 'draw-committed') c ON c.draw_id = d.draw_id::text
LEFT JOIN told r ON r.fact = 'draw-revealed' AND r.draw_id = coalesce(d.draw_id::text, c.draw_id)
ORDER BY 1
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
    """As many rows as events of each kind, case by case; a service without cases has nothing to show."""
    if not await connection.fetchval("SELECT to_regclass('decisions') IS NOT NULL"):
        return
    for row in await connection.fetch(_DECISIONS, list(_TOLD), list(_TOLD.values()), _WITH_ROWS):
        i7.checked += row["told"]
        if row["told"] != row["decided"]:
            why = f"{row['told']} events {row['fact']}, {row['decided']} decision rows"
            times = abs(row["told"] - row["decided"])
            i7.breaks(why, times=times, service=service, case_id=row["case_id"])


async def check_draws(i7: Promise, service: str, connection: asyncpg.Connection) -> None:
    """Each draw has the hashes of its announcement and the seed that was revealed, and was announced once."""
    if not await connection.fetchval("SELECT to_regclass('draws') IS NOT NULL"):
        return
    for row in await connection.fetch(_DRAWS):
        i7.checked += 1
        if not row["as_committed"]:
            i7.breaks("a draw is not as it was announced", service=service, draw_id=row["draw_id"])
        elif not row["as_revealed"]:
            i7.breaks("a draw's seed is not the one revealed", service=service, draw_id=row["draw_id"])
