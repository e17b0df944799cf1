"""B7: judging HNTE 2016 applications with the full explanation beside zen-engine (Rust, floats) on the same conditions.

Both get what they need ready-made: ours validated facts with their figures, zen-engine its context as a dict with the
score already summed up and the days already counted. Both judge the same firms, whose figures all differ.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import zen
from rows import Row, against

from casework.evaluate import Evaluator, compile_edition
from casework.facts import Facts, facts_from
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.verdict import Verdict
from chassis.garbage import spare_the_collector

FIRMS, ROUNDS = 100, 101
APPLIED = date(2016, 8, 1)

# The nine conditions as zen expressions, in the order of the law.
CONDITIONS = {
    "H1": "days >= 365",
    "H2": "rights > 0 and core == true",
    "H3": "field == true",
    "H4": "st / total >= 0.1",
    "H5a": "(r1 + r2 + r3) / (s1 + s2 + s3) >= (s3 <= 50000000 ? 0.05 : (s3 <= 200000000 ? 0.04 : 0.03))",
    "H5b": "(d1 + d2 + d3) / (r1 + r2 + r3) >= 0.6",
    "H6": "high / revenue >= 0.6",
    "H7": "score > 70",
    "H8": "incidents == 0",
}


def firm(seed: int) -> dict[str, Any]:
    """A made-up firm's facts, without the points for growth."""
    pick = random.Random(seed)
    sales = [pick.randint(20_000_000, 90_000_000) for _ in range(3)]
    years = []
    for at, sold in enumerate(sales):
        spend = sold * pick.randint(20, 90) // 1000
        total = pick.randint(50, 300)
        years.append({
            "year": 2013 + at, "sales_revenue": sold, "total_revenue": sold + pick.randint(0, 9) * 100_000,
            "high_tech_revenue": sold * pick.randint(50, 90) // 100, "net_assets": pick.randint(5, 30) * 1_000_000,
            "rd_spend": spend, "rd_spend_domestic": spend * pick.randint(50, 100) // 100,
            "staff": {"total": total, "st": total * pick.randint(5, 30) // 100},
        })  # fmt: skip
    rights = [
        {"id": f"Z{at}", "kind": "invention", "acquired": "self", "granted_on": "2014-05-06", "in_force": True,
         "owned": True, "related": True}
        for at in range(pick.randint(1, 4))
    ]  # fmt: skip
    points = {
        "ip_advancement": 8,
        "ip_core_support": 8,
        "ip_count": 8,
        "standards_bonus": 2,
        "rd_rules": 6,
        "rd_body": 6,
    }
    given = {name: pick.randint(most - 1, most) for name, most in points.items()}
    return {
        "programme": "hnte", "case_type": "first", "applied_on": APPLIED.isoformat(),
        "enterprise": {
            "established_on": (APPLIED - timedelta(days=pick.randint(300, 6000))).isoformat(), "mainland_resident": True,
        },
        "years": years, "ip": rights, "conversions": [{"result": f"R{at}", "year": 2014} for at in range(15)],
        "incidents": [],
        "judgements": {
            **given, "core_ip_supports": True, "in_supported_field": pick.random() < 0.9, "ip_acquisition": pick.randint(1, 6),
            "conversion": pick.randint(25, 30), "conversion_incentives": 3, "staff_training": 3,
        },
    }  # fmt: skip


def context(facts: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    first, second, third = facts["years"]
    assert verdict.score is not None
    established = date.fromisoformat(facts["enterprise"]["established_on"])
    return {
        "days": (APPLIED - established).days, "rights": len(facts["ip"]), "core": True,
        "field": facts["judgements"]["in_supported_field"], "st": third["staff"]["st"], "total": third["staff"]["total"],
        **{f"s{at}": year["sales_revenue"] for at, year in enumerate((first, second, third), 1)},
        **{f"r{at}": year["rd_spend"] for at, year in enumerate((first, second, third), 1)},
        **{f"d{at}": year["rd_spend_domestic"] for at, year in enumerate((first, second, third), 1)},
        "high": third["high_tech_revenue"], "revenue": third["total_revenue"], "score": float(verdict.score.lo),
        "incidents": 0,
    }  # fmt: skip


def decision() -> Any:
    expressions = [{"id": name, "key": name, "value": text} for name, text in CONDITIONS.items()]
    place = {"x": 0, "y": 0}
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": place},
        {
            "id": "check",
            "type": "expressionNode",
            "name": "check",
            "position": place,
            "content": {"expressions": expressions},
        },
        {"id": "out", "type": "outputNode", "name": "out", "position": place},
    ]
    edges = [
        {"id": "a", "sourceId": "in", "targetId": "check", "type": "edge"},
        {"id": "b", "sourceId": "check", "targetId": "out", "type": "edge"},
    ]
    return zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))


def rate(work: Callable[[], None]) -> float:
    """Firms per second over one pass."""
    began = time.perf_counter()
    work()
    return FIRMS / (time.perf_counter() - began)


def measure() -> list[Row]:
    edition = load_rulebooks(rulebooks_of("certification")).edition("hnte", date(2016, 1, 1))
    evaluator, peer = compile_edition(edition), decision()
    raw = [_graded(firm(seed), evaluator) for seed in range(FIRMS)]
    facts: list[Facts] = [facts_from(one) for one in raw]
    verdicts = [evaluator.judge(one) for one in facts]
    contexts = [context(one, verdict) for one, verdict in zip(raw, verdicts, strict=True)]
    _agree(verdicts, [peer.evaluate(one)["result"] for one in contexts])

    def judge() -> None:
        for one in facts:
            evaluator.judge(one)

    def ask() -> None:
        for one in contexts:
            peer.evaluate(one)

    spare_the_collector()  # as a service does; the peer runs in this process and gains by it too
    pairs = [(rate(judge), rate(ask)) for _ in range(ROUNDS)]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    what = "judge one HNTE 2016 application, exact, with the full explanation"
    return [against("B7", what, mine, theirs, f"zen-engine {_version()}", at_least=5, unit="applications/s")]


def _graded(facts: dict[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    """With the points for growth that the financial experts may give at least."""
    score = evaluator.judge(facts_from(facts)).score
    assert score is not None
    growth = {item.id: item.lo for item in score.items if item.group == "growth"}
    return {**facts, "judgements": {**facts["judgements"], **growth}}


def _agree(verdicts: list[Verdict], answers: list[dict[str, bool]]) -> None:
    """Both must say the same of every firm, or the figures mean nothing. (The firms avoid the edges floats miss.)"""
    for verdict, answer in zip(verdicts, answers, strict=True):
        for result in verdict.conditions:
            if result.outcome != "unknown" and (result.outcome == "pass") != answer[result.id]:
                raise AssertionError((result.id, result.value, result.bound, answer))


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("zen-engine")


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps({"rows": [row.as_json() for row in measure()]}, ensure_ascii=False, indent=1) + "\n"
    )
