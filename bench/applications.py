"""Firms and applications for the bench: what an HNTE application of this year holds, as facts, papers and rows."""

import random
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from casework.edition import Edition
from casework.evaluate import compile_edition
from casework.facts import facts_from
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.self_check import document_of
from casework.uscc import check_character
from casework.use_cases.applying import stored_facts
from chassis.clock import SystemClock
from huiqi.scan import SCANNED

FACTS = Path(__file__).parents[1] / "data/facts/whole-firm.hnte.yaml"
YEAR_OF_FACTS = 2016
SECTIONS = ("years", "ip", "conversions", "incidents")
_SUMS = ("sales_revenue", "total_revenue", "high_tech_revenue", "net_assets", "rd_spend", "rd_spend_domestic")


@cache
def edition() -> Edition:
    return load_rulebooks(rulebooks_of("certification")).edition("hnte", date(2016, 1, 1))


def enterprise_id(number: int) -> str:
    """A unified social credit code of Yangjiang with the right check character; `number` below 10^8."""
    code = f"91441702M{number:08d}"
    return code + check_character(code)


def sections(seed: int) -> dict[str, Any]:
    """What a register of firms knows: years, IP rights, conversions; the figures differ from seed to seed."""
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    later = SystemClock().today().year - YEAR_OF_FACTS
    share = random.Random(seed)
    for year in facts["years"]:
        year["year"] += later
        for name in _SUMS:
            year[name] = str(int(year[name]) * share.randint(90, 110) // 100)
        year["rd_spend_domestic"] = str(min(int(year["rd_spend_domestic"]), int(year["rd_spend"])))
    for conversion in facts["conversions"]:
        conversion["year"] += later
    for right in facts["ip"]:
        right["granted_on"] = right["granted_on"].replace(year=right["granted_on"].year + later)
    given: dict[str, Any] = stored_facts(
        facts_from({name: facts[name] for name in SECTIONS if name in facts})
    )
    return given


def judgements() -> dict[str, Any]:
    given: dict[str, Any] = yaml.safe_load(FACTS.read_text(encoding="utf-8"))["judgements"]
    return given


def papers() -> list[dict[str, Any]]:
    """A document for each paper of the edition's list; all name one file."""
    return [
        {"paper": paper.id, "file_name": f"{paper.id}.pdf", **SCANNED}
        for paper in edition().papers_for("first")
    ]  # fmt: skip


def application(number: int) -> dict[str, Any]:
    """The body of an application as an enterprise would send it: facts and papers."""
    return {
        "programme": "hnte", "case_type": "first", "enterprise_id": enterprise_id(number), "facts": sections(number % 50),
        "documents": papers(),
    }  # fmt: skip


@dataclass(frozen=True)
class Template:
    """What the rows of many firms share: the facts given, the facts judged, the engine's answer."""

    given: dict[str, Any]
    facts: dict[str, Any]
    answer: dict[str, Any]


def template(seed: int) -> Template:
    given = sections(seed)
    today = SystemClock().today()
    enterprise = {"uscc": enterprise_id(seed), "name": "示例精密制造有限公司", "region": "441702",
                  "established_on": "2010-03-15", "mainland_resident": True}  # fmt: skip
    facts = stored_facts(facts_from({**given, "enterprise": enterprise}))
    judged = facts_from(
        {**facts, "programme": "hnte", "case_type": "first", "applied_on": today, "judgements": {}}
    )
    return Template(given, facts, document_of(compile_edition(edition()).judge(judged)))
