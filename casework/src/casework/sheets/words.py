"""The words that bureaus write for kinds of IP and the ways to acquire it, and the facts' codes for them."""

IP_KINDS = {
    "发明专利": "invention",
    "发明": "invention",
    "国防专利": "defence_invention",
    "植物新品种": "plant_variety",
    "国家级农作物品种": "crop_variety",
    "国家新药": "new_drug",
    "国家一级中药保护品种": "tcm_variety",
    "集成电路布图设计": "ic_layout",
    "集成电路布图设计专有权": "ic_layout",
    "实用新型": "utility_model",
    "实用新型专利": "utility_model",
    "外观设计": "design",
    "外观设计专利": "design",
    "软件著作权": "software_copyright",
    "计算机软件著作权": "software_copyright",
    "商标": "trademark",
    "注册商标": "trademark",
}
WAYS_ACQUIRED = {
    "自主研发": "self",
    "自行研发": "self",
    "自主研究开发": "self",
    "受让": "transfer",
    "转让": "transfer",
    "受赠": "gift",
    "并购": "merger",
    "独占许可": "exclusive_licence",
}
