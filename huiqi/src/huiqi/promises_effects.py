"""I2 and the effects' part of I3: rows that events caused, in every table that has a column `caused_by`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from huiqi.installation import Installation
from huiqi.promises import Promise
from huiqi.promises_events import Said

_TABLES = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relname AS plain
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'caused_by' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 2
"""
# The columns of each unique index that guards caused_by: alone or with others that say whom or what it is about.
# A column that is unique by itself, like a surrogate id, would make the guard worthless.
_GUARDS = """
SELECT array_agg(a.attname::text ORDER BY k.n) AS columns
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, n)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indisready AND k.n <= i.indnkeyatts
  AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(caused_by IS NOT NULL)')
GROUP BY i.indexrelid
HAVING 'caused_by' = ANY(array_agg(a.attname::text)) AND bool_and(a.attname IS NOT NULL)
   AND NOT EXISTS (
       SELECT FROM pg_index u
       WHERE u.indrelid = $1 AND u.indisunique AND u.indisvalid AND u.indpred IS NULL AND u.indnkeyatts = 1
         AND u.indkey[0] IN (SELECT attnum FROM pg_attribute WHERE attrelid = $1 AND attname <> 'caused_by')
         AND u.indkey[0] = ANY(array_agg(k.attnum))
   )
"""


@dataclass(frozen=True, slots=True)
class Table:
    oid: int
    name: str
    plain: str


async def effect_tables(connection: asyncpg.Connection) -> list[Table]:
    return [Table(**dict(row)) for row in await connection.fetch(_TABLES)]


async def check_once(i2: Promise, service: str, connection: asyncpg.Connection) -> None:
    """Every table of effects has its guard, and no two rows that it would not let in."""
    for table in await effect_tables(connection):
        if table.plain == "events":
            continue
        guards = [row["columns"] for row in await connection.fetch(_GUARDS, table.oid)]
        if not guards:
            i2.breaks("no UNIQUE constraint holds caused_by", service=service, table=table.plain)
        i2.checked += await connection.fetchval(f"SELECT count(caused_by) FROM {table.name}")  # noqa: S608
        for columns in guards or [["caused_by"]]:
            await _check_rows(i2, service, connection, table, columns)


async def _check_rows(
    i2: Promise, service: str, connection: asyncpg.Connection, table: Table, columns: list[str]
) -> None:
    listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    # An index that lost a row would answer wrongly: the rows themselves are asked.
    await connection.execute("SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_indexscan = off")
    sql = (
        f"SELECT caused_by, count(*) AS rows FROM {table.name} WHERE caused_by IS NOT NULL"  # noqa: S608
        f" GROUP BY {listed} HAVING count(*) > 1 ORDER BY caused_by"
    )
    for row in await connection.fetch(sql):
        where = {"service": service, "table": table.plain, "caused_by": row["caused_by"]}
        i2.breaks(f"{row['rows']} rows of one cause", times=row["rows"] - 1, **where)
    await connection.execute("SET LOCAL enable_indexonlyscan = on; SET LOCAL enable_indexscan = on")


async def check_caused(
    i3: Promise, installation: Installation, service: str, connection: asyncpg.Connection, said: Said
) -> None:
    """Every cause that a row names is an event of the topic's owner."""
    for table in await effect_tables(connection):
        sql = f"SELECT caused_by FROM {table.name} WHERE caused_by IS NOT NULL"  # noqa: S608
        async for row in connection.cursor(sql, prefetch=2_000):
            i3.checked += 1
            if not _was_said(installation, row["caused_by"], said):
                where: Mapping[str, Any] = {"service": service, "table": table.plain}
                i3.breaks("an effect of an event that nobody said", **where, caused_by=row["caused_by"])


def _was_said(installation: Installation, cause: str, said: Said) -> bool:
    topic, _, rest = cause.partition("/")
    key, _, number = rest.rpartition("/")
    row = installation.topic(topic)
    if row is None or not number.isdecimal():
        return False
    numbers = said[row.owner].get((topic, key))
    return numbers is not None and numbers.holds(int(number))
