"""Rumours of our own wording, and what is true about them."""

from candor_refutation.domain.matching import RefutedClaim

GARLIC_ZH = "紧急通知！昨晚市中心医院的专家确认，连续七天每天生吃三瓣大蒜就能彻底杀死流感病毒，请马上转发给家人"
GARLIC_TRUTH_ZH = "市中心医院从未发布此通知。大蒜里的大蒜素只在试管里显示过抑菌作用，预防流感应当接种疫苗并勤洗手"
BRIDGE_ZH = "今天下午四点跨江二桥突然断裂，有35辆汽车掉进江里，消防员说目前已经捞上来12个人，大家千万绕行"
BRIDGE_TRUTH_ZH = "跨江二桥按计划封闭检修，没有车辆落水。图片来自外国一部灾难电影，交警部门提醒以官方通报为准"
LEMON_EN = (
    "Doctors at a coastal research hospital have proved that drinking 2 litres of hot lemon water "
    "every morning melts kidney stones within 48 hours and replaces surgery"
)
LEMON_TRUTH_EN = (
    "The hospital named in the post does not exist. Citrate from lemons may slow the growth of some stones, "
    "yet large stones need treatment by a urologist"
)
TOWER_EN = (
    "The city council admitted yesterday that the new phone towers on Harbour Street were switched on at night "
    "and that every pigeon in the district died"
)
TOWER_TRUTH_EN = (
    "Council minutes show that the masts stay unpowered until spring, and the ornithological society counted "
    "its usual flocks on Harbour Street this week"
)

ZH = "claim-zh"
EN = "claim-en"
CLAIMS = (
    RefutedClaim(ZH, GARLIC_ZH, GARLIC_TRUTH_ZH),
    RefutedClaim("bridge-zh", BRIDGE_ZH, BRIDGE_TRUTH_ZH),
    RefutedClaim(EN, LEMON_EN, LEMON_TRUTH_EN),
    RefutedClaim("tower-en", TOWER_EN, TOWER_TRUTH_EN),
)
ORDINARY = (
    "大蒜炒肉片的做法：先把蒜切片，油热后下锅爆香，再放肉片翻炒三分钟，加盐和酱油调味即可出锅。",
    "跨江大桥的设计通常要考虑风荷载、地震作用和船舶撞击，桥墩间距由航道的要求决定，不是越大越好。",
    "Lemon water is a pleasant drink. Squeeze half a lemon into a glass of warm water and add honey to taste.",
    "Kidney stones are hard deposits. Treatment depends on their size, and a urologist can explain the options to you.",
    "The city council meets every second Tuesday of the month to discuss budgets, roads, parks and new buildings.",
)
