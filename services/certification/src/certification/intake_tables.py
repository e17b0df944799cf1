"""The sheets of a bureau's workbook: Chinese headings and words on the left, the facts' names on the right."""

import re

from casework.sheets import Cell, Column, Reason, Table
from casework.sheets.values import (
    NotReadable,
    choice,
    day,
    email,
    plain,
    quantity,
    region,
    shown,
    text,
    uscc,
    year,
    yes_no,
)
from casework.sheets.words import IP_KINDS, WAYS_ACQUIRED

INCIDENT_KINDS = {
    "安全事故": "safety",
    "安全": "safety",
    "质量事故": "quality",
    "质量": "quality",
    "环境违法": "environment",
    "环境": "environment",
    "失信": "dishonesty",
    "严重失信": "dishonesty",
}
LANGUAGES = {"中文": "zh-CN", "简体中文": "zh-CN", "zh": "zh-CN", "英文": "en", "英语": "en", "English": "en"}

PROGRAMMES = {"高新技术企业": "hnte", "高企": "hnte", "知识产权优势企业": "ip-advantage"}
NOT_A_USE = Reason("not-a-use", "{value} does not say for what and when, such as 高新技术企业 2013.")
_USE = re.compile(r"(\D+?)(\d{4})年?")


def uses(cell: Cell) -> list[dict[str, object]]:
    """What a right was already used for: a programme and a year, several parted by semicolons."""
    found = []
    for use in re.split("[;,、]", plain(shown(cell))):
        match = _USE.fullmatch(use)
        programme = PROGRAMMES.get(match[1], match[1]) if match else ""
        if match is None or programme not in PROGRAMMES.values():
            raise NotReadable(NOT_A_USE, value=shown(cell))
        found.append({"programme": programme, "year": int(match[2])})
    return found


ENTERPRISE = Column(
    "enterprise_id", "统一社会信用代码", uscc, synonyms=("社会信用代码", "信用代码"), filled=True
)
YEAR = Column("year", "年度", year, synonyms=("年份", "会计年度", "所属年度"), filled=True)

ENTERPRISES = Table(
    "企业",
    (
        ENTERPRISE,
        Column("name", "企业名称", text, synonyms=("名称", "单位名称"), filled=True),
        Column("region", "行政区划代码", region, synonyms=("行政区划", "区划代码"), filled=True),
        Column("established_on", "成立日期", day, synonyms=("注册日期", "注册成立日期"), filled=True),
        Column(
            "mainland_resident",
            "是否内地居民企业",
            yes_no,
            synonyms=("内地居民企业", "居民企业"),
            filled=True,
        ),
        Column(
            "contact_email", "联系邮箱", email, synonyms=("邮箱", "电子邮箱", "联系人邮箱"), compulsory=False
        ),
        Column("language", "语言", choice(LANGUAGES), synonyms=("通知语言",), compulsory=False),
    ),
    synonyms=("企业基本情况", "企业信息"),
)

YEARS = Table(
    "年度",
    (
        ENTERPRISE,
        YEAR,
        Column("sales_revenue", "销售收入", synonyms=("营业收入", "年销售收入")),
        Column("total_revenue", "总收入", synonyms=("企业总收入",)),
        Column("high_tech_revenue", "高新技术产品收入", synonyms=("高新技术产品(服务)收入", "高新收入")),
        Column("costs", "成本费用", synonyms=("成本费用总额",), compulsory=False),
        Column("net_assets", "净资产", synonyms=("年末净资产", "所有者权益"), signed=True),
        Column("total_assets", "总资产", synonyms=("年末总资产", "资产总额")),
        Column("rd_spend", "研发费用", synonyms=("研究开发费用", "研发费用总额"), compulsory=False),
        Column(
            "rd_spend_domestic",
            "境内研发费用",
            synonyms=("在中国境内研发费用", "其中境内研发费用"),
            compulsory=False,
        ),
        Column("staff.total", "职工总数", quantity, synonyms=("从业人员", "职工人数")),
        Column("staff.st", "科技人员", quantity, synonyms=("科技人员数",), compulsory=False),
        Column(
            "staff.college",
            "大专以上人员",
            quantity,
            synonyms=("大专以上科技人员", "大专以上学历科技人员", "大专以上学历人员"),
            compulsory=False,
        ),
        Column("staff.rd", "研发人员", quantity, synonyms=("研究开发人员", "研发人员数"), compulsory=False),
    ),
    synonyms=("年度数据", "财务数据", "年度经营"),
)

ASSETS = Table(
    "知识产权",
    (
        ENTERPRISE,
        Column("id", "编号", text, synonyms=("知识产权编号", "专利号", "授权号", "证书号"), filled=True),
        Column("kind", "种类", choice(IP_KINDS), synonyms=("类别", "知识产权种类", "类型"), filled=True),
        Column("acquired", "取得方式", choice(WAYS_ACQUIRED), synonyms=("获得方式",), filled=True),
        Column("granted_on", "授权日期", day, synonyms=("授权公告日", "取得日期"), filled=True),
        Column("in_force", "是否有效", yes_no, synonyms=("有效",), filled=True),
        Column("owned", "是否自有", yes_no, synonyms=("是否本企业所有",), filled=True),
        Column("related", "是否与主要产品相关", yes_no, synonyms=("是否支持主要产品",), filled=True),
        Column("used_for", "已用于申报", uses, synonyms=("已使用情况",), compulsory=False),
    ),
)

CONVERSIONS = Table(
    "成果转化",
    (
        ENTERPRISE,
        Column("result", "成果编号", text, synonyms=("成果", "成果名称", "转化成果"), filled=True),
        Column("year", "转化年度", year, synonyms=("年度", "年份", "转化年份"), filled=True),
    ),
    synonyms=("科技成果转化",),
)

RD_ITEMS = Table(
    "研发费用",
    (
        ENTERPRISE,
        YEAR,
        Column("personnel", "人员人工费用", synonyms=("人员人工",)),
        Column("direct_input", "直接投入费用", synonyms=("直接投入",)),
        Column("depreciation", "折旧费用与长期待摊费用", synonyms=("折旧费用与长期费用摊销", "折旧费用")),
        Column("amortisation", "无形资产摊销费用", synonyms=("无形资产摊销",)),
        Column("design", "设计费用", synonyms=("设计费",)),
        Column(
            "commissioning", "装备调试费用与试验费用", synonyms=("装备调试费", "装备调试费用", "设备调试费")
        ),
        Column("entrusted_domestic", "委托境内研发费用", synonyms=("境内委托研发费用", "委托境内")),
        Column("entrusted_abroad", "委托境外研发费用", synonyms=("境外委托研发费用", "委托境外")),
        Column("other", "其他费用", synonyms=("其他",)),
    ),
    synonyms=("研发费用明细",),
    optional=True,
)

INCIDENTS = Table(
    "事故",
    (
        ENTERPRISE,
        Column("kind", "种类", choice(INCIDENT_KINDS), synonyms=("类别", "事故种类"), filled=True),
        Column("on", "日期", day, synonyms=("发生日期",), filled=True),
        Column("major", "是否重大", yes_no, synonyms=("重大", "是否严重"), filled=True),
    ),
    synonyms=("事故与违法", "事故记录"),
    optional=True,
)

TABLES = (ENTERPRISES, YEARS, ASSETS, CONVERSIONS, RD_ITEMS, INCIDENTS)
NOTES = frozenset({"说明", "填表说明", "填报说明"})
