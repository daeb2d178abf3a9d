"""E-mail by SMTP.

Spec: RFC 5321, RFC 5322, RFC 3834. What the server says to the message itself ("250 queued as …") is kept; a message
that is sent again has the same Message-ID.
"""

import asyncio
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar, Literal

import aiosmtplib

from candor_escalation.channels.base import Channel
from candor_escalation.channels.wire import NoAnswer, Wire
from candor_escalation.domain.delivery import failed, unanswered
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery

Tls = Literal["starttls", "tls", "none"]
_PERMANENT = range(500, 600)


class Email(Channel):
    """Sends to one address over one server."""

    kind: ClassVar[str] = "email"

    def __init__(
        self, host: str, port: int, sender: str, to: str, tls: Tls = "starttls", username: str = "", password: str = ""
    ) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._to = to
        self._tls = tls
        self._username = username
        self._password = password

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, and the address, which is a person's."""
        return tuple(filter(None, (self._to, self._username, self._password)))

    async def _send(self, notice: Notice, wire: Wire) -> Delivery:
        try:
            async with asyncio.timeout(wire.timeout):
                refused, said = await aiosmtplib.send(
                    self._message(notice),
                    hostname=self._host,
                    port=self._port,
                    username=self._username or None,
                    password=self._password or None,
                    use_tls=self._tls == "tls",
                    start_tls=self._tls == "starttls",
                    timeout=wire.timeout,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _judged(first.code, str(first.message))
        except aiosmtplib.SMTPResponseException as error:
            return _judged(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise NoAnswer(type(error).__name__) from None
        return failed("the server refused the recipient") if refused else Delivery(delivered=True, answer=said)

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = self._to
        message["Subject"] = " ".join(notice.headline.split())
        message["Date"] = format_datetime(notice.sent_at)
        message["Message-ID"] = f"<{notice.page_id}@{self._sender.rpartition('@')[2] or 'candor'}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Importance"] = "high"
        message.set_content("\n".join([*notice.lines, "", "确认 / Acknowledge:", notice.ack_url, ""]))
        return message


def _judged(code: int, said: str) -> Delivery:
    """A refusal: for good (5yz), or to be tried again (4yz)."""
    told = f"SMTP {code}: {said}"
    return failed(told) if code in _PERMANENT else unanswered(told)
