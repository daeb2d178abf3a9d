"""What a page says: enough to judge its urgency on a phone, nothing about any person."""

from datetime import datetime

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.drill import MARK
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import LAPSE, Page
from candor_escalation.handlers.pages import Outgoing

_CAUSES = {
    "start": ("时钟已启动", "clock started"),
    "due": ("已到期", "due now"),
    "overdue": ("已逾期", "overdue"),
    LAPSE: ("确认已过期，时钟仍在计时", "the acknowledgement expired, the clock still runs"),
}


def notice(outgoing: Outgoing, ack_url: str, now: datetime) -> Notice:
    """The page in words, for any channel."""
    page, incident, clock = outgoing.page, outgoing.incident, outgoing.clock
    name = outgoing.contact.name if outgoing.contact else page.contact
    return Notice(
        page_id=page.page_id,
        clock_id=clock.clock_id,
        contact=name,
        headline=" ".join(f"{_mark(clock)}Candor: {_text(page, incident.title, clock)}".split()),
        lines=_lines(outgoing, name),
        ack_url=ack_url,
        due=clock.strict_due,
        latest=clock.legal_latest,
        overdue=now >= clock.strict_due,
        sent_at=now,
        details=body(outgoing, ack_url),
    )


def body(outgoing: Outgoing, ack_url: str) -> dict[str, object]:
    """The JSON that a webhook is sent. Instants are ISO 8601, UTC; ``text`` is Chinese and English in one."""
    page, incident, clock = outgoing.page, outgoing.incident, outgoing.clock
    return {
        "page_id": page.page_id,
        "incident_id": incident.incident_id,
        "clock_id": clock.clock_id,
        "cause": page.cause,
        "contact": page.contact,
        "level": page.level,
        "round": page.round,
        "kind": incident.kind,
        "title": incident.title,
        "duty": f"{clock.pack_id}/{clock.obligation_id}",
        "citation": clock.citation,
        "recipient": clock.recipient,
        "strict_due": clock.strict_due.isoformat(),
        "legal_latest": clock.legal_latest.isoformat() if clock.legal_latest else None,
        "legal_number": clock.legal_number,
        "drill": clock.drill,
        "text": f"{_mark(clock)}{_text(page, incident.title, clock)}",
        "ack_url": ack_url,
    }


def _lines(outgoing: Outgoing, name: str) -> tuple[str, ...]:
    page, clock = outgoing.page, outgoing.clock
    latest = f"{clock.legal_latest:%Y-%m-%d %H:%M} UTC" if clock.legal_latest else "—"
    drill = (
        (f"{MARK}: 没有发生任何事件，不要对外报送。 / Nothing has happened; send nothing out.",) if clock.drill else ()
    )
    return (
        *drill,
        f"事件 / Incident: {outgoing.incident.title}",
        f"依据 / Clause: {clock.citation}",
        f"报送 / Report to: {clock.recipient or '—'}",
        f"截止 / Due: {clock.strict_due:%Y-%m-%d %H:%M} UTC",
        f"法定最迟 / Latest by law: {latest}",
        f"被通知人 / Paged: {name}（第{page.level}级 / level {page.level}）",
    )


def _mark(clock: Clock) -> str:
    """What a page of a drill begins with, so that it cannot be taken for one that is meant."""
    return f"{MARK} · " if clock.drill else ""


def _text(page: Page, title: str, clock: Clock) -> str:
    zh, en = _CAUSES.get(page.cause, (page.cause, page.cause))
    again = f"第{page.round}轮，此前无人确认 / round {page.round}, nobody answered: " if page.round > 1 else ""
    due = f"{clock.strict_due:%Y-%m-%d %H:%M} UTC"
    return f"{again}{title} | {clock.citation} | {zh}，截止 {due} / {en}, due {due}"
