"""B8: a million enterprises judged under two editions, with the list of those whose verdict changes and why.

Beside it the scalar engine in a loop, on a sample of the same firms and per row, since a whole pass takes minutes: the
same verdicts, or the row is void. Both get what they need ready-made: ours columns, the scalar engine facts with
their figures. There are fewer different firms than rows; nothing found out about them is kept from pass to pass.
"""

import json
import random
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from rows import Row, against

from casework.columns.gathering import Gathering
from casework.columns.table import Table
from casework.evaluate import compile_edition
from casework.facts import Facts, facts_from
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.verdict import Verdict, exact_text
from casework.what_if import Chunk, Subject, Totals, WhatIf
from casework.what_if import Row as Changed

ROWS, DISTINCT, AT_ONCE, SAMPLE = 1_000_000, 40_000, 8_000, 2_000
ROUNDS = 3
APPLIED = date(2016, 8, 1)
# What both editions take; the names that they read on different scales are left to the facts.
POINTS = {
    "ip_advancement": (5, 8), "ip_core_support": (5, 8), "standards_bonus": (0, 2), "rd_rules": (3, 6), "rd_body": (3, 6),
    "conversion_incentives": (2, 4), "staff_training": (2, 4), "rd_checks_met": (2, 5),
}  # fmt: skip


def firm(seed: int) -> dict[str, Any]:
    """A made-up firm's facts; most meet most conditions of both editions."""
    pick = random.Random(seed)
    sold = pick.randint(5_000_000, 150_000_000)
    years = []
    for year in (2013, 2014, 2015):
        spent, people = sold * pick.randint(35, 90) // 1000, pick.randint(50, 300)
        years.append({
            "year": year, "sales_revenue": f"{sold}.{pick.randint(0, 99):02d}", "total_revenue": sold + pick.randint(1, 9) * 100_000,
            "high_tech_revenue": sold * pick.randint(58, 95) // 100, "net_assets": sold // 2, "total_assets": sold,
            "rd_spend": spent, "rd_spend_domestic": spent * pick.randint(58, 100) // 100,
            "staff": {"total": people, "st": people * pick.randint(25, 60) // 100, "college": people * pick.randint(28, 60) // 100,
                      "rd": people * pick.randint(9, 25) // 100},
        })  # fmt: skip
        sold = sold * pick.randint(95, 150) // 100
    rights = [
        {"id": f"Z{at}", "kind": pick.choice(("invention", "utility_model", "software_copyright")), "acquired": "self",
         "granted_on": str(APPLIED - timedelta(days=pick.randint(0, 1500))), "in_force": True, "owned": True, "related": True}
        for at in range(pick.randint(1, 8))
    ]  # fmt: skip
    judged: dict[str, Any] = {name: pick.randint(*span) for name, span in POINTS.items()}
    return {
        "programme": "hnte", "case_type": "first", "applied_on": str(APPLIED),
        "enterprise": {"established_on": str(APPLIED - timedelta(days=pick.randint(300, 6000))), "mainland_resident": True},
        "years": years, "ip": rights, "conversions": [{"result": f"R{at}", "year": 2014} for at in range(pick.randint(6, 18))],
        "judgements": {**judged, "core_ip_supports": pick.random() < 0.97, "in_supported_field": pick.random() < 0.97},
    }  # fmt: skip


def measure(rounds: int = ROUNDS) -> list[Row]:
    books = load_rulebooks(rulebooks_of("certification"))
    editions = [books.edition("hnte", date(year, 1, 1)) for year in (2008, 2016)]
    what_if = WhatIf(editions[0], editions[1])
    tables = [_table(range(start, start + AT_ONCE)) for start in range(0, DISTINCT, AT_ONCE)]
    facts = [facts_from(firm(seed)) for seed in range(SAMPLE)]
    evaluators = [compile_edition(edition) for edition in editions]

    def ask(sample: list[Facts]) -> list[tuple[Verdict, ...]]:
        return [tuple(one.judge(f, estimated=True) for one in evaluators) for f in sample]

    _agree(ask(facts), what_if, tables[0])
    ours, theirs = list[float](), list[float]()
    for _ in range(rounds):
        began = time.perf_counter()
        totals = _pass(what_if, tables)
        ours.append(ROWS / (time.perf_counter() - began))
        assert totals.judged == ROWS
        began = time.perf_counter()
        ask(facts)
        theirs.append(SAMPLE / (time.perf_counter() - began))
    what = f"what-if: two HNTE editions over {ROWS:,} enterprises, {totals.changed:,} of which change"
    peer = f"the scalar engine, {SAMPLE:,} of them in a loop"
    return [against("B8", what, ours, theirs, peer, at_least=20, unit="enterprises/s")]


def _table(seeds: range) -> Table:
    gathering = Gathering()
    for seed in seeds:
        gathering.add(firm(seed))
    return gathering.table()


def _pass(what_if: WhatIf, tables: list[Table]) -> Totals:
    totals = Totals()
    for at in range(ROWS // AT_ONCE):
        _rows(what_if, replace(tables[at % len(tables)], _found={}), totals, changed_only=True)
    return totals


def _rows(what_if: WhatIf, table: Table, totals: Totals, *, changed_only: bool) -> list[Changed]:
    subjects = [Subject(str(row)) for row in range(table.size)]
    chunk = Chunk(subjects, table, lambda row: facts_from(firm(row)))
    return list(what_if.rows(chunk, changed_only=changed_only, totals=totals))


def _agree(verdicts: list[tuple[Verdict, ...]], what_if: WhatIf, table: Table) -> None:
    """Of every firm of the sample both must say the same: verdict, failed conditions, exact score."""
    for row, judged in zip(_rows(what_if, table, Totals(), changed_only=False), verdicts, strict=False):
        for side, verdict in zip((row.before, row.after), judged, strict=True):
            assert verdict.score is not None
            score = (exact_text(verdict.score.lo), exact_text(verdict.score.hi))
            ours = (side.verdict, list(side.failed), side.score)
            if ours != (verdict.verdict, verdict.failed_conditions, score):
                raise AssertionError((row, verdict))


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps({"rows": [row.as_json() for row in measure()]}, ensure_ascii=False, indent=1) + "\n"
    )
