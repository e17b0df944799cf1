"""Numbered SQL files, applied once each, in order, under one lock.

A file is `<nnnn>_<pre|post>_<what>.sql`: `pre` before the new code is rolled out, `post` when no old code is left.
Sources (chassis, casework, the service) are applied in the order given. A file that changed after it was applied,
or one that went missing, stops the run.
"""

import hashlib
import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg

_NAME = re.compile(r"\d{4}_(pre|post)_[a-z0-9_]+\.sql")
_LOCK = 0x6875697169
_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    source text NOT NULL, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, name)
)
"""


class MigrationError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Migration:
    source: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_post(self) -> bool:
        return "_post_" in self.name


def chassis_sql() -> Path:
    return Path(__file__).parent / "sql"


def sql_of(package: str) -> Path:
    """The migrations of a service: inside its package when installed, beside `src` in a checkout."""
    home = Path(str(importlib.resources.files(package)))
    inside = home / "migrations"
    return inside if inside.is_dir() else home.parents[1] / "migrations"


def found(sources: Sequence[Path]) -> list[Migration]:
    migrations = []
    for source in sources:
        for path in sorted(source.glob("*.sql")):
            if not _NAME.fullmatch(path.name):
                raise MigrationError(f"{path}: not named <nnnn>_<pre|post>_<what>.sql")
            migrations.append(Migration(_source_name(source), path.name, path.read_text(encoding="utf-8")))
    return migrations


def _source_name(source: Path) -> str:
    """`…/chassis/sql` → chassis; `…/ip-enterprise/migrations` in a checkout, `…/ip_enterprise/migrations` installed."""
    return source.parent.name.replace("-", "_")


async def migrate(url: str, sources: Sequence[Path], phase: Literal["pre", "all"] = "all") -> list[str]:
    """Applies what is missing and returns the names. `pre` leaves `post` files for a later run.

    Raises MigrationError for an applied file that changed or is gone, OSError or asyncpg errors for the database.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        applied = {
            (r["source"], r["name"]): r["checksum"]
            for r in await connection.fetch("SELECT * FROM migrations")
        }
        todo = _missing(found(sources), applied)
        return [await _apply(connection, m) for m in todo if phase == "all" or not m.is_post]
    finally:
        await connection.close()


def _missing(migrations: list[Migration], applied: dict[tuple[str, str], str]) -> list[Migration]:
    known = {(m.source, m.name): m for m in migrations}
    for key, checksum in applied.items():
        migration = known.get(key)
        if migration is None:
            if key[0] in {m.source for m in migrations}:
                raise MigrationError(f"{key[0]}/{key[1]} was applied but is gone")
        elif migration.checksum != checksum:
            raise MigrationError(f"{key[0]}/{key[1]} changed after it was applied")
    return [m for m in migrations if (m.source, m.name) not in applied]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> str:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migrations (source, name, checksum) VALUES ($1, $2, $3)",
            migration.source, migration.name, migration.checksum,
        )  # fmt: skip
    return f"{migration.source}/{migration.name}"
