"""The page behind an acknowledge link: for a phone, without JavaScript, in Chinese and English (WCAG 2.2 AA)."""

from datetime import datetime
from html import escape

from candor_escalation.domain.clock import RUNNING
from candor_escalation.domain.drill import EN, MARK, ZH
from candor_escalation.domain.statement import Texts
from candor_escalation.handlers.pages import Shown

_FRAME = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title} · Candor</title><style>
:root{{color-scheme:light dark;--text:#1b1b1b;--faint:#555;--ground:#fff;--act:#0a6438;--on-act:#fff}}
@media (prefers-color-scheme:dark){{:root{{--text:#eee;--faint:#bbb;--ground:#161616;--act:#7fd6a4;--on-act:#10231a}}}}
body{{font:1.1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:34rem;margin:0 auto;
padding:1.5rem;overflow-wrap:anywhere}}
h1{{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}}
dt{{font-size:.9rem;color:var(--faint)}}dd{{margin:0 0 .8rem}}
[lang=en]{{display:block}}
button{{font:inherit;font-weight:600;width:100%;min-height:3.5rem;padding:.5rem 1rem;border:0;border-radius:.5rem;
background:var(--act);color:var(--on-act)}}
a{{color:var(--act)}}
:focus-visible{{outline:3px solid var(--text);outline-offset:3px}}
</style></head><body><main>{content}</main></body></html>"""


def confirm(shown: Shown, console: str) -> str:
    """What is to be acknowledged, with the button that does; nothing to press where there is nothing to do."""
    page, clock = shown.page, shown.clock
    if clock.state != RUNNING:
        content = _heading("时钟已停止", "The clock was stopped") + _both(
            "无需确认。", "There is nothing to acknowledge."
        )
        return _of(shown, "时钟已停止 / Clock stopped", content + _facts(shown) + _elsewhere(console))
    if page.acknowledged_at is not None:
        content = _heading("此前已确认", "Acknowledged before") + _who(page.acknowledged_by, page.acknowledged_at)
        return _of(shown, "此前已确认 / Acknowledged before", content + _facts(shown) + _elsewhere(console))
    button = f'<form method="post"><button type="submit">{_label("确认", "Acknowledge")}</button></form>'
    note = _both("确认只停止呼叫，时钟继续计时。", "This stops the paging; the clock runs on.")
    content = _heading("确认收到", "Acknowledge") + _facts(shown) + note + button
    return _of(shown, "确认 / Acknowledge", content)


def acknowledged(shown: Shown, console: str) -> str:
    """That it was acknowledged, and until when that holds."""
    page = shown.page
    content = _heading("已确认", "Acknowledged") + f"<p>{escape(page.acknowledged_by)}</p>"
    content += _both("时钟继续计时。", "The clock runs on.")
    if page.acknowledged_until is not None:
        until = _at(page.acknowledged_until)
        content += _both(
            f"若届时仍未结束，将于 {until} 再次呼叫。", f"If it still runs by then, you are paged again at {until}."
        )
    return _of(shown, "已确认 / Acknowledged", content + _elsewhere(console))


def used(by: str, at: datetime, console: str) -> str:
    """That the link was used before, by whom and when."""
    content = _heading("未再次确认", "Not acknowledged again")
    content += _both("此链接只能使用一次，此前已被使用。", "This link works once, and was used before.") + _who(by, at)
    return _framed("链接已使用 / Link used", content + _elsewhere(console))


def expired(at: datetime, console: str) -> str:
    """That the link has expired, and how to acknowledge otherwise."""
    content = _heading("链接已过期", "The link has expired")
    content += _both(f"已于 {_at(at)} 过期。", f"It expired at {_at(at)}.")
    content += _both(
        "请使用最近一次呼叫中的链接，或在控制台确认。",
        "Use the link of the latest page, or acknowledge in the console.",
    )
    return _framed("链接已过期 / Link expired", content + _elsewhere(console))


def refused(zh: str, en: str, console: str) -> str:
    """That it could not be acknowledged, and why."""
    content = _heading("无法确认", "Not acknowledged") + _both(zh, en)
    return _framed("无法确认 / Not acknowledged", content + _elsewhere(console))


def procedure(texts: Texts) -> str:
    """How to complain, for everybody."""
    zh, en = ("<br>".join(escape(line) for line in text.splitlines() if line) for text in (texts.zh, texts.en))
    content = _heading("申诉", "Complaints") + f'<p>{zh}</p><p lang="en">{en}</p>'
    return _framed("申诉 / Complaints", content)


def _of(shown: Shown, title: str, content: str) -> str:
    """The page, which begins with the mark in a drill."""
    if not shown.incident.drill:
        return _framed(title, content)
    mark = _both(f"<strong>{ZH}</strong>：没有发生任何事件。", f"<strong>{EN}</strong>: nothing has happened.")
    return _framed(f"{MARK} · {title}", mark + content)


def _facts(shown: Shown) -> str:
    clock, page = shown.clock, shown.page
    rows = (
        ("事件", "Incident", shown.incident.title),
        ("依据", "Clause", clock.citation),
        ("报送", "Report to", clock.recipient or "—"),
        ("截止", "Due", _at(clock.strict_due)),
        ("法定最迟", "Latest by law", _at(clock.legal_latest) if clock.legal_latest else "—"),
        ("被通知人", "Paged", f"{page.contact or '—'} ({page.level})"),
    )
    return "<dl>" + "".join(f"<dt>{_label(zh, en)}</dt><dd>{escape(value)}</dd>" for zh, en, value in rows) + "</dl>"


def _who(by: str, at: datetime) -> str:
    return _both(f"由 {escape(by)} 于 {_at(at)} 确认。", f"Acknowledged by {escape(by)} at {_at(at)}.")


def _elsewhere(console: str) -> str:
    return f'<p><a href="{escape(console)}">{_label("打开控制台", "Open the console")}</a></p>'


def _heading(zh: str, en: str) -> str:
    return f'<h1>{zh} <span lang="en">{en}</span></h1>'


def _both(zh: str, en: str) -> str:
    """A sentence in both languages; what is put into it is escaped already."""
    return f'<p>{zh} <span lang="en">{en}</span></p>'


def _label(zh: str, en: str) -> str:
    return f'{zh} / <bdi lang="en" style="display:inline">{en}</bdi>'


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _framed(title: str, content: str) -> str:
    return _FRAME.format(title=title, content=content)
