"""I6 and I8: what banks were told rests on consents, and how notifications ended."""

import asyncpg

from huiqi.promises import Promise

# One row for each telling of a bank, with what is wrong with its ground. `at` is the sending's own time, from the
# event that tells the house of it in the same transaction.
_OFFERED = """
WITH told AS (
    SELECT key, payload->>'sent_at' AS sent_at, payload->>'consent_id' AS consent_id,
           row_number() OVER (PARTITION BY key ORDER BY sequence) AS nth
    FROM events WHERE topic = 'finance-link.referrals' AND split_part(type, '.', 4) = 'referral-sent'
), offered AS (
    SELECT e.topic, e.key, e.sequence, coalesce(t.sent_at::timestamptz, e.occurred_at) AS at,
           e.payload->>'bank_id' AS bank_id, e.payload->>'purpose' AS purpose,
           e.payload->>'consent_id' AS consent_id, r.enterprise_id, r.referral_id,
           ARRAY(SELECT json_object_keys(e.payload->'facts'))
               || CASE WHEN e.payload->>'amount' IS NOT NULL THEN ARRAY['need.amount'] END
               || CASE WHEN e.payload->>'term_months' IS NOT NULL THEN ARRAY['need.term_months'] END AS fields,
           e.topic <> 'finance-link.bank.' || (e.payload->>'bank_id') AS astray,
           t.consent_id IS DISTINCT FROM e.payload->>'consent_id' AS apart
    FROM (
        SELECT *, row_number() OVER (PARTITION BY key ORDER BY sequence) AS nth FROM events
        WHERE topic LIKE 'finance-link.bank.%' AND split_part(type, '.', 4) = 'referral-offered'
    ) e
    LEFT JOIN told t ON t.key = e.key AND t.nth = e.nth
    LEFT JOIN referrals r ON r.referral_id::text = e.payload->>'referral_id'
), sent AS (
    SELECT 'referrals' AS topic, referral_id::text AS key, NULL::bigint AS sequence, sent_at AS at, bank_id, purpose,
           consent_id::text AS consent_id, enterprise_id, referral_id, fields_sent AS fields, false AS astray,
           false AS apart
    FROM referrals WHERE sent_at IS NOT NULL
)
SELECT s.topic, s.key, s.sequence, s.consent_id,
       CASE WHEN s.astray THEN 'it stands in the topic of another bank'
            WHEN s.apart THEN 'the house was told of no sending under this consent'
            WHEN s.referral_id IS NULL THEN 'no referral is known for it'
            WHEN c.consent_id IS NULL THEN 'it names no consent that exists'
            WHEN (c.bank_id, c.enterprise_id) <> (s.bank_id, s.enterprise_id) THEN 'its consent is for others'
            WHEN c.purpose <> s.purpose THEN 'its consent is for another purpose'
            WHEN c.given_at > s.at THEN 'its consent was given later'
            WHEN c.ended_at < s.at THEN 'its consent had ended'
            WHEN (s.at AT TIME ZONE 'Asia/Shanghai')::date > c.expires_on THEN 'its consent had expired'
            WHEN NOT s.fields <@ c.fields THEN 'it tells fields that its consent does not name'
       END AS wrong
FROM (SELECT * FROM offered UNION ALL SELECT * FROM sent) s LEFT JOIN consents c ON c.consent_id::text = s.consent_id
"""
# Every sending is told twice: to the house and, in the same transaction, to the bank.
_PAIRS = """
SELECT key, count(*) FILTER (WHERE split_part(type, '.', 4) = 'referral-sent') AS sent,
       count(*) FILTER (WHERE split_part(type, '.', 4) = 'referral-offered') AS offered
FROM events WHERE split_part(type, '.', 4) IN ('referral-sent', 'referral-offered') GROUP BY key
"""
# I2's balances: what was paid out, recomputed from the events.
_DISBURSED = """
SELECT r.referral_id::text AS key, r.disbursed_amount AS stored, coalesce(e.amount, 0) AS told
FROM referrals r LEFT JOIN (
    SELECT key, sum((payload->>'amount')::numeric) AS amount FROM events
    WHERE topic = 'finance-link.referrals' AND split_part(type, '.', 4) = 'referral-disbursed' GROUP BY key
) e ON e.key = r.referral_id::text
WHERE r.disbursed_amount <> 0 OR e.amount IS NOT NULL
"""
_NOTIFICATIONS = """
SELECT count(*) AS rows, count(*) FILTER (WHERE state NOT IN ('delivered', 'undelivered')) AS open,
       count(*) FILTER (WHERE ambiguous > 0) AS doubtful, coalesce(sum(ambiguous), 0) AS attempts
FROM notifications
"""


async def _has(connection: asyncpg.Connection, *tables: str) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT bool_and(to_regclass(t) IS NOT NULL) FROM unnest($1::text[]) t", tables
        )
    )


async def check_consents(i6: Promise, service: str, connection: asyncpg.Connection) -> None:
    """Every telling of a bank names a consent that stood then, and tells nothing beyond its fields (PIPL Art. 23)."""
    if not await _has(connection, "referrals", "consents"):
        return
    async for row in connection.cursor(_OFFERED, prefetch=1_000):
        i6.checked += 1
        if row["wrong"]:
            where = {
                "service": service,
                "topic": row["topic"],
                "key": row["key"],
                "sequence": row["sequence"],
            }
            i6.breaks(row["wrong"], **where, consent_id=row["consent_id"])
    for row in await connection.fetch(_PAIRS):
        i6.checked += 1
        if row["sent"] != row["offered"]:
            why = f"{row['sent']} sendings are told to the house, {row['offered']} to the bank"
            i6.breaks(why, service=service, key=row["key"])


async def check_balances(i2: Promise, service: str, connection: asyncpg.Connection) -> None:
    if not await _has(connection, "referrals"):
        return
    for row in await connection.fetch(_DISBURSED):
        i2.checked += 1
        if row["stored"] != row["told"]:
            why = f"disbursed {row['stored']}, by its events {row['told']}"
            i2.breaks(why, service=service, table="referrals", key=row["key"])


async def check_notifications(i8: Promise, connection: asyncpg.Connection) -> None:
    """Counted and shown, never broken: mails that may have been sent twice, notifications that are not final yet."""
    if not await _has(connection, "notifications"):
        return
    row = await connection.fetchrow(_NOTIFICATIONS)
    if row is None:
        return
    i8.checked += row["rows"]
    if row["open"]:
        i8.notes.append(f"{row['open']} notifications have no final state yet")
    if row["doubtful"]:
        i8.notes.append(
            f"{row['doubtful']} notifications may have come twice, after {row['attempts']} ambiguous answers"
        )
