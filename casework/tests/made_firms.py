"""Made-up firms that stand at the edges: exactly at a threshold, one fen beside it, zero, negative, missing, young."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

from casework.evaluate import COMMON_JUDGEMENTS
from casework.facts import CaseType, IpKind

Doc = dict[str, Any]
FEN = Decimal("0.01")
KINDS = get_args(IpKind)
APPLIED = [date(2016, 8, 1), date(2012, 2, 29), date(2009, 5, 4), date(2016, 1, 1), date(2015, 12, 31)]
SALES = [
    Decimal(text)
    for text in ("0", "0.01", "49999999.99", "50000000", "50000000.01", "199999999.99", "200000000", "200000000.01")
]  # fmt: skip
ODD_AMOUNTS = [
    "1234567.123456",
    "0.000000000001",
    "999999999999999999",
    "36028797018963.97",
    "9007199254740993",
]
CHECKS = ("core_ip_supports", "in_supported_field")
# What nobody should write, but somebody does.
NASTY: list[Any] = [
    None, True, False, -1, "-1", 0, 1.5, "1e3", " 1", "1 ", "", "٣", "01", "+1", "1.", ".5", "1,000", "NaN", "inf", 10**30, "9" * 41,
    [], {}, [[]], ["12"], {"12": 3}, "x" * 201, "\ud800", "2016-02-30", "2016-2-3", "first", "invention", 1948, 2016, "2016", Decimal("1.50"),
]  # fmt: skip


def around(pick: random.Random, edge: Decimal) -> Decimal:
    """The edge, or one fen beside it."""
    return max(Decimal(0), edge + pick.choice((0, 0, 1, -1)) * FEN)


def firm(pick: random.Random) -> Doc:
    """The facts of one firm; every other is sound but for a few things."""
    applied = pick.choice(APPLIED)
    count = pick.choice((3, 3, 3, 3, 2, 1, 0, 4))
    last = applied.year - 1 - (pick.random() < 0.05)
    established = pick.choice((
        applied - timedelta(days=pick.choice((364, 365, 366))), date(last - count + 1, 1, 1),
        date(last - count + 1, 12, 31), applied - timedelta(days=4000), date(last - 1, 6, 1), applied,
    ))  # fmt: skip
    document: Doc = {
        "programme": "hnte", "case_type": pick.choice((*get_args(CaseType), "first", "first")),
        "applied_on": applied.isoformat(),
        "enterprise": {"established_on": established.isoformat(), "mainland_resident": pick.random() < 0.9},
        "years": years(pick, last, count), "ip": [right(pick, at, applied) for at in range(pick.choice((0, 1, 2, 3, 5, 7)))],
        "conversions": [
            {"result": f"R{pick.randrange(40)}", "year": last - pick.choice((0, 1, 2, 2, 3))}
            for _ in range(pick.choice((0, 1, 2, 3, 6, 9, 12, 13, 15, 20)))
        ],
        "judgements": judgements(pick),
    }  # fmt: skip
    if pick.random() < 0.15:
        document["incidents"] = [incident(pick, applied) for _ in range(pick.choice((0, 1, 2)))]
    if pick.random() < 0.5:
        mend(pick, document, applied)
    if pick.random() < 0.3:
        without(pick, document)
    return document


def mend(pick: random.Random, document: Doc, applied: date) -> None:
    """Makes most of the firm sound, for the rules of 2008 or for those of 2016."""
    coefficients = pick.random() < 0.5
    judged: Doc = dict.fromkeys(COMMON_JUDGEMENTS, "0.9" if coefficients else 6)
    judged |= {"rd_checks_met": 5} | dict.fromkeys(CHECKS, True)
    judged |= (
        {}
        if coefficients
        else {
            "conversion": 26,
            "growth_net_assets": 9,
            "growth_sales": 9,
            "ip_count": 8,
            "standards_bonus": 2,
        }
    )
    sound: Doc = {
        "case_type": "first", "enterprise": {"established_on": "2005-01-01", "mainland_resident": True}, "years": _grown(applied),
        "ip": [{**right(pick, at, applied), "kind": "invention", "acquired": "self", "granted_on": applied.isoformat(), "used_for": [],
                "in_force": True, "owned": True, "related": True} for at in range(6)],
        "conversions": [{"result": f"R{at}", "year": applied.year - 2} for at in range(15)],
        "incidents": [], "judgements": judged,
    }  # fmt: skip
    document |= {name: better for name, better in sound.items() if pick.random() < 0.93}
    if not coefficients and pick.random() < 0.7:
        document["judgements"] = {**judged, "ip_count": 8}


def _grown(applied: date) -> list[Doc]:
    staff = {"total": 100, "st": 30, "college": 30, "rd": 10}
    return [
        {
            "year": applied.year - 3 + at,
            "sales_revenue": sold,
            "total_revenue": sold,
            "high_tech_revenue": sold * 6 // 10,
            "net_assets": sold,
            "total_assets": sold,
            "rd_spend": sold * 6 // 100,
            "rd_spend_domestic": sold * 4 // 100,
            "staff": staff,
        }
        for at, sold in enumerate((20_000_000, 27_000_000, 36_450_000))
    ]


def years(pick: random.Random, last: int, count: int) -> list[Doc]:
    share = Decimal(pick.choice(("0.03", "0.04", "0.05", "0.06")))
    sales = series(
        pick, count, pick.choice(SALES) if pick.random() < 0.6 else Decimal(pick.randint(1, 10**10)) / 100
    )
    spends = [sold * share for sold in sales]
    if spends and pick.random() < 0.5:
        spends[-1] = around(pick, spends[-1])
    assets = series(pick, count, Decimal(pick.randint(-(10**9), 10**10)) / 100)
    total_assets = series(pick, count, Decimal(pick.randint(0, 10**10)) / 100)
    made = [
        year(pick, last - count + 1 + at, sales[at], round(spends[at], pick.choice((2, 2, 2, 3))))
        for at in range(count)
    ]
    for at, one in enumerate(made):
        one["net_assets"], one["total_assets"] = str(assets[at]), str(abs(total_assets[at]))
        if pick.random() < 0.03:
            one[pick.choice(("net_assets", "total_assets", "sales_revenue"))] = pick.choice(ODD_AMOUNTS)
    return made


def series(pick: random.Random, count: int, end: Decimal) -> list[Decimal]:
    """Up to `end` with a growth at an edge of the bands, and zeros in between."""
    rate = Decimal(pick.choice(("1.35", "1.25", "1.15", "1.05", "1", "0.9", "2")))
    values = [end]
    while len(values) < count:
        values.insert(0, round(values[0] / rate, 2))
    if pick.random() < 0.5 and count > 1:
        values[1] = round(values[0] * rate, 2) + pick.choice((0, 1, -1)) * FEN
        values[2:] = [round(values[1] * rate, 2) + pick.choice((0, 1, -1)) * FEN for _ in values[2:]]
    for at in range(count):
        if pick.random() < 0.05:
            values[at] = Decimal(0)
    return values if end < 0 else [max(Decimal(0), value) for value in values]


def year(pick: random.Random, number: int, sold: Decimal, spent: Decimal) -> Doc:
    total = pick.choice((0, 1, 10, 50, 100, 333, 1000))
    revenue = sold + pick.randint(0, 3) * 1000
    made: Doc = {
        "year": number, "sales_revenue": str(sold), "total_revenue": str(revenue),
        "high_tech_revenue": str(around(pick, revenue * Decimal("0.6"))),
    }  # fmt: skip
    if pick.random() < 0.2:
        made["rd_items"] = items(pick, spent)
    else:
        made |= {
            "rd_spend": str(spent),
            "rd_spend_domestic": str(min(spent, around(pick, spent * Decimal("0.6")))),
        }
    if pick.random() < 0.15:
        made["staff_monthly"] = monthly(pick, total)
    else:
        staff = {
            name: at_share(pick, total, share) for name, share in (("st", 10), ("college", 30), ("rd", 10))
        }
        made["staff"] = {"total": total, **staff}
    return made


def at_share(pick: random.Random, total: int, percent: int) -> str:
    people = Decimal(total * percent) / 100 + pick.choice((0, 0, 1, -1)) * pick.choice((1, FEN))
    return str(min(Decimal(total), max(Decimal(0), people)))


def monthly(pick: random.Random, total: int) -> Doc:
    months = pick.randint(1, 12)
    return {
        "total": [[total, total] for _ in range(months)],
        "st": [[total // 10, min(total, total // 10 + pick.randint(0, 1))] for _ in range(months)],
        "rd": [[total // 10, total // 10] for _ in range(months)],
    }


def items(pick: random.Random, spent: Decimal) -> Doc:
    names = ("personnel", "direct_input", "depreciation", "amortisation", "design", "commissioning",
             "entrusted_domestic", "entrusted_abroad", "other")  # fmt: skip
    if pick.random() < 0.5:
        # Other costs beyond what one of the editions counts, so that just `spent` is counted.
        own = spent * pick.choice((Decimal("0.8"), Decimal("0.9")))
        return {
            **dict.fromkeys(names, "0"),
            "personnel": str(around(pick, round(own, 4))),
            "other": str(spent),
        }
    weights = [pick.randint(0, 9) for _ in names]
    parts = {name: str(round(spent * weight / 20, 2)) for name, weight in zip(names, weights, strict=True)}
    if pick.random() < 0.3:
        del parts[pick.choice(names)]
    return parts


def right(pick: random.Random, at: int, applied: date) -> Doc:
    three = applied.replace(year=applied.year - 3, day=min(applied.day, 28))
    made: Doc = {
        "id": f"P{at}", "kind": pick.choice(("invention", "utility_model", "software_copyright", *KINDS)),
        "acquired": pick.choice(("self", "self", "self", "transfer", "gift", "merger", "exclusive_licence")),
        "granted_on": pick.choice((
            three, three - timedelta(days=1), applied, applied + timedelta(days=1), applied - timedelta(days=400),
        )).isoformat(),
        "in_force": pick.random() < 0.95, "owned": pick.random() < 0.9, "related": pick.random() < 0.9,
    }  # fmt: skip
    if pick.random() < 0.2:
        used = {"programme": pick.choice(("hnte", "sme")), "year": applied.year - pick.choice((0, 3, -1))}
        made["used_for"] = [used]
    for name in ("acquired", "granted_on", "in_force", "owned", "related"):
        if pick.random() < 0.03:
            del made[name]
    return made


def incident(pick: random.Random, applied: date) -> Doc:
    made: Doc = {
        "kind": pick.choice(("safety", "quality", "environment", "dishonesty")),
        "on": (applied - timedelta(days=pick.choice((0, 364, 365, 366, -1)))).isoformat(),
        "major": pick.random() < 0.7,
    }  # fmt: skip
    if pick.random() < 0.2:
        del made[pick.choice(tuple(made))]
    return made


MOST = {
    "conversion": 30, "growth_net_assets": 10, "growth_sales": 10, "rd_rules": 6, "rd_body": 6, "ip_acquisition": 6,
    "conversion_incentives": 4, "staff_training": 4, "standards_bonus": 2,
}  # fmt: skip


def judgements(pick: random.Random) -> Doc:
    said: Doc = {name: pick.random() < 0.9 for name in CHECKS if pick.random() < 0.95}
    style: Callable[[random.Random, int], Any] = pick.choice((points, points, points, coefficient, anything))
    for name in sorted(COMMON_JUDGEMENTS - {*CHECKS, "rd_checks_met"}):
        if pick.random() < 0.8:
            said[name] = style(pick, MOST.get(name, 8))
    if pick.random() < 0.7:
        said["rd_checks_met"] = pick.randint(0, 5)
    if pick.random() < 0.02:
        said[pick.choice(("made_up", "rd_checks_met", *CHECKS))] = pick.choice((7, "2.5", True, -1))
    return said


def points(pick: random.Random, most: int) -> Any:
    given = max(0, most - pick.choice((0, 0, 0, 1, 1, 2, 3, 4, 6)))
    return pick.choice((given, given, str(given), f"{given}.0")) if pick.random() < 0.999 else most + 1


def coefficient(pick: random.Random, _most: int) -> Any:
    return pick.choice(
        ("1", "0.8", "0.79", "0.9", "0.6", "0.55", "0.4", "0.39", "0.2", "0.19", "0.01", "0", "0.85")
    )


def anything(pick: random.Random, most: int) -> Any:
    return pick.choice((0, 1, 2, most, "0.795", "0.5", "9.5", most + 1, -1, True, "0.123456"))


def without(pick: random.Random, document: Doc) -> None:
    """Leaves some facts out, anywhere."""
    for _ in range(pick.randint(1, 4)):
        holder = pick.choice(holders(document))
        keys = [key for key in holder if key not in {"year", "id", "kind", "result"}]
        if keys:
            del holder[pick.choice(keys)]


def spoiled(pick: random.Random, document: Doc) -> Doc:
    """The same with something nasty somewhere."""
    holder = pick.choice(holders(document))
    if holder and pick.random() < 0.9:
        holder[pick.choice(tuple(holder))] = pick.choice(NASTY)
    else:
        holder["made_up"] = 1
    if pick.random() < 0.1 and isinstance(document.get("years"), list):
        document["years"] += document["years"][:1]
    return document


def holders(document: Any) -> list[Doc]:
    """Every mapping in the document."""
    inner = (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    )
    found = [document] if isinstance(document, dict) else []
    return found + [holder for value in inner for holder in holders(value)]
