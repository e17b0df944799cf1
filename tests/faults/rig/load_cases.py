"""Applications: enterprises draft, submit, mend and withdraw, officers and experts take them on, two at once at times."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from huiqi.scan import SCAN, SCANNED
from rig.load_hands import Person, enterprise, officer
from rig.load_world import LEFT_OPEN, Case, Programme, Scene

ENDED = frozenset({"granted", "refused", "withdrawn"})
NEARNESS = (
    "on_notice",
    "draft",
    "returned",
    "submitted",
    "accepted",
    "in_review",
    "proposed",
    "recorded",
    *sorted(ENDED),
)
"""States by how near the case is to its end with nothing to wait for."""
Step = Callable[[Scene, Case], Awaitable[None]]


async def go_on_with_a_case(scene: Scene, programmes: tuple[Programme, ...]) -> None:
    """A few steps of one case; others may be at the same case."""
    if len(scene.world.cases) < LEFT_OPEN and scene.chance.random() < 0.4:
        await draft(scene, scene.chance.choice(programmes))
        return
    if not scene.world.cases:
        return
    case = scene.chance.choice(scene.world.cases)
    if scene.chance.random() < 0.5:
        case = max(scene.world.cases, key=lambda one: NEARNESS.index(one.state))
    for _ in range(scene.chance.randint(2, 6)):
        if case.state in ENDED:
            break
        await STEPS[case.state](scene, case)
        if case.state == "on_notice":
            break
    scene.world.cases = [case for case in scene.world.cases if case.state not in ENDED]


async def draft(scene: Scene, programme: Programme) -> None:
    enterprise_id = scene.somebody()
    if not await _has_uploaded(scene, programme.service, enterprise_id):
        return
    body = {
        "programme": programme.name, "case_type": "first", "facts": programme.facts,
        "documents": _papers(programme, "{intent}", "{intent}"),
    }  # fmt: skip
    answer = await scene.hands.write(
        enterprise(enterprise_id), programme.service, "POST", "/v1/cases", body, kind="draft",
        enterprise_id=enterprise_id,
    )  # fmt: skip
    if answer is not None and answer.acknowledged:
        case_id = answer.content["case_id"]
        scene.world.cases.append(Case(programme, case_id, enterprise_id, answer.intent, answer.etag or '"1"'))


async def _has_uploaded(scene: Scene, service: str, enterprise_id: str) -> bool:
    """Once each; one that got lost is uploaded again before the next draft."""
    if (service, enterprise_id) in scene.world.uploaded:
        return True
    if not await scene.hands.upload(enterprise(enterprise_id), service, SCAN):
        return False
    scene.world.uploaded.add((service, enterprise_id))
    return True


def _papers(programme: Programme, drafted_by: str, revised_by: str) -> list[dict[str, Any]]:
    """The first paper is named after the draft for ever, the last one after whoever revised it."""
    names = {programme.papers[0]: drafted_by, programme.papers[-1]: revised_by}
    return [
        {
            "paper": paper, "file_name": f"{names.get(paper, paper)}.pdf", **SCANNED,
        }
        for paper in programme.papers
    ]  # fmt: skip


async def say(
    scene: Scene, case: Case, who: Person, verb: str, body: Any = None, *, address: str | None = None
) -> None:
    """One verb with the version that was seen; who was too late reads the case again."""
    method, path = ("PUT", case.path) if verb == "revise" else ("POST", f"{case.path}/{address or verb}")
    answer = await scene.hands.write(
        who, case.service, method, path, body, kind=verb, seen=case.etag, case_id=case.case_id
    )
    if answer is None:
        return
    if answer.acknowledged and "state" in answer.content:
        _note(case, answer.content, answer.etag)
    elif answer.acknowledged:
        case.state = "granted"
    else:
        case.hopeless |= (verb, answer.status) in {("propose", 409), ("judge", 422)}
        await look(scene, case)


def _note(case: Case, told: dict[str, Any], etag: str | None) -> None:
    case.state, case.proposal, case.etag = told["state"], told["proposal"], etag or case.etag


async def look(scene: Scene, case: Case) -> None:
    read = await scene.hands.read(
        officer("li"), case.service, case.path, kind="read-case", case_id=case.case_id
    )
    if read is not None and read.acknowledged:
        _note(case, read.content["case"], read.etag)
        case.judged = len({judgement["name"] for judgement in read.content["judgements"] or []})


async def _hand_in(scene: Scene, case: Case) -> None:
    who, drawn = enterprise(case.enterprise_id), scene.chance.random()
    if drawn < 0.06:
        await say(scene, case, who, "withdraw")
    elif drawn < 0.16:
        body = {"documents": _papers(case.programme, case.draft, "{intent}")}
        await say(scene, case, who, "revise", body)
    else:
        await say(scene, case, who, "submit")


async def _check(scene: Scene, case: Case) -> None:
    drawn = scene.chance.random()
    accept = say(scene, case, officer("li"), "accept")
    if drawn < 0.70:
        await accept
    elif drawn < 0.82:
        accept.close()
        await say(scene, case, officer("wang"), "return", {"defects": ["缺少材料 {intent}"]})
    elif drawn < 0.95:
        give_back = say(scene, case, officer("wang"), "return", {"defects": ["缺少材料 {intent}"]})
        await asyncio.gather(accept, give_back)
    else:
        accept.close()
        await say(scene, case, enterprise(case.enterprise_id), "withdraw")


async def _review(scene: Scene, case: Case) -> None:
    await say(scene, case, officer("li"), "start_review", address="review")


async def _judge(scene: Scene, case: Case) -> None:
    wanted = sum(len(names) for _, names in case.programme.sheets)
    for role, names in case.programme.sheets if case.judged < wanted and not case.hopeless else ():
        judge = Person(role, scene.chance.choice(["chen", "zhou"]))
        await say(scene, case, judge, "judge", {"judgements": names}, address="judgements")
    await look(scene, case)
    if case.state != "in_review" or (case.judged < wanted and not case.hopeless):
        return
    refusal = {"proposal": "refuse", "reasons": ["不符合条件 {intent}"]}
    if case.hopeless or scene.chance.random() < 0.15:
        await say(scene, case, officer("wang"), "propose", refusal)
    elif scene.chance.random() < 0.2:
        await asyncio.gather(
            say(scene, case, officer("li"), "propose", {"proposal": "grant"}),
            say(scene, case, officer("wang"), "propose", refusal),
        )
    else:
        await say(scene, case, officer("li"), "propose", {"proposal": "grant"})


async def _decide(scene: Scene, case: Case) -> None:
    """At times somebody does what was not proposed: a notice of a refusal is refused, a refusal is anybody's right."""
    grants = (case.proposal == "grant") is (scene.chance.random() < 0.9)
    if grants:
        await say(scene, case, officer("li"), "open_notice", address="notice")
    else:
        await say(scene, case, officer("wang"), "refuse", {"reasons": ["不予认定 {intent}"]})


async def _wait(scene: Scene, case: Case) -> None:
    if scene.chance.random() < 0.03:
        await say(scene, case, enterprise(case.enterprise_id), "withdraw")
    else:
        await look(scene, case)


async def _grant(scene: Scene, case: Case) -> None:
    if scene.chance.random() < 0.3:
        await asyncio.gather(*(say(scene, case, officer(name), "grant") for name in ("li", "wang")))
    else:
        await say(scene, case, officer("li"), "grant")


STEPS: dict[str, Step] = {
    "draft": _hand_in, "returned": _hand_in, "submitted": _check, "accepted": _review, "in_review": _judge,
    "proposed": _decide, "on_notice": _wait, "recorded": _grant,
}  # fmt: skip
