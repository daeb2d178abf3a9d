"""What to do about the refusals of questions, the roster, disposals and the registers, in English and Chinese."""

from collections.abc import Mapping

REFUSALS: Mapping[str, tuple[str, str]] = {
    "refusal.INVALID_FIELD": ("Correct the fields named below.", "请更正下列字段。"),
    "refusal.ANCHOR_UNKNOWN": ("Nothing was reported under that name.", "没有以该名称报告的时点。"),
    "refusal.CLOCK_RUNNING": (
        "A clock of the incident still runs. A receipt, a decision or a fact stops it.",
        "该事件仍有时限在计时。回执、决定或事实方可停止。",
    ),
    "refusal.SCHEDULE_UNKNOWN": ("The on-call file has no such schedule.", "值班文件中没有该班表。"),
    "refusal.CONTACT_UNKNOWN": ("The on-call file has no such person.", "值班文件中没有该人员。"),
    "refusal.OVERRIDE_UNKNOWN": ("There is no such stand-in. Load this page again.", "没有该替班。请重新加载本页。"),
    "refusal.OVERRIDE_ENDED": ("The stand-in is over already.", "该替班已结束。"),
    "refusal.PERIOD_INVALID": (
        "The period is wrong. Times are UTC: it must end after it starts, and not in the past.",
        "起止时间有误。时间为 UTC：结束须晚于开始，且不得在过去。",
    ),
    "refusal.DISPOSAL_UNKNOWN": ("There is no such disposal.", "没有该处置。"),
    "refusal.LADDER_DEPARTED": (
        "This is more than the ladder proposes. Say why, or choose less.",
        "重于阶梯建议。请说明理由或从轻。",
    ),
    "refusal.PERSONAL_DATA": ("A text that is published holds personal data.", "拟公开的文本含有个人信息。"),
    "refusal.COMPLAINT_UNKNOWN": ("There is no such complaint.", "没有该投诉。"),
    "refusal.TERM_PASSED": ("The end must lie in the future.", "截止时间须在将来。"),
    "refusal.SUBJECT_ERASED": ("The person was erased.", "该个人的信息已删除。"),
    "refusal.PROPOSAL_UNKNOWN": (
        "The proposal is decided, or is about another person or generation.",
        "该建议已决定，或涉及其他个人或内容。",
    ),
    "refusal.ENTRY_UNKNOWN": ("There is no such entry in that register.", "该登记簿中没有此条目。"),
    "refusal.ENTRY_INCOMPLETE": (
        "The register wants another state, or more fields.",
        "登记簿要求其他状态或更多字段。",
    ),
    "refusal.GATE_SHUT": ("Something is missing before the release.", "上线条件尚未齐备。"),
    "refusal.ENTRY_DECIDED": ("There is nothing left to decide.", "无需再作决定。"),
}
