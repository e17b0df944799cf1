"""A draw as it is published, of a panel or of a sample, and its re-computation from that file alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from casework import sample
from casework.panel import CaseRanking, Hash, Pool, check_pool, drawn, seed_hash
from casework.sample import Sample
from casework.sourced import Frozen
from chassis.errors import Refused


class Recusal(Frozen):
    case_id: UUID
    expert_id: UUID


class Draw(Frozen):
    """A draw as anybody may read it. `seed` (hex) and `panels` are there once it is revealed."""

    pool: Pool
    pool_hash: Hash
    seed_hash: Hash
    seed: Hash | None = None
    beacon: str | None = None
    recusals: tuple[Recusal, ...] = ()
    panels: tuple[CaseRanking, ...] = ()


def committed(pool: Pool, seed: bytes) -> Draw:
    return Draw(pool=pool, pool_hash=pool.hash(), seed_hash=seed_hash(seed))


def revealed(draw: Draw, seed: bytes, beacon: str | None, recusals: Sequence[Recusal] = ()) -> Draw:
    """The committed draw with its seed, and the panels that follow."""
    told = {"seed": seed.hex(), "beacon": beacon, "recusals": tuple(recusals)}
    opened = draw.model_copy(update=told)
    return opened.model_copy(update={"panels": tuple(panels_of(opened))})


def panels_of(draw: Draw) -> Iterator[CaseRanking]:
    """The panels that follow from the seed and the recusals, by case."""
    seed = bytes.fromhex(draw.seed or "")
    for case in sorted(draw.pool.cases, key=lambda case: str(case.case_id)):
        recused = {r.expert_id for r in draw.recusals if r.case_id == case.case_id}
        yield drawn(draw.pool, case.case_id, seed, draw.beacon, recused)


class Differs(Exception):
    """The file is no draw that huiqi published; the message names the first difference."""


def verify(text: str | bytes, *, pool_hash: str | None = None, seed_hash: str | None = None) -> Draw | Sample:
    """The draw of the file, once everything in it follows from its pool and its seed.

    `pool_hash` and `seed_hash` are those that were published at the commitment; given, the file must have them. Raises
    Differs with the first difference.
    """
    try:
        content = json.loads(text, object_pairs_hook=_once_each)
        draw = _published(content)
    except (ValidationError, ValueError, RecursionError) as error:
        raise Differs(f"not a published draw: {_first(error)}") from error
    _same("", content, draw.model_dump(mode="json"))
    _same("pool_hash", draw.pool_hash, draw.pool.hash())
    _same("pool_hash", draw.pool_hash, pool_hash or draw.pool_hash)
    _same("seed_hash", draw.seed_hash, seed_hash or draw.seed_hash)
    _check_seed(draw)
    return draw


def _published(content: Any) -> Draw | Sample:
    pool = content.get("pool") if isinstance(content, dict) else None
    is_sample = isinstance(pool, dict) and pool.get("algorithm") == sample.ALGORITHM
    return (Sample if is_sample else Draw).model_validate(content)


def _check_seed(draw: Draw | Sample) -> None:
    follows = draw.drawn if isinstance(draw, Sample) else (*draw.panels, *draw.recusals)
    if draw.seed is None:
        if follows or draw.beacon is not None:
            raise Differs("a result, recusals or a beacon stand in a draw whose seed is not revealed")
        return
    seed = bytes.fromhex(draw.seed)
    _same("seed_hash", draw.seed_hash, seed_hash(seed))
    if isinstance(draw, Draw):
        _check_panels(draw)
        return
    computed = [str(case_id) for case_id in sample.drawn_of(draw.pool, seed, draw.beacon)]
    _same("drawn", [str(case_id) for case_id in draw.drawn], computed)


def _check_panels(draw: Draw) -> None:
    known = {(case.case_id, expert.expert_id) for case in draw.pool.cases for expert in draw.pool.experts}
    for at, recusal in enumerate(draw.recusals):
        if (recusal.case_id, recusal.expert_id) not in known:
            raise Differs(f"recusals[{at}]: no such case and expert in the pool, or named before")
        known.remove((recusal.case_id, recusal.expert_id))
    try:
        check_pool(draw.pool)
        computed = [panel.model_dump(mode="json") for panel in panels_of(draw)]
    except Refused as error:
        raise Differs(f"pool: {error}") from error
    _same("panels", [panel.model_dump(mode="json") for panel in draw.panels], computed)


def _same(place: str, given: Any, computed: Any) -> None:
    """Raises Differs for the first value in which what the file says is not what was computed."""
    if isinstance(given, Mapping) and isinstance(computed, Mapping):
        for name in sorted(given.keys() | computed.keys()):
            inner = f"{place}.{name}".lstrip(".")
            if name not in given or name not in computed:
                raise Differs(f"{inner}: {'is missing' if name in computed else 'does not belong there'}")
            _same(inner, given[name], computed[name])
    elif isinstance(given, list) and isinstance(computed, list):
        for at, (one, other) in enumerate(zip(given, computed, strict=False)):
            _same(f"{place}[{at}]", one, other)
        if len(given) != len(computed):
            raise Differs(f"{place}: the file has {len(given)}, {len(computed)} follow from the seed")
    elif type(given) is not type(computed) or given != computed:
        raise Differs(f"{place}: the file says {given!r}, computed is {computed!r}")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
    return str(error) or type(error).__name__
