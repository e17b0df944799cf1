"""I7 of draws: a draw stays as it was announced in the chained events, pool, seed and all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest

from casework.draw_file import committed
from casework.panel import Kind, Pool, PoolCase, PoolExpert, Rules
from casework.store import casework_sql
from chassis.database import Database
from chassis.testing import Databases
from contracts import certification
from huiqi.ledger_reading import connect
from huiqi.promises import Promise
from huiqi.promises_audit import check_draws

SEED = bytes(range(32))
DRAW = UUID(int=7)
_ROW = (
    "INSERT INTO draws (draw_id, programme, edition, edition_hash, pool, pool_hash, seed, seed_hash, committed_by,"
    " committed_at) VALUES ($1, 'hnte', $2, $3, $4, $5, $6, $7, 'officer:li', now())"
)
_REVEAL = "UPDATE draws SET revealed_at = now(), revealed_by = 'officer:li'"


@dataclass
class Announced:
    db: Database
    url: str

    async def write(self, statement: str) -> None:
        """As somebody would who can do anything in the database."""
        async with self.db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            await tx.execute(statement)

    async def say(self, event: certification.DrawCommitted | certification.DrawRevealed) -> None:
        async with self.db.transaction() as tx:
            tx.publish(event)

    async def checked(self) -> tuple[int, list[str]]:
        found = Promise("I7")
        connection = await connect(self.url, "certification")
        await check_draws(found, "certification", connection)
        await connection.close()
        return found.checked, [str(finding["why"]) for finding in found.findings]


def _pool() -> Pool:
    least: dict[Kind, int] = {"technical": 1}
    return Pool(
        draw_id=DRAW, programme="hnte", edition=date(2016, 1, 1), edition_hash="e" * 64,
        rules=Rules(size=1, least=least, head=None, pool_multiple=1, source="law"),
        experts=(PoolExpert(expert_id=UUID(int=1), kind="technical"),), cases=(PoolCase(case_id=UUID(int=2)),),
    )  # fmt: skip


def _revealed(seed: bytes = SEED) -> certification.DrawRevealed:
    return certification.DrawRevealed(
        draw_id=DRAW, programme="hnte", edition=date(2016, 1, 1), seed=seed.hex(), beacon=None
    )


@pytest.fixture
async def announced(make_database: Databases) -> AsyncIterator[Announced]:
    url = await make_database.url([casework_sql()])
    db = await Database.open(url, service="certification", clock=make_database._clock, pool_size=2)
    pool, sealed = _pool(), committed(_pool(), SEED)
    async with db.transaction() as tx:
        await tx.execute(
            _ROW, DRAW, pool.edition, pool.edition_hash, pool.model_dump(mode="json"), sealed.pool_hash, SEED,
            sealed.seed_hash,
        )  # fmt: skip
        tx.publish(
            certification.DrawCommitted(
                draw_id=DRAW, programme="hnte", edition=pool.edition, edition_hash=pool.edition_hash,
                pool_hash=sealed.pool_hash, seed_hash=sealed.seed_hash, cases=[UUID(int=2)],
            )
        )  # fmt: skip
    yield Announced(db, url)
    await db.close()


async def test_an_honest_draw_is_clean_from_commitment_to_reveal(announced: Announced) -> None:
    assert await announced.checked() == (1, [])
    await announced.write(_REVEAL)
    await announced.say(_revealed())
    assert await announced.checked() == (1, [])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE draws SET pool_hash = repeat('0', 64)",
        "UPDATE draws SET seed = decode(repeat('00', 32), 'hex'), seed_hash = encode(sha256(decode(repeat('00', 32), 'hex')), 'hex')",
        "DELETE FROM draws",
    ],
)
async def test_a_draw_changed_or_taken_away_after_its_announcement_is_reported(
    announced: Announced, change: str
) -> None:
    await announced.write(change)
    assert await announced.checked() == (1, ["a draw is not as it was announced"])


async def test_a_draw_that_was_never_announced_is_reported(announced: Announced) -> None:
    await announced.write(
        "INSERT INTO draws (draw_id, programme, edition, edition_hash, pool, pool_hash, seed, seed_hash, committed_by,"
        " committed_at) SELECT gen_random_uuid(), programme, edition, edition_hash, pool, pool_hash, seed, seed_hash,"
        " committed_by, committed_at FROM draws"
    )
    assert await announced.checked() == (2, ["a draw is not as it was announced"])


async def test_a_reveal_without_its_event_or_with_another_seed_is_reported(announced: Announced) -> None:
    await announced.write(_REVEAL)
    assert await announced.checked() == (1, ["a draw's seed is not the one revealed"])
    await announced.say(_revealed(b"x" * 32))
    assert await announced.checked() == (1, ["a draw's seed is not the one revealed"])


async def test_a_draw_of_titles_is_held_against_its_announcement_too(announced: Announced) -> None:
    row = (
        "INSERT INTO inspection_draws (draw_id, pool, pool_hash, seed, seed_hash, committed_by, committed_at)"
        " SELECT '00000000-0000-0000-0000-000000000008', pool, pool_hash, seed, seed_hash, committed_by, committed_at"
        " FROM draws"
    )
    await announced.write(row)
    assert await announced.checked() == (2, ["a draw is not as it was announced"])
    [told] = await announced.db.fetch("SELECT pool_hash, seed_hash FROM inspection_draws")
    await announced.say(
        certification.DrawCommitted(
            draw_id=UUID(int=8), programme="sme", edition=date(2017, 5, 3), edition_hash="e" * 64,
            pool_hash=told["pool_hash"], seed_hash=told["seed_hash"], cases=[UUID(int=2)],
        )
    )  # fmt: skip
    assert await announced.checked() == (2, [])
