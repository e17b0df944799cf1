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
FINANCING, PLEDGE = "financing", "ip-pledge-financing"
ENTERPRISE = ["enterprise.id", "enterprise.name", "enterprise.region", "enterprise.established_on"]
TITLE = ["title.programme", "title.level", "title.number", "title.granted_on", "title.valid_until"]
NEED = ["need.amount", "need.term_months", "need.use"]
HNTE, ADVANTAGE = "hnte", "ip-advantage"

BANKS = (
    ("hailing-bay", "海陵湾银行", "Hailing Bay Bank"),
    ("moyang-river", "漠阳江银行", "Moyang River Bank"),
    ("dongping-harbour", "东平港村镇银行", "Dongping Harbour Village Bank"),
    ("north-hill", "北山城市银行", "North Hill City Bank"),
)
# bank, product, names, most in yuan, months, yearly rate from and to, titles that open it (none: open to all)
PRODUCTS: tuple[tuple[Any, ...], ...] = (
    ("hailing-bay", "hnte-credit", "高企信用贷", "HNTE credit loan", "10000000", 36, "0.0531", "0.0585", [HNTE]),
    ("hailing-bay", "turnover", "中小企业流动资金贷", "SME working-capital loan", "3000000", 12, "0.0584", "0.0637", []),
    ("moyang-river", "ip-pledge", "知识产权质押贷", "IP-pledge loan", "5000000", 24, "0.0558", "0.0621", [ADVANTAGE]),
    ("moyang-river", "equipment", "设备更新贷", "Equipment loan", "8000000", 60, "0.0576", "0.0632", []),
    ("dongping-harbour", "hnte-small", "高企小额贷", "Small loan for HNTEs", "2000000", 12, "0.0567", "0.0637", [HNTE]),
    ("north-hill", "season", "水产南药季节贷", "Season loan for fishery and herbs", "5000000", 12, "0.0558", "0.0610", []),
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
    wish: tuple[str, str, int, str] | None = None  # day, yuan, months, use
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
    Loan(0, "hailing-bay", "hnte-credit", "2009-09-08", "2010-09-07",
         lent("2009-10-15", "5000000", "0.0540", 24, "2009-10-28", "HLW-2009-0117")),
    Loan(3, "hailing-bay", "hnte-credit", "2009-09-09", "2010-09-08",
         lent("2009-10-16", "6500000", "0.0531", 36, "2009-11-04", "HLW-2009-0121")),
    Loan(14, "hailing-bay", "hnte-credit", "2009-09-10", "2010-09-09",
         (("accepted", "2009-10-19"), ("returned", "2009-10-22", "请补充2009年前三季度财务报表"))),
    Loan(14, "moyang-river", "ip-pledge", "2009-06-10", "2009-09-30",
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
         lent("2009-04-20", "1800000", "0.0605", 12, "2009-05-08", "HLW-2009-0052"), wish=("2009-04-14", "2000000", 12, "采购不锈钢材料")),
    Loan(20, "north-hill", "season", "2009-05-11", "2010-05-10",
         (("rejected", "2009-05-18", "safety", "近一年内有安全事故记录", "2010-01-04"),), wish=("2009-05-12", "1200000", 12, "备货")),
    Loan(33, "north-hill", "season", "2009-06-08", "2010-06-07",
         lent("2009-06-15", "3000000", "0.0575", 12, "2009-06-26", "BS-2009-0203"), wish=("2009-06-09", "3000000", 12, "收购鲜虾")),
    Loan(58, "moyang-river", "equipment", "2009-08-03", "2010-08-02",
         (("accepted", "2009-08-10"), ("returned", "2009-08-12", "请补充设备购置合同")), wish=("2009-08-04", "900000", 36, "购置服务器与开发设备")),
)  # fmt: skip


def products() -> list[dict[str, Any]]:
    return [
        {
            "bank_id": bank,
            "product_id": product,
            "name": {"zh": zh, "en": en},
            "amount_max": amount,
            "term_months_max": months,
            "annual_rate_from": low,
            "annual_rate_to": high,
            "programmes": titles,
        }
        for bank, product, zh, en, amount, months, low, high, titles in PRODUCTS
    ]


def purpose(loan: Loan) -> str:
    return PLEDGE if loan.product == "ip-pledge" else FINANCING


def consent(loan: Loan, firm: EnterpriseRow) -> dict[str, Any]:
    withdrawn = {"withdrawn_on": date.fromisoformat(loan.withdrawn_on)} if loan.withdrawn_on else {}
    return {
        "enterprise_id": firm.enterprise_id,
        "enterprise_name": firm.name,
        "bank_id": loan.bank,
        "purpose": purpose(loan),
        "fields": [*ENTERPRISE, *(NEED if loan.wish else TITLE)],
        "text_version": TEXT_VERSION,
        "on_title": loan.wish is None,
        "given_on": date.fromisoformat(loan.given_on),
        "expires_on": date.fromisoformat(loan.expires_on),
        **withdrawn,
    }


def wish(loan: Loan, firm: EnterpriseRow) -> list[dict[str, Any]]:
    if loan.wish is None:
        return []
    day, yuan, months, use = loan.wish
    return [
        {
            "on": date.fromisoformat(day),
            "enterprise_id": firm.enterprise_id,
            "bank_id": loan.bank,
            "product_id": loan.product,
            "purpose": purpose(loan),
            "amount": yuan,
            "term_months": months,
            "use": use,
        }
    ]


def outcome(number: int, loan: Loan, firm: EnterpriseRow) -> dict[str, Any]:
    return {
        "enterprise_id": firm.enterprise_id,
        "bank_id": loan.bank,
        "product_id": loan.product,
        "answers": [
            {"on": date.fromisoformat(day), **answer(kind, day, f"{loan.bank}/{number:03d}/{place}", *rest)}
            for place, (kind, day, *rest) in enumerate(loan.answers, start=1)
        ],
    }


def answer(kind: str, day: str, reference: str, *rest: str) -> dict[str, Any]:
    """What the bank hands in."""
    found: dict[str, Any] = {"kind": kind, "bank_reference": reference}
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
    write(
        folder / "outcomes.yaml",
        {"outcomes": [outcome(n, loan, firm) for n, (loan, firm) in enumerate(each, start=1)]},
    )


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo" / "2009")
