"""What who gave a notice is told, in Chinese and English: that it came in, and what was decided of it."""

from datetime import datetime

from candor_escalation.domain.content_notice import ACTED, LAW, Form, Notice
from candor_escalation.domain.statement import Texts


def of_receipt(notice: Notice) -> Texts:
    """The confirmation of receipt.

    Source: DSA 16; Generative AI Measures 15
    """
    zh = "\n".join([
        "投诉举报收到确认",
        f"编号：{notice.notice_id}",
        f"收到时间：{_at(notice.received_at)}",
        "我们将由人工审查，并将处理结果告知您。",
        "",
    ])  # fmt: skip
    en = "\n".join([
        "We have received your notice",
        f"Notice: {notice.notice_id}",
        f"Received: {_at(notice.received_at)}",
        "A person will decide on it, and you will be told what was decided.",
        "",
    ])  # fmt: skip
    return Texts(zh, en)


def of_decision(notice: Notice, reasons: str) -> Texts:
    """The decision, whether automated means were used, and the ways of redress.

    Source: DSA 16; DSA 21; Generative AI Measures 15
    """
    acted = notice.outcome == ACTED
    grounds = ("依据法律", "on the basis of the law") if notice.basis == LAW else ("依据服务条款", "on our terms")
    means = ("使用", "with") if notice.automated_means else ("未使用", "without")
    zh = "\n".join([
        "投诉举报处理结果",
        f"编号：{notice.notice_id}",
        f"结果：{f'已对相关内容采取措施（{grounds[0]}）' if acted else '未采取措施'}",
        f"理由：{reasons}",
        f"处理时间：{_at(notice.decided_at)}；处理中{means[0]}自动化手段，由人工决定",
        _redress(notice).zh,
        "",
    ])  # fmt: skip
    en = "\n".join([
        "Decision on your notice",
        f"Notice: {notice.notice_id}",
        f"Outcome: {f'something was done about the content, {grounds[1]}' if acted else 'nothing was done'}",
        f"Reasons: {reasons}",
        f"Decided: {_at(notice.decided_at)}, by a person, {means[1]} automated means in its processing",
        _redress(notice).en,
        "",
    ])  # fmt: skip
    return Texts(zh, en)


def _redress(notice: Notice) -> Texts:
    """Where who gave the notice may turn to."""
    zh, en = (
        "如不服，可向有关主管部门投诉、举报，或依法提起诉讼",
        "You may turn to the competent authority, or to a court",
    )
    if Form.ILLEGAL_CONTENT in notice.forms:
        zh += "，也可选择经认证的庭外争议解决机构"
        en += ", or to a certified out-of-court dispute settlement body"
    return Texts(f"{zh}。", f"{en}.")


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
