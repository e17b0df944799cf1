# ruff: noqa: INP001 - a script, not a package
"""Writes products, consents, wishes and outcomes of data/demo/2009: which bank may know what, and what it answers.

Run after make_demo_2009.py; enterprises are named by their place in enterprises.xlsx.
"""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from certification.intake import EnterpriseRow, read_workbook

TEXT_VERSION = "2009-01"
PURPOSE = "贷款授信审查"
FIELDS = ["name", "region", "established_on", "titles"]
HNTE, ADVANTAGE = "hnte", "ip-advantage"

BANKS = (
    ("hailing-bay", "海陵湾银行", "Hailing Bay Bank"),
    ("moyang-river", "漠阳江银行", "Moyang River Bank"),
    ("dongping-harbour", "东平港村镇银行", "Dongping Harbour Village Bank"),
    ("north-hill", "北山城市银行", "North Hill City Bank"),
)
# bank, product, names, most in yuan, months, yearly rate from and to, titles that open it, also on the own wish
PRODUCTS: tuple[tuple[Any, ...], ...] = (
    ("hailing-bay", "hnte-credit", "高企信用贷", "HNTE credit loan", "10000000", 36, "0.0531", "0.0585", [HNTE], False),
    ("hailing-bay", "turnover", "中小企业流动资金贷", "SME working-capital loan", "3000000", 12, "0.0584", "0.0637", [], True),
    ("moyang-river", "ip-pledge", "知识产权质押贷", "IP-pledge loan", "5000000", 24, "0.0558", "0.0621", [ADVANTAGE], False),
    ("moyang-river", "equipment", "设备更新贷", "Equipment loan", "8000000", 60, "0.0576", "0.0632", [], True),
    ("dongping-harbour", "hnte-small", "高企小额贷", "Small loan for HNTEs", "2000000", 12, "0.0567", "0.0637", [HNTE], False),
    ("north-hill", "season", "水产南药季节贷", "Season loan for fishery and herbs", "5000000", 12, "0.0558", "0.0610", [], True),
)  # fmt: skip


@dataclass(frozen=True)
class Loan:
    """One consent and the referral that follows: on a title's grant, or on the enterprise's own wish."""

    firm: int
    bank: str
    product: str
    given_on: str
    expires_on: str
    answers: tuple[tuple[str, ...], ...]
    wish: tuple[str, str, int] | None = None  # day, yuan, months
    withdrawn_on: str | None = None


def lent(  # noqa: PLR0917 - a row of the table below
    day: str, yuan: str, rate: str, months: int, paid: str, contract: str
) -> tuple[tuple[str, ...], ...]:
    return (
        ("accepted", day),
        ("approved", day, yuan, rate, str(months)),
        ("disbursed", paid, contract, yuan),
    )


LOANS = (
    Loan(0, "hailing-bay", "hnte-credit", "2009-05-20", "2010-05-19",
         lent("2009-10-15", "5000000", "0.0540", 24, "2009-10-28", "HLW-2009-0117")),
    Loan(3, "hailing-bay", "hnte-credit", "2009-06-02", "2010-06-01",
         lent("2009-10-16", "6500000", "0.0531", 36, "2009-11-04", "HLW-2009-0121")),
    Loan(14, "hailing-bay", "hnte-credit", "2009-06-10", "2010-06-09",
         (("accepted", "2009-10-19"), ("returned", "2009-10-22", "请补充2009年前三季度财务报表"))),
    Loan(14, "moyang-river", "ip-pledge", "2009-06-10", "2010-06-09",
         lent("2009-09-28", "4000000", "0.0562", 24, "2009-10-12", "MYJ-2009-0046")),
    Loan(24, "dongping-harbour", "hnte-small", "2009-06-15", "2010-06-14",
         (("accepted", "2009-10-20"),
          ("rejected", "2009-11-02", "collateral", "抵押物不足，且同期已有未结清贷款", "2010-05-04"))),
    Loan(44, "dongping-harbour", "hnte-small", "2009-07-01", "2010-06-30",
         lent("2009-10-21", "1500000", "0.0588", 12, "2009-11-06", "DPG-2009-0009")),
    Loan(11, "moyang-river", "ip-pledge", "2009-07-06", "2010-07-05",
         (("accepted", "2009-09-29"), ("approved", "2009-10-19", "2000000", "0.0590", "24"))),
    Loan(28, "moyang-river", "ip-pledge", "2009-07-08", "2010-07-07",
         (("rejected", "2009-09-30", "term", "专利剩余有效期短于贷款期限", ""),)),
    Loan(40, "moyang-river", "ip-pledge", "2009-07-09", "2010-07-08",
         (("accepted", "2009-09-29"),), withdrawn_on="2009-10-13"),
    Loan(2, "hailing-bay", "turnover", "2009-04-13", "2010-04-12",
         lent("2009-04-20", "1800000", "0.0605", 12, "2009-05-08", "HLW-2009-0052"), wish=("2009-04-14", "2000000", 12)),
    Loan(20, "north-hill", "season", "2009-05-11", "2010-05-10",
         (("rejected", "2009-05-18", "safety", "近一年内有安全事故记录", "2010-01-04"),), wish=("2009-05-12", "1200000", 12)),
    Loan(33, "north-hill", "season", "2009-06-08", "2010-06-07",
         lent("2009-06-15", "3000000", "0.0575", 12, "2009-06-26", "BS-2009-0203"), wish=("2009-06-09", "3000000", 12)),
    Loan(58, "moyang-river", "equipment", "2009-08-03", "2010-08-02",
         (("accepted", "2009-08-10"), ("returned", "2009-08-12", "请补充设备购置合同")), wish=("2009-08-04", "900000", 36)),
)  # fmt: skip


def products() -> list[dict[str, Any]]:
    return [
        {
            "bank_id": bank,
            "product_id": product,
            "name": {"zh": zh, "en": en},
            "amount_max": amount,
            "term_months_max": months,
            "annual_rate": {"from": low, "to": high},
            "who_may_apply": {"titles": titles, "own_wish": wish},
        }
        for bank, product, zh, en, amount, months, low, high, titles, wish in PRODUCTS
    ]


def consent(loan: Loan, firm: EnterpriseRow) -> dict[str, Any]:
    withdrawn = {"withdrawn_on": date.fromisoformat(loan.withdrawn_on)} if loan.withdrawn_on else {}
    return {
        "enterprise_id": firm.enterprise_id,
        "enterprise_name": firm.name,
        "bank_id": loan.bank,
        "purpose": PURPOSE,
        "fields": list(FIELDS),
        "text_version": TEXT_VERSION,
        "given_on": date.fromisoformat(loan.given_on),
        "expires_on": date.fromisoformat(loan.expires_on),
        **withdrawn,
    }


def wish(loan: Loan, firm: EnterpriseRow) -> list[dict[str, Any]]:
    if loan.wish is None:
        return []
    day, yuan, months = loan.wish
    return [
        {
            "on": date.fromisoformat(day),
            "enterprise_id": firm.enterprise_id,
            "bank_id": loan.bank,
            "product_id": loan.product,
            "purpose": PURPOSE,
            "amount": yuan,
            "term_months": months,
        }
    ]


def outcome(loan: Loan, firm: EnterpriseRow) -> dict[str, Any]:
    return {
        "enterprise_id": firm.enterprise_id,
        "bank_id": loan.bank,
        "product_id": loan.product,
        "answers": [answer(*parts) for parts in loan.answers],
    }


def answer(kind: str, day: str, *rest: str) -> dict[str, Any]:
    """What the bank hands in; the words are those of the referral's states."""
    found: dict[str, Any] = {"on": date.fromisoformat(day), "answer": kind}
    if kind == "returned":
        found |= {"reason": rest[0]}
    elif kind == "approved":
        found |= {"amount": rest[0], "annual_rate": rest[1], "term_months": int(rest[2])}
    elif kind == "disbursed":
        found |= {"contract_number": rest[0], "amount": rest[1], "disbursed_on": date.fromisoformat(day)}
    elif kind == "rejected":
        again = date.fromisoformat(rest[2]) if rest[2] else None
        found |= {"reason_code": rest[0], "reason": rest[1], "next_application_on": again}
    return found


def main(folder: Path) -> None:
    firms = read_workbook((folder / "enterprises.xlsx").read_bytes()).enterprises
    each = [(loan, firms[loan.firm]) for loan in LOANS]
    banks = [{"bank_id": bank, "name": {"zh": zh, "en": en}} for bank, zh, en in BANKS]
    write(folder / "products.yaml", {"banks": banks, "products": products()})
    write(folder / "consents.yaml", {"consents": [consent(loan, firm) for loan, firm in each]})
    write(folder / "wishes.yaml", {"wishes": [entry for loan, firm in each for entry in wish(loan, firm)]})
    write(folder / "outcomes.yaml", {"outcomes": [outcome(loan, firm) for loan, firm in each]})


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo" / "2009")
