"""Rumours of our own wording, one per test, what is true about them, and ordinary texts around them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rumour:
    text: str
    truth: str
    locale: str


WATERMELON = Rumour(
    "注意了！农科院刚刚发布通报，市场上87%的西瓜都被注射了甜蜜素和红色染料，孩子吃两块就会中毒住院，请赶快告诉邻居",
    "农业部门抽检结果显示，西瓜没有注射痕迹；瓜瓤颜色深浅由品种和成熟程度决定，向瓜内注水只会让瓜迅速腐烂",
    "zh-CN",
)
SCHOOL = Rumour(
    "家长们请留意，城东第三小学旁边今早出现一辆白色面包车，已经有6个孩子被拐走，警察让大家放学前务必到校门口接人",
    "警方表示城东片区近期无儿童失踪报案，所传车辆属于送水公司，司机当天在为食堂配送桶装水",
    "zh-CN",
)
SUBWAY = Rumour(
    "内部消息：地铁五号线隧道昨夜渗水超过3米深，运营公司隐瞒不报，下周起全线停运半年，赶紧改坐公交车上班",
    "地铁运营单位公布了巡检记录，五号线隧道干燥，列车照常运行，施工围挡是为了新建换乘通道",
    "zh-CN",
)
BATTERY = Rumour(
    "Engineers from the national grid warned on Monday that home batteries older than 5 years will be switched off "
    "remotely this winter and that owners must pay a removal fee",
    "The grid operator has no access to home batteries. The fee in the post belongs to an unrelated recycling scheme "
    "in another country",
    "en",
)
BEES = Rumour(
    "A leaked memo shows that the agriculture ministry released 4000 robotic bees over the valley last week to replace "
    "the real ones that farmers were told to poison",
    "The memo carries a letterhead that was retired long ago, and beekeepers in the valley report healthy "
    "colonies after the spring count",
    "en",
)
VITAMIN = Rumour(
    "Nurses in three clinics confirmed that swallowing 9 vitamin tablets before lunch removes every trace of alcohol "
    "from the blood within ten minutes of driving",
    "Alcohol leaves the body at a steady pace that tablets cannot hurry. The clinics named in the message never spoke "
    "about it",
    "en",
)
PASSED_ON = (
    Rumour(
        "刚刚接到亲戚电话，老家县城的粮库进水，3万吨大米全部发霉还照样卖给超市，最近千万别买散装米",
        "粮库监测数据正常，市场监管部门抽检的大米全部合格",
        "zh-CN",
    ),
    Rumour(
        "航空公司客服私下说，从十月一日起所有国内机票要加收120元的座位清洁费，现在退票还来得及",
        "民航部门没有批准任何新的附加费，退改规则没有变化",
        "zh-CN",
    ),
    Rumour(
        "A retired pilot revealed that 16 airports will close their night runways for good because the lamps attract "
        "swarms of migrating moths",
        "Runway timetables are public and unchanged; lamps were renewed in stages, one lane after another",
        "en",
    ),
)
ORDINARY = (
    "西瓜含水量很高，夏天冷藏之后口感更好，切开后应当用保鲜膜盖住并尽快吃完。",
    "A home battery stores energy from solar panels during the day for the evening.",
)
