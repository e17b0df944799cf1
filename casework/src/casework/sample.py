"""The draw of the titles that are inspected at random, which anybody can repeat from the published file alone.

`huiqi-sample-1`: a batch (the cases of its titles, the share) is frozen and published with its SHA-256 and that of a
secret seed of 32 bytes. The cases are ranked as a panel's experts are (`casework.panel`), by these five lines:
huiqi-sample-1, draw id, inspection, case id, beacon (or nothing). Drawn are the first of them, as many as the share of
the batch, rounded up.
"""

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from casework.panel import Hash, by_lot, canonical_hash, seed_hash
from casework.sourced import Frozen, Key

ALGORITHM = "huiqi-sample-1"


class Batch(Frozen):
    """What is frozen when the draw is committed to. Its hash does not depend on the order of the cases.

    The batch is that of a round, or of the year of the grant where the applications went into no round.
    """

    algorithm: Literal["huiqi-sample-1"] = "huiqi-sample-1"
    draw_id: UUID
    programme: str
    level: str | None
    edition: date
    edition_hash: str
    inspection: Key
    source: str
    share: Annotated[Decimal, Field(gt=0, le=1)]
    round_id: UUID | None = None
    year: int | None = None
    cases: Annotated[tuple[UUID, ...], Field(min_length=1)]
    beacon_named: str | None = None

    @model_validator(mode="after")
    def _nobody_twice(self) -> "Batch":
        if len(set(self.cases)) != len(self.cases):
            raise ValueError("no case may be in a batch twice")
        return self

    def hash(self) -> str:
        """SHA-256 of the canonical JSON, the cases by id."""
        content = self.model_dump(mode="json")
        content["cases"].sort()
        return canonical_hash(content)


class Sample(Frozen):
    """A draw as anybody may read it. `seed` (hex) and `drawn`, in their order, are there once it is revealed."""

    pool: Batch
    pool_hash: Hash
    seed_hash: Hash
    seed: Hash | None = None
    beacon: str | None = None
    drawn: tuple[UUID, ...] = ()


def sample_size(share: Decimal, batch: int) -> int:
    """How many of a batch are drawn: the share, rounded up."""
    return math.ceil(Fraction(share) * batch)


def drawn_of(batch: Batch, seed: bytes, beacon: str | None) -> tuple[UUID, ...]:
    """The cases that the seed draws, the first of their ranking."""
    ranking = by_lot(
        seed, batch.cases, algorithm=ALGORITHM, draw_id=batch.draw_id, of=batch.inspection, beacon=beacon
    )
    return tuple(ranking[: sample_size(batch.share, len(ranking))])


def sealed(batch: Batch, seed: bytes) -> Sample:
    return Sample(pool=batch, pool_hash=batch.hash(), seed_hash=seed_hash(seed))


def opened(sample: Sample, seed: bytes, beacon: str | None) -> Sample:
    """The committed draw with its seed, and the cases that follow."""
    told = {"seed": seed.hex(), "beacon": beacon, "drawn": drawn_of(sample.pool, seed, beacon)}
    return sample.model_copy(update=told)
