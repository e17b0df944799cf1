# ruff: noqa: INP001 - a script, not a package
"""Writes data/demo/2009/enterprises.xlsx and assets.xlsx: sixty made-up enterprises of a coastal city, 2006-2008.

The same seed gives the same figures. The twelve that apply for HNTE are drawn by hand so that each verdict has
one known reason; make_demo_2009_cases.py writes what happens to them.
"""

import io
import random
import re
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

from casework.uscc import check_character

SEED = 2009
YEARS = (2006, 2007, 2008)
PLACES = {"阳江市": "441702", "阳西县": "441721", "阳东县": "441723", "阳春市": "441781"}

# brand, trade; the place follows from the trade's homes below
NAMES = {
    "刀剪": "锋海 利泽 铸锋 钢琢 刃川 银帆 百炼 霜痕 巧裁 精刃 匠锋 海刃 快川 瑞剪",
    "五金制品": "固川 恒扣 铆海 联锁 金榫 宏铰 坚门 合页 铜湾 匠扣",
    "食品": "湾味 豉香 海晒 甘泽 稻湾 果岭 咸风",
    "水产科技": "蚝湾 鲷海 虾泽 藻蓝 深网 潮鲜 贝川 礁生",
    "南药": "砂仁谷 益智山 春砂堂 岭参 橘井湾",
    "新材料": "钛岸 碳屿 镍川 玻纤湾 晶岸 膜泽",
    "机电设备": "转子湾 风岸 泵川 磨锋 数控湾",
    "环保科技": "净潮 绿岸 清川",
    "软件": "潮算 岸数",
}
HOMES = {
    "刀剪": ("阳江市", "阳东县"),
    "五金制品": ("阳东县", "阳江市"),
    "食品": ("阳西县", "阳江市"),
    "水产科技": ("阳西县", "阳江市"),
    "南药": ("阳春市",),
}
KINDS = ("发明专利", "实用新型", "外观设计", "软件著作权", "商标")


@dataclass
class Applicant:
    """An HNTE applicant drawn by hand. Money in 万元; `staff` = total, S&T, college, R&D in 2008."""

    sales: tuple[str, ...]
    assets: tuple[str, ...]
    spend: tuple[str, ...]
    high_tech: str
    staff: tuple[int, int, int, int]
    rights: str  # one letter per right: I invention, U utility model, D design, S software, T trademark
    conversions: int
    items: bool = False
    established_on: date | None = None


# index of the enterprise: what it brings. 1-7 pass, 8-12 are the others.
APPLICANTS = {
    0: Applicant(("2400", "3200", "4200"), ("1800", "2100", "2600"), ("150", "220", "300"), "3444", (80, 34, 28, 12), "IUU", 12),
    3: Applicant(("4100", "4500", "5000"), ("3900", "4300", "4700"), ("180", "205", "240"), "3900", (160, 62, 52, 20), "IUUD", 14),
    14: Applicant(("18000", "20500", "23000"), ("15000", "17200", "19800"), ("590", "690", "815"), "16400", (620, 230, 201, 74), "IIUUUU", 15),
    24: Applicant(("6200", "7600", "9900"), ("5100", "6500", "8400"), (), "7150", (210, 84, 71, 27), "UUUUUD", 13, items=True),
    31: Applicant(("3150", "3900", "4600"), ("2500", "3100", "3900"), ("200", "245", "295"), "3500", (118, 46, 39, 15), "UUUUU", 12),
    44: Applicant(("980", "1450"), ("900", "1260"), ("70", "104"), "1120", (46, 22, 19, 9), "ISS", 8, established_on=date(2007, 2, 12)),
    50: Applicant(("7300", "8100", "9600"), ("6900", "7700", "9000"), ("320", "365", "430"), "7000", (240, 96, 80, 29), "IUU", 13),
    6: Applicant(("3300", "3700", "4300"), ("2700", "3000", "3500"), ("210", "235", "280"), "3100", (150, 45, 39, 18), "IUU", 12),
    16: Applicant(("2800", "3500", "4400"), ("2300", "2800", "3500"), ("140", "178", "228"), "3300", (110, 42, 36, 14), "IUUU", 12),
    36: Applicant(("5600", "6400", "7500"), ("5200", "6000", "7000"), ("240", "275", "325"), "5400", (190, 72, 60, 22), "IUU", 12),
    46: Applicant(("4600", "5300", "6200"), ("4200", "4900", "5700"), ("200", "230", "270"), "3300", (140, 56, 47, 17), "IUD", 12),
    56: Applicant(("1900", "2300", "2900"), ("1500", "1850", "2300"), ("120", "146", "186"), "2200", (64, 27, 22, 9), "IU", 12),
}  # fmt: skip
SPENDS = ("98", "120", "156"), ("130", "160", "205"), ("30", "36", "46"), ("6", "7", "9")


@dataclass
class Firm:
    uscc: str
    name: str
    region: str
    established_on: date
    years: list[list[object]] = field(default_factory=list)
    items: list[list[object]] = field(default_factory=list)
    rights: list[list[object]] = field(default_factory=list)
    conversions: list[list[object]] = field(default_factory=list)


def code(region: str, serial: int) -> str:
    """A unified social credit code whose organisation code (GB 11714) also has its right check character."""
    body = f"{serial:08d}"
    rest = 11 - sum(int(d) * w for d, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    first = f"91{region}{body}{'X' if rest == 10 else rest % 11}"
    return first + check_character(first)


def firms() -> list[Firm]:
    chance = random.Random(SEED)  # noqa: S311 - made-up figures
    named = [(trade, brand) for trade, brands in NAMES.items() for brand in brands.split()]
    made = []
    for index, (trade, brand) in enumerate(named):
        place = chance.choice(HOMES.get(trade, tuple(PLACES)))
        founded = date(chance.randrange(1996, 2005), 1, 1) + timedelta(days=chance.randrange(365))
        applicant = APPLICANTS.get(index)
        if applicant and applicant.established_on:
            founded = applicant.established_on
        region = PLACES[place]
        firm = Firm(
            code(region, chance.randrange(61_000_000, 79_000_000)),
            f"{place}{brand}{trade}有限公司",
            region,
            founded,
        )
        fill(firm, applicant or draw(chance), chance, index)
        made.append(firm)
    return made


def draw(chance: random.Random) -> Applicant:
    """An enterprise that does not apply for HNTE: smaller, with less research."""
    sales, assets = chance.randrange(300, 3000), chance.randrange(250, 2600)
    grow = [1, 1 + chance.randrange(2, 25) / 100, 1 + chance.randrange(20, 50) / 100]
    total = chance.randrange(18, 160)
    technical = total * chance.randrange(6, 22) // 100
    rights = "".join(chance.choices("IUDST", (1, 4, 3, 1, 4), k=chance.randrange(5)))
    return Applicant(
        tuple(str(round(sales * g)) for g in grow),
        tuple(str(round(assets * g)) for g in grow),
        tuple(str(round(sales * g * chance.randrange(5, 40) / 1000)) for g in grow),
        str(round(sales * grow[2] * chance.randrange(10, 55) / 100)),
        (total, technical, technical * 2 // 3, technical // 2),
        rights,
        chance.randrange(5),
    )


def fill(firm: Firm, plan: Applicant, chance: random.Random, index: int) -> None:
    years = YEARS[-len(plan.sales) :]
    for place, year in enumerate(years):
        share = Decimal(100 - 8 * (len(years) - 1 - place)) / 100
        sales, assets = Decimal(plan.sales[place]), Decimal(plan.assets[place])
        spend = Decimal(plan.spend[place]) if plan.spend else None
        firm.years.append([
            firm.uscc, year, float(sales), float(sales * Decimal("1.04")),
            float(Decimal(plan.high_tech) * sales / Decimal(plan.sales[-1]) // 1 if year != 2008 else Decimal(plan.high_tech)),
            float(sales * Decimal("0.86")), float(assets * Decimal("0.58")), float(assets),
            spend and int(spend * 10_000), spend and int(spend * 9_000),
            *(max(1, int(people * share)) if people else 0 for people in plan.staff),
        ])  # fmt: skip
        if plan.items:
            personnel, direct, depreciation, other = (Decimal(each[place]) for each in SPENDS)
            firm.items.append(
                [
                    firm.uscc,
                    year,
                    *(float(each) for each in (personnel, direct, depreciation, 4, 11, 8, 40, 0, other)),
                ]
            )
    own_rights(firm, plan, chance, index)
    for number in range(plan.conversions):
        firm.conversions.append(
            [firm.uscc, f"成果{index + 1:02d}-{number + 1:02d}", years[number % len(years)]]
        )


def right_number(letter: str, year: int, serial: str) -> str:
    """A patent's number ends in a check digit: weights 2 to 9, then from 2 again, mod 11."""
    if letter == "S":
        return f"{year}SR0{serial}"
    if letter == "T":
        return f"TM4{serial}"
    body = f"{year}{'IUD'.index(letter) + 1}00{serial}"
    rest = sum(int(digit) * (place % 8 + 2) for place, digit in enumerate(body)) % 11
    return f"ZL{body}.{'X' if rest == 10 else rest}"


def own_rights(firm: Firm, plan: Applicant, chance: random.Random, index: int) -> None:
    for number, letter in enumerate(plan.rights, start=1):
        kind = KINDS["IUDST".index(letter)]
        start = max(date(2006, 7, 1), firm.established_on + timedelta(days=60))
        granted = start + timedelta(days=chance.randrange((date(2008, 12, 20) - start).days))
        serial, life = f"{index + 1:03d}{number:02d}", {"I": 20, "U": 10, "D": 10, "S": 50, "T": 10}[letter]
        filed = (
            granted if letter in "ST" else granted - timedelta(days={"I": 760, "U": 330, "D": 250}[letter])
        )
        name = right_number(letter, filed.year, serial)
        way = "受让" if letter in "IUD" and filed < firm.established_on else "自主研发"
        firm.rights.append([
            firm.uscc, name, kind, way, granted, "是", "是", "否" if letter == "T" else "是",
            filed.replace(year=filed.year + life, day=min(filed.day, 28)),
        ])  # fmt: skip


HEADINGS = {
    "企业": ["统一社会信用代码", "企业名称", "行政区划代码", "成立日期", "是否内地居民企业", "联系邮箱", "语言"],
    "年度": ["统一社会信用代码", "年度", "销售收入（万元）", "总收入（万元）", "高新技术产品收入（万元）", "成本费用（万元）",
           "净资产（万元）", "总资产（万元）", "研发费用（元）", "境内研发费用（元）", "职工总数", "科技人员", "大专以上人员", "研发人员"],
    "知识产权": ["统一社会信用代码", "编号", "种类", "取得方式", "授权日期", "是否有效", "是否自有", "是否与主要产品相关"],
    "成果转化": ["统一社会信用代码", "成果编号", "转化年度"],
    "研发费用": ["统一社会信用代码", "年度", "人员人工费用（万元）", "直接投入费用（万元）", "折旧费用与长期待摊费用（万元）",
             "无形资产摊销费用（万元）", "设计费用（万元）", "装备调试费用与试验费用（万元）", "委托境内研发费用（万元）",
             "委托境外研发费用（万元）", "其他费用（万元）"],
    "事故": ["统一社会信用代码", "种类", "日期", "是否重大"],
}  # fmt: skip
REGISTER = [
    "编号",
    "统一社会信用代码",
    "种类",
    "取得方式",
    "授权日期",
    "届满日期",
    "是否有效",
    "是否自有",
    "是否与主要产品相关",
]


def enterprise_rows(made: list[Firm]) -> dict[str, list[list[object]]]:
    return {
        "企业": [
            [firm.uscc, firm.name, firm.region, firm.established_on, "是",
             f"contact{number:02d}@enterprise.example", "英文" if number % 20 == 5 else "中文"]
            for number, firm in enumerate(made, start=1)
        ],
        "年度": [row for firm in made for row in firm.years],
        "知识产权": [row[:-1] for firm in made for row in firm.rights],
        "成果转化": [row for firm in made for row in firm.conversions],
        "研发费用": [row for firm in made for row in firm.items],
        "事故": [[made[20].uscc, "安全事故", date(2008, 8, 14), "否"], [made[27].uscc, "环境违法", date(2007, 11, 2), "否"]],
    }  # fmt: skip


def register_rows(made: list[Firm]) -> list[list[object]]:
    """Every right of the workbook, and three old designs that run out in the course of 2009."""
    rows = [
        [right[1], right[0], right[2], right[3], right[4], right[8], *right[5:8]]
        for firm in made
        for right in firm.rights
    ]
    for number, owner in enumerate((9, 19, 28)):
        granted, expires = date(1999, 12, 1 + number), date(2009, 4 + 3 * number, 10)
        firm = made[owner]
        way = "受让" if granted < firm.established_on else "自主研发"
        rows.append(
            [
                f"ZL99307{number}46.{(9, 5, 1)[number]}",
                firm.uscc,
                "外观设计",
                way,
                granted,
                expires,
                "是",
                "是",
                "否",
            ]
        )
    return rows


def save(path: Path, sheets: dict[str, tuple[list[str], list[list[object]]]]) -> None:
    book, stream = Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for name, (headings, rows) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(headings)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for row in rows:
            sheet.append(row)
        sheet.freeze_panes = "A2"
    book.save(stream)
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for (
            part
        ) in source.infolist():  # without the time of writing, so that the same figures give the same file
            content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2009-01-05T00:00:00Z", source.read(part))
            target.writestr(
                zipfile.ZipInfo(part.filename, (2009, 1, 5, 0, 0, 0)), content, zipfile.ZIP_DEFLATED
            )


def main(folder: Path) -> None:
    made = firms()
    rows = enterprise_rows(made)
    save(folder / "enterprises.xlsx", {name: (HEADINGS[name], rows[name]) for name in HEADINGS})
    save(folder / "assets.xlsx", {"知识产权": (REGISTER, register_rows(made))})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo" / "2009")
