"""What the user is told, in Chinese and English: the reasons, how to complain, what became of a complaint."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.complaint import OPEN_MONTHS, UPHELD
from candor_escalation.domain.disposal import Disposal, Matter, Measure

ZH: dict[Measure, str] = {
    Measure.STOP_GENERATION: "停止生成",
    Measure.STOP_TRANSMISSION: "停止传输",
    Measure.REMOVE: "消除",
    Measure.WARN: "警示",
    Measure.LIMIT_FUNCTIONS: "限制功能",
    Measure.SUSPEND_SERVICE: "暂停服务",
    Measure.CLOSE_ACCOUNT: "关闭账号",
}
EN: dict[Measure, str] = {
    Measure.STOP_GENERATION: "the generation was stopped",
    Measure.STOP_TRANSMISSION: "access to the content was disabled",
    Measure.REMOVE: "the content was removed",
    Measure.WARN: "a warning; nothing is restricted",
    Measure.LIMIT_FUNCTIONS: "functions are limited",
    Measure.SUSPEND_SERVICE: "the service is suspended",
    Measure.CLOSE_ACCOUNT: "the account is closed",
}


@dataclass(frozen=True)
class Texts:
    """One text in both languages."""

    zh: str
    en: str


def of_reasons(disposal: Disposal, matter: Matter, territories: tuple[str, ...], answer_days: int) -> Texts:
    """The statement of reasons.

    It says what is restricted, where and how long; the facts and whether a notice led to them; whether automated means
    were used; the ground and why it applies; and how to seek redress.

    Args:
        disposal: what was decided.
        matter: what happened and why that is a breach.
        territories: where it applies; none: everywhere.
        answer_days: the published time limit for complaints.

    Source: DSA 17; Generative AI Measures 14; Deep Synthesis 10
    """
    procedure = of_procedure(answer_days)
    return Texts(_zh(disposal, matter, territories) + procedure.zh, _en(disposal, matter, territories) + procedure.en)


def of_complaint(disposal: Disposal, outcome: str, reasons: str, decided_at: datetime) -> Texts:
    """The reasoned decision on a complaint, with what remains open to the user.

    Source: DSA 20; DSA 21; Deep Synthesis 12
    """
    stands = outcome == UPHELD
    zh = "\n".join([
        "申诉处理结果",
        f"处置编号：{disposal.disposal_id}",
        f"结果：{'维持原处置' if stands else '撤销原处置，相关限制予以解除'}",
        f"理由：{reasons}",
        f"处理时间：{_at(decided_at)}（由人工作出，非完全自动化决定）",
        "如不服，可选择经认证的庭外争议解决机构，向有关主管部门投诉、举报，或依法提起诉讼。",
        "",
    ])  # fmt: skip
    en = "\n".join([
        "Decision on your complaint",
        f"Disposal: {disposal.disposal_id}",
        f"Outcome: {'the decision stands' if stands else 'the decision is reversed and its restrictions are lifted'}",
        f"Reasons: {reasons}",
        f"Decided: {_at(decided_at)}, by a person, not solely by automated means",
        "You may turn to a certified out-of-court dispute settlement body, to the competent authority, or to a court.",
        "",
    ])  # fmt: skip
    return Texts(zh, en)


def of_procedure(answer_days: int) -> Texts:
    """How to complain, and by when it is answered.

    Source: DSA 20; Deep Synthesis 12; Generative AI Measures 15
    """
    zh = "\n".join([
        (
            f"申诉：自知悉本决定之日起 {OPEN_MONTHS} 个月内，可通过产品内申诉入口免费提出申诉；"
            f"由未参与原决定的人员在 {answer_days} 日内处理并答复。"
        ),
        "其他救济：经认证的庭外争议解决机构；向有关主管部门投诉、举报；依法提起诉讼。",
        "",
    ])  # fmt: skip
    en = "\n".join([
        (
            f"Complaint: free of charge, in the product, within {OPEN_MONTHS} months of being informed of the decision;"
            f" a person who did not decide answers it within {answer_days} days."
        ),
        "Other redress: a certified out-of-court dispute settlement body; the competent authority; the courts.",
        "",
    ])  # fmt: skip
    return Texts(zh, en)


def _zh(disposal: Disposal, matter: Matter, territories: tuple[str, ...]) -> str:
    lines = [
        "处置决定及理由说明",
        f"处置编号：{disposal.disposal_id}",
        f"处置措施：{ZH[disposal.measure]}",
        *([f"涉及功能：{'、'.join(disposal.functions)}"] if disposal.functions else []),
        *([f"涉及内容：生成记录 {disposal.generation_id}"] if disposal.generation_id else []),
        f"适用范围：{'、'.join(territories) or '全部地区'}",
        f"期限：自 {_at(disposal.decided_at)} 起{f'至 {_at(disposal.until)} 止' if disposal.until else ''}",
        f"事实：{matter.facts}",
        (
            f"发现方式：{disposal.notice_source or '自行发现'}；{'使用' if disposal.automated_detection else '未使用'}"
            "自动化手段发现；决定由人工作出"
        ),
        f"依据：{disposal.legal_basis}",
        f"理由：{matter.reason}",
        "",
    ]
    return "\n".join(lines)


def _en(disposal: Disposal, matter: Matter, territories: tuple[str, ...]) -> str:
    until = f" until {_at(disposal.until)}" if disposal.until else ""
    lines = [
        "Statement of reasons",
        f"Disposal: {disposal.disposal_id}",
        f"Measure: {EN[disposal.measure]}",
        *([f"Functions: {', '.join(disposal.functions)}"] if disposal.functions else []),
        *([f"Content: generation {disposal.generation_id}"] if disposal.generation_id else []),
        f"Territorial scope: {', '.join(territories) or 'everywhere'}",
        f"Duration: from {_at(disposal.decided_at)}{until}",
        f"Facts: {matter.facts}",
        (
            f"How it was found: {disposal.notice_source or 'on our own initiative'},"
            f" {'with' if disposal.automated_detection else 'without'} automated means; a person decided"
        ),
        f"Ground: {disposal.legal_basis}",
        f"Why it applies: {matter.reason}",
        "",
    ]
    return "\n".join(lines)


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
