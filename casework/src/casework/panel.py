"""The draw of a panel of experts, which anybody can repeat from the published file alone.

`huiqi-draw-1`: a pool (experts, cases, rules) is frozen and published with its SHA-256 and that of a secret seed of 32
bytes. For each case every expert of the pool gets the HMAC-SHA256, with the seed as key, of these five lines:
huiqi-draw-1, draw id, case id, expert id, beacon (or nothing). The lowest ranks first. Seats are filled down the
ranking; passed over is who is barred from the case, is of another field, was recused, or would take a seat that a kind
still below its least needs. Who steps in for a recused expert is the next that way, and nobody else moves: the allowed
panels are the bases of a matroid, so one leaves and one comes.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field, model_validator

from casework.edition import Edition, Panel
from casework.lifecycle import cited
from casework.sourced import Frozen
from chassis.errors import Refused

ALGORITHM = "huiqi-draw-1"
Kind = Literal["technical", "financial", "management"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Passed = Literal["barred", "other_field", "recused", "seats_kept"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FieldName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PanelTooSmall(Refused):
    """A panel needs at least {least} experts; {size} are asked for."""


class PoolTooSmall(Refused):
    """Case {case_id}: {eligible} experts may be drawn; {needed} are needed, {multiple} for each of {size} seats."""


class KindMissing(Refused):
    """Case {case_id}: {eligible} experts of kind {kind} may be drawn; {needed} are needed."""


class NobodyLeft(Refused):
    """No expert of the frozen pool is left who may take the seat in case {case_id}."""

    status: ClassVar[int] = 409


class NoPanel(Refused):
    """The edition of {programme} of {edition} asks for no panel."""


class Rules(Frozen):
    """What the edition asks of a panel of `size`: at least so many of each kind, a head of one kind (None: of any)."""

    size: Annotated[int, Field(ge=1, le=99)]
    least: Mapping[Kind, Annotated[int, Field(ge=0)]]
    head: Kind | None
    pool_multiple: Annotated[int, Field(ge=1)]
    source: str


class PoolExpert(Frozen):
    expert_id: UUID
    kind: Kind
    fields: tuple[FieldName, ...] = ()


class PoolCase(Frozen):
    """One case; `field` narrows its technical experts, `barred` are those tied to its enterprise."""

    case_id: UUID
    field: FieldName | None = None
    barred: tuple[UUID, ...] = ()


class Pool(Frozen):
    """What is frozen when the draw is committed to. Its hash does not depend on the order of the lists."""

    algorithm: Literal["huiqi-draw-1"] = "huiqi-draw-1"
    draw_id: UUID
    programme: str
    edition: date
    edition_hash: str
    rules: Rules
    experts: tuple[PoolExpert, ...]
    cases: Annotated[tuple[PoolCase, ...], Field(min_length=1)]
    beacon_named: str | None = None

    @model_validator(mode="after")
    def _nobody_twice(self) -> "Pool":
        for ids in ([e.expert_id for e in self.experts], [c.case_id for c in self.cases]):
            if len(set(ids)) != len(ids):
                raise ValueError("nobody may be in a pool twice")
        return self

    def hash(self) -> str:
        """SHA-256 of the canonical JSON: lists by id, names sorted, no spaces, UTF-8."""
        content = self.model_dump(mode="json")
        for expert in content["experts"]:
            expert["fields"].sort()
        for case in content["cases"]:
            case["barred"].sort()
        content["experts"].sort(key=lambda expert: str(expert["expert_id"]))
        content["cases"].sort(key=lambda case: str(case["case_id"]))
        return canonical_hash(content)

    def case(self, case_id: UUID) -> PoolCase:
        return next(case for case in self.cases if case.case_id == case_id)


class Place(Frozen):
    """One expert's place in the ranking of one case: seated, or `passed` over and why. `rank` counts from 1."""

    rank: int
    expert_id: UUID
    kind: Kind
    passed: Passed | None = None
    head: bool = False


class CaseRanking(Frozen):
    """The ranking of one case down to its last seat."""

    case_id: UUID
    places: tuple[Place, ...]

    @property
    def seated(self) -> list[Place]:
        return [place for place in self.places if place.passed is None]

    @property
    def head(self) -> UUID:
        return next(place.expert_id for place in self.places if place.head)


def rules_of(edition: Edition, size: int | None = None) -> Rules:
    """The edition's rules for a panel of `size`, by default its least. Raises NoPanel, PanelTooSmall."""
    panel = edition.panel
    if panel is None:
        raise NoPanel(rule="panel", programme=edition.programme, edition=edition.in_force_from)
    wanted = panel.min_experts if size is None else size
    source = cited(panel.source)
    if wanted < panel.min_experts:
        raise PanelTooSmall(rule="panel.min_experts", source=source, least=panel.min_experts, size=wanted)
    return Rules(
        size=wanted, least=_least(panel, wanted), head=None if panel.head == "any" else panel.head,
        pool_multiple=panel.pool_multiple, source=source,
    )  # fmt: skip


def _least(panel: Panel, size: int) -> dict[Kind, int]:
    technical = math.ceil(Fraction(panel.min_technical_share) * size)
    least: dict[Kind, int] = {"technical": technical, "financial": panel.min_financial}
    if panel.head != "any":
        least[panel.head] = max(1, least[panel.head])
    return least


def check_pool(pool: Pool) -> None:
    """Raises PoolTooSmall or KindMissing for the first case whose eligible experts are too few."""
    rules = pool.rules
    for case in pool.cases:
        eligible = [expert for expert in pool.experts if _standing(expert, case, ()) is None]
        needed = rules.pool_multiple * rules.size
        if len(eligible) < needed:
            raise PoolTooSmall(
                rule="panel.pool_multiple", source=rules.source, case_id=case.case_id, eligible=len(eligible),
                needed=needed, multiple=rules.pool_multiple, size=rules.size,
            )  # fmt: skip
        for kind, least in rules.least.items():
            count = sum(expert.kind == kind for expert in eligible)
            if count < least:
                raise KindMissing(
                    rule=f"panel.{kind}", source=rules.source, case_id=case.case_id, kind=kind, eligible=count,
                    needed=least,
                )  # fmt: skip


def seed_hash(seed: bytes) -> str:
    return hashlib.sha256(seed).hexdigest()


def canonical_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the JSON with names sorted, no spaces, UTF-8; lists are hashed in the order that they have."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def by_lot(
    seed: bytes, ids: Iterable[UUID], *, algorithm: str, draw_id: UUID, of: UUID | str, beacon: str | None
) -> list[UUID]:
    """The ids in the order of their lots: HMAC-SHA256 with the seed as key, of five lines.

    They are the algorithm, the draw, what is drawn for, the id that draws, the beacon (or nothing).
    """

    def lot(drawn_id: UUID) -> tuple[bytes, str]:
        said = "\n".join((algorithm, str(draw_id), str(of), str(drawn_id), beacon or ""))
        return hmac.digest(seed, said.encode(), "sha256"), str(drawn_id)

    return sorted(ids, key=lot)


def ranking(pool: Pool, case_id: UUID, seed: bytes, beacon: str | None = None) -> list[PoolExpert]:
    """Every expert of the pool in the order that the seed gives for this case."""
    experts = {expert.expert_id: expert for expert in pool.experts}
    ids = by_lot(seed, experts, algorithm=ALGORITHM, draw_id=pool.draw_id, of=case_id, beacon=beacon)
    return [experts[expert_id] for expert_id in ids]


def drawn(
    pool: Pool, case_id: UUID, seed: bytes, beacon: str | None = None, recused: Collection[UUID] = ()
) -> CaseRanking:
    """The ranking down to the last seat, each place explained; one of the seated is the head.

    Raises NobodyLeft when the seats cannot all be filled.
    """
    case, rules = pool.case(case_id), pool.rules
    places: list[Place] = []
    have: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    for rank, expert in enumerate(ranking(pool, case_id, seed, beacon), 1):
        passed = _standing(expert, case, recused)
        if passed is None and not _leaves_room(rules, have, expert.kind):
            passed = "seats_kept"
        places.append(Place(rank=rank, expert_id=expert.expert_id, kind=expert.kind, passed=passed))
        if passed is None:
            have[expert.kind] += 1
        if sum(have.values()) == rules.size:
            return CaseRanking(case_id=case_id, places=tuple(_with_head(places, rules.head)))
    raise NobodyLeft(rule="panel.draw", source=rules.source, case_id=case_id)


def _standing(expert: PoolExpert, case: PoolCase, recused: Collection[UUID]) -> Passed | None:
    if expert.expert_id in case.barred:
        return "barred"
    if expert.expert_id in recused:
        return "recused"
    is_other = expert.kind == "technical" and case.field is not None and case.field not in expert.fields
    return "other_field" if is_other else None


def _leaves_room(rules: Rules, have: Mapping[Kind, int], kind: Kind) -> bool:
    """Whether, once this kind has one more, the seats left are enough for every kind still below its least."""
    left = rules.size - sum(have.values()) - 1
    wanting = sum(
        max(0, least - have[other] - (other == kind)) for other, least in rules.least.items()
    )  # fmt: skip
    return wanting <= left


def _with_head(places: Iterable[Place], kind: Kind | None) -> Iterator[Place]:
    """The head is the highest ranked of its kind."""
    found = False
    for place in places:
        heads = place.passed is None and not found and kind in (None, place.kind)
        found = found or heads
        yield place.model_copy(update={"head": True}) if heads else place
