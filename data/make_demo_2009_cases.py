# ruff: noqa: INP001 - a script, not a package
"""Writes the YAML files of data/demo/2009: who applies for what, how it ends, and who lends to whom.

Run after make_demo_2009.py; enterprises are named by their place in enterprises.xlsx.
"""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from casework.edition import Edition
from casework.rulebook import load_rulebooks
from certification.intake import EnterpriseRow, read_workbook

ROOT = Path(__file__).parent.parent
OFFICER, TECHNICAL, FINANCIAL = "officer:li", "expert:chen", "expert:zhou"
FIRST, AGAIN = "first", "re_recognition"


@dataclass(frozen=True)
class Hnte:
    """`coefficients`: core_ip, conversion, rd_organisation, growth_total_assets, growth_sales; `checks` of five."""

    firm: int
    case_type: str
    day: str
    coefficients: tuple[str, str, str, str, str]
    checks: int = 5
    verdict: str = "pass"
    failed: tuple[str, ...] = ()
    ends: str = "granted"


HNTES = (
    Hnte(0, FIRST, "2009-03-16", ("0.9", "0.85", "0.9", "0.5", "0.7")),
    Hnte(3, AGAIN, "2009-03-18", ("0.92", "0.9", "0.9", "0.35", "0.35")),
    Hnte(14, AGAIN, "2009-03-20", ("0.95", "0.95", "1", "0.39", "0.3")),
    Hnte(24, AGAIN, "2009-03-25", ("0.85", "0.88", "0.85", "0.7", "0.65")),
    Hnte(31, AGAIN, "2009-04-02", ("0.75", "0.9", "0.9", "0.55", "0.55")),
    Hnte(44, FIRST, "2009-04-08", ("0.88", "0.82", "0.7", "0.95", "0.9"), checks=4),
    Hnte(50, AGAIN, "2009-04-15", ("0.9", "0.86", "0.84", "0.3", "0.36"), ends="returned, then granted"),
    Hnte(6, FIRST, "2009-04-20", ("0.85", "0.85", "0.85", "0.3", "0.3"), verdict="fail", failed=("O3",), ends="refused"),
    Hnte(16, AGAIN, "2009-04-22", ("0.86", "0.84", "0.88", "0.55", "0.7"), verdict="fail", failed=("O4",), ends="refused"),
    Hnte(36, AGAIN, "2009-04-28", ("0.8", "0.8", "0.55", "0.55", "0.55"), 3, "fail", ("O6",), "refused"),
    Hnte(46, FIRST, "2009-05-06", ("0.84", "0.83", "0.85", "0.45", "0.5"), verdict="fail", failed=("O5",), ends="judged, then withdrawn"),
    Hnte(56, FIRST, "2009-05-12", ("0.82", "0.85", "0.65", "0.5", "0.5"), checks=4, verdict="unknown", ends="returned, then withdrawn"),
)  # fmt: skip


@dataclass(frozen=True)
class Advantage:
    """`points`: the experts' whole points, item by item in the order of the edition; above 60 passes."""

    firm: int
    day: str
    points: str
    verdict: str = "pass"
    failed: tuple[str, ...] = ()
    ends: str = "granted"


ADVANTAGES = (
    Advantage(0, "2009-05-04", "5 5 4 4 4 6 0 16 5 0 2 3 5 3 4 10"),
    Advantage(3, "2009-05-06", "4 5 5 3 4 6 0 15 4 0 2 3 5 2 4 10"),
    Advantage(14, "2009-05-07", "5 5 5 4 5 7 1 17 6 0 2 3 5 2 5 11"),
    Advantage(24, "2009-05-11", "4 5 5 4 0 6 0 15 5 0 2 3 5 3 4 10"),
    Advantage(50, "2009-05-14", "4 4 4 2 4 6 0 14 4 0 2 2 5 3 4 9"),
    Advantage(11, "2009-05-18", "4 4 4 1 0 6 0 14 5 0 2 3 5 2 4 9"),
    Advantage(17, "2009-05-20", "4 4 4 4 0 6 0 15 4 0 2 3 5 2 4 9", ends="returned, then granted"),
    Advantage(21, "2009-05-25", "4 3 4 4 0 6 0 14 5 0 2 3 5 2 4 9"),
    Advantage(28, "2009-06-01", "4 4 4 2 0 6 0 15 5 0 2 3 4 2 4 9"),
    Advantage(40, "2009-06-04", "4 4 4 4 0 5 0 15 4 0 2 3 5 2 4 8"),
    Advantage(49, "2009-06-10", "4 4 4 0 2 5 0 13 4 0 2 3 5 2 4 8", "fail", ("A2",), "refused"),  # exactly 60
    Advantage(53, "2009-06-16", "3 3 3 2 0 4 0 10 3 0 1 2 4 1 3 6", "fail", ("A2",), "refused"),
    Advantage(55, "2009-06-22", "4 3 3 0 4 5 0 14 4 0 2 3 5 3 4 8", ends="judged, then withdrawn"),
)


def edition(service: str, programme: str, level: str) -> Edition:
    return load_rulebooks(ROOT / "services" / service / "rulebooks").edition_for(
        programme, date(2009, 3, 1), level
    )


def read_firms(folder: Path) -> tuple[EnterpriseRow, ...]:
    return read_workbook((folder / "enterprises.xlsx").read_bytes()).enterprises


def papers(law: Edition, case: str, case_type: str) -> list[dict[str, Any]]:
    """Every paper that the edition requires; the file is whoever plays the year's to bring."""
    return [
        {"paper": paper.id, "file_name": f"{case}-{paper.id}.pdf"}
        for paper in law.papers_for(case_type)
        if paper.required
    ]


def step(on: str, verb: str, by: str, **more: Any) -> dict[str, Any]:
    return {"on": date.fromisoformat(on), "verb": verb, "by": by, **more}


Judgements = list[tuple[str, dict[str, Any]]]
Steps = list[dict[str, Any]]


def way(plan: "Hnte | Advantage", owner: str, days: dict[str, str], judgements: Judgements) -> Steps:
    """The verbs of the edition's process, in order; `judge` is one person's judgements."""
    steps = [step(plan.day, "submit", owner)]
    if plan.ends.startswith("returned"):
        steps.append(step(days["return"], "return", OFFICER, defects=["专项审计报告缺少2007年度附表"]))
        if plan.ends == "returned, then withdrawn":
            return [*steps, step(days["withdraw"], "withdraw", owner)]
        steps.append(step(days["resubmit"], "resubmit", owner))
    steps.append(step(days["accept"], "accept", OFFICER))
    steps.append(step(days["review"], "start_review", OFFICER))
    steps += [step(days["judge"], "judge", by, judgements=values) for by, values in judgements]
    if plan.ends == "judged, then withdrawn":
        return [*steps, step(days["withdraw"], "withdraw", owner)]
    return steps + decision(plan, days)


def decision(plan: "Hnte | Advantage", days: dict[str, str]) -> Steps:
    if plan.ends == "refused":
        reasons = [f"不符合条件{name}" for name in plan.failed]
        return [
            step(days["propose"], "propose", OFFICER, proposal="refuse", reasons=reasons),
            step(days["refuse"], "refuse", OFFICER, reasons=reasons),
        ]
    return [
        step(days["propose"], "propose", OFFICER, proposal="grant"),
        step(days["notice"], "open_notice", OFFICER),
        step(days["grant"], "grant", OFFICER),
    ]


HNTE_DAYS = {
    "return": "2009-05-18", "resubmit": "2009-05-27", "withdraw": "2009-07-20", "accept": "2009-06-08",
    "review": "2009-06-22", "judge": "2009-07-10", "propose": "2009-08-28", "refuse": "2009-09-04", "notice": "2009-09-07", "grant": "2009-10-09",
}  # fmt: skip
ADVANTAGE_DAYS = {
    "return": "2009-07-03", "resubmit": "2009-07-10", "withdraw": "2009-08-11", "accept": "2009-07-15",
    "review": "2009-07-20", "judge": "2009-08-05", "propose": "2009-08-14", "refuse": "2009-08-18", "notice": "2009-08-17", "grant": "2009-09-01",
}  # fmt: skip


def expected(plan: "Hnte | Advantage") -> dict[str, Any]:
    return {
        "verdict": plan.verdict,
        "failed_conditions": list(plan.failed),
        "state": plan.ends.rpartition(" ")[2],
    }


def hnte_case(place: int, plan: Hnte, firm: EnterpriseRow, law: Edition) -> dict[str, Any]:
    name = f"hnte-{place:02d}"
    core, conversion, organisation, assets, sales = plan.coefficients
    judgements: Judgements = [
        (OFFICER, {"rd_checks_met": plan.checks}),
        (TECHNICAL, {
            "core_ip_supports": True, "in_supported_field": True,
            "core_ip": core, "conversion": conversion, "rd_organisation": organisation}),
        (FINANCIAL, {"growth_total_assets": assets, "growth_sales": sales}),
    ]  # fmt: skip
    return {
        "id": name,
        "service": "certification",
        "programme": "hnte",
        "level": "national",
        "case_type": plan.case_type,
        "enterprise_id": firm.enterprise_id,
        "enterprise_name": firm.name,
        "applied_on": date.fromisoformat(plan.day),
        "documents": papers(law, name, plan.case_type),
        "steps": way(plan, f"enterprise:{firm.enterprise_id}", HNTE_DAYS, judgements),
        "expected": expected(plan),
    }


def advantage_case(place: int, plan: Advantage, firm: EnterpriseRow, law: Edition) -> dict[str, Any]:
    """The service of IP titles does not hold an enterprise's years, so the applicant brings them."""
    name = f"ip-advantage-{place:02d}"
    return {
        "id": name,
        "service": "ip-enterprise",
        "programme": "ip-advantage",
        "level": "municipal",
        "case_type": FIRST,
        "enterprise_id": firm.enterprise_id,
        "enterprise_name": firm.name,
        "applied_on": date.fromisoformat(plan.day),
        "facts": {
            "enterprise": {
                "name": firm.name,
                "region": firm.region,
                "established_on": firm.established_on,
                "mainland_resident": firm.mainland_resident,
            },
            "years": firm.facts["years"],
        },
        "documents": papers(law, name, FIRST),
        "steps": way(plan, f"enterprise:{firm.enterprise_id}", ADVANTAGE_DAYS, points(plan, law)),
        "expected": expected(plan),
    }


def points(plan: Advantage, law: Edition) -> Judgements:
    items = law.score.items if law.score else ()
    values: dict[str, dict[str, Any]] = {}
    for item, given in zip(items, plan.points.split(), strict=True):
        by = {"technical": TECHNICAL, "financial": FINANCIAL, "officer": OFFICER}[item.by]
        values.setdefault(by, {})[item.id] = int(given)
    return list(values.items())


def main(folder: Path) -> None:
    firms = read_firms(folder)
    law = edition("certification", "hnte", "national")
    applications = [
        hnte_case(place, plan, firms[plan.firm], law) for place, plan in enumerate(HNTES, start=1)
    ]
    if ADVANTAGES:
        law = edition("ip-enterprise", "ip-advantage", "municipal")
    applications += [
        advantage_case(place, plan, firms[plan.firm], law) for place, plan in enumerate(ADVANTAGES, start=1)
    ]
    write(folder / "applications.yaml", {"applications": applications})


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo" / "2009")
