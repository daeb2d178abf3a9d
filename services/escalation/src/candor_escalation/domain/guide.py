"""How a person sends a report: for each way, what to do in order, so that the receipt can be recorded at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Both:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Address:
    """Where a recipient takes reports by one way. ``source`` says who says so."""

    name: str
    address: str
    source: str


@dataclass(frozen=True)
class Channel:
    """One way to send a report. ``automatic``: an adapter sends it."""

    name: str
    title: Both
    address: str
    source: str
    steps: tuple[Both, ...]
    automatic: bool = False


_APPROVED = Both(
    "确认最新一稿已由另一人批准；来不及时写明不能等待的理由，理由会留在记录中。",
    "Check that another person approved the latest revision; if there is no time, note why it could not wait: it"
    " stays on the record.",
)
_RECORD = Both(
    "立即登记提交：渠道、时间、语言和文件格式。登记不会停止时钟。",
    "Record the submission at once: channel, time, language and format. It does not stop the clock.",
)
_RECEIPT = Both(
    "取得回执后登记回执编号、时间，并登记凭证文件（只保存其散列值、大小和类型）。回执使时钟停止。",
    "When the receipt comes, record its reference, time and the file of its proof (only its hash, size and type are"
    " kept). The receipt stops the clock.",
)

_WAYS: Mapping[str, tuple[Both, tuple[Both, ...]]] = {
    "phone": (
        Both("电话", "Phone"),
        (
            Both("拨打电话，按文本格式的报告逐项宣读。", "Call, and read the report out item by item, as text."),
            Both("记下接听人、通话时间和受理编号。", "Note who answered, when, and the reference number."),
        ),
    ),
    "portal": (
        Both("网站", "Portal"),
        (
            Both(
                "登录网站，新建报告，逐项填写或者上传 PDF。", "Sign in, begin a report, fill it in or upload the PDF."
            ),
            Both("提交后保存回执页面（截图或者 PDF）。", "Save the page that confirms it, as a picture or PDF."),
        ),
    ),
    "email": (
        Both("电子邮件", "E-mail"),
        (
            Both(
                "下载 PDF，作为附件发送，主题写明事件名称。",
                "Download the PDF and send it attached, the incident in the subject.",
            ),
            Both("保存已发送的邮件原文；自动回复不是回执。", "Save the sent mail; an automatic reply is no receipt."),
        ),
    ),
    "fax": (
        Both("传真", "Fax"),
        (
            Both("打印 PDF 并传真。", "Print the PDF and fax it."),
            Both(
                "保存传真机的发送报告，并电话确认收到。",
                "Keep the machine's report, and confirm by phone that it arrived.",
            ),
        ),
    ),
    "wechat": (
        Both("微信公众号", "WeChat account"),
        (
            Both(
                "关注公众号，点击“事件报告”，按文本逐项填写。",
                "Follow the account, choose 事件报告, fill it in from the text.",
            ),
            Both("保存提交成功页面的截图。", "Keep a picture of the page that confirms it."),
        ),
    ),
    "wechat-mini-program": (
        Both("微信小程序", "WeChat mini-program"),
        (
            Both(
                "搜索小程序，点击“事件报告”，按文本逐项填写。",
                "Find the mini-program, choose 事件报告, fill it in from the text.",
            ),
            Both("保存提交成功页面的截图。", "Keep a picture of the page that confirms it."),
        ),
    ),
    "letter": (
        Both("书面送达", "Letter"),
        (
            Both("打印 PDF，签字盖章后送达。", "Print the PDF, sign it and have it delivered."),
            Both("保存签收单。", "Keep the signed note of delivery."),
        ),
    ),
}
_DRILL = Both(
    "这是演练：不要拨打、不要发送、不要登录任何网站，不要联系收件机关；按实际情况登记即可。",
    "This is a drill: do not call, do not send, sign in nowhere, do not contact the recipient; only record it as if.",
)
_DRILL_RECEIPT = Both(
    "登记一份演练回执（任意编号），时钟随之停止；登记的编号会标明演练。",
    "Record a receipt of the drill under any reference, which stops the clock; the reference is marked as a drill's.",
)
_USUAL = ("portal", "email", "phone", "letter")
"""The ways to try where no address is known."""


def guide(known: Sequence[Address], automatic: Sequence[str] = ()) -> tuple[Channel, ...]:
    """The ways by which a report can be sent: those of adapters, those with a known address, else the usual ones."""
    by_hand = [_channel(address.name, address.address, address.source) for address in known]
    usual = [] if known else [_channel(name, "", "") for name in _USUAL]
    sent = [Channel(name, Both(name, name), "", "", (_APPROVED,), automatic=True) for name in automatic]
    return (*sent, *by_hand, *usual)


def guide_of_drill(known: Sequence[Address]) -> tuple[Channel, ...]:
    """The ways of a report in a drill: by each nothing is sent, so no address is shown and no adapter is named."""
    names = [address.name for address in known] or _USUAL
    steps = (_DRILL, _APPROVED, _RECORD, _DRILL_RECEIPT)
    return tuple(Channel(name, _WAYS[name][0], "", "", steps) for name in names)


def is_way(name: str) -> bool:
    """Whether there are steps for a way of that name."""
    return name in _WAYS


def _channel(name: str, address: str, source: str) -> Channel:
    title, steps = _WAYS[name]
    found = Both(f"联系方式：{address}", f"Where: {address}")
    unknown = Both(
        "本系统没有收件机关的联系方式：请在其官方网站上查实。",
        "The recipient's address is not known here: look it up on its official site.",
    )
    return Channel(name, title, address, source, (_APPROVED, found if address else unknown, *steps, _RECORD, _RECEIPT))
