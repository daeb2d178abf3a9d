"""The channels of the on-call file: the fields of each kind, and the channel they make."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from candor_escalation.channels import (
    Alertmanager,
    AppriseUrl,
    Channel,
    DingTalk,
    Email,
    Feishu,
    PagerDuty,
    Webhook,
    WeCom,
)

Url = Annotated[StrictStr, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]
Secret = Annotated[StrictStr, Field(min_length=1, max_length=2000)]
Address = Annotated[StrictStr, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$", max_length=254)]


class Strict(BaseModel):
    """No other fields, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


class WebhookEntry(Strict):
    """A webhook of one's own."""

    kind: Literal["webhook"]
    url: Url
    token: Secret = ""

    def channel(self) -> Channel:
        """The channel."""
        return Webhook(self.url, self.token)


class EmailEntry(Strict):
    """E-mail; the password is sent over TLS only."""

    kind: Literal["email"]
    to: Address
    sender: Address = Field(alias="from")
    host: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: Secret = ""
    password: Secret = ""

    @model_validator(mode="after")
    def _no_bare_password(self) -> Self:
        if self.password and self.tls == "none":
            raise ValueError("a password is not sent without TLS: use tls: starttls or tls: tls")
        return self

    def channel(self) -> Channel:
        """The channel."""
        return Email(self.host, self.port, self.sender, self.to, self.tls, self.username, self.password)


class PagerDutyEntry(Strict):
    """PagerDuty; ``url`` for its European region."""

    kind: Literal["pagerduty"]
    routing_key: Secret
    url: Url = "https://events.pagerduty.com/v2/enqueue"

    def channel(self) -> Channel:
        """The channel."""
        return PagerDuty(self.routing_key, self.url)


class AlertmanagerEntry(Strict):
    """Alertmanager, at the address before /api/v2/alerts."""

    kind: Literal["alertmanager"]
    url: Url
    token: Secret = ""

    def channel(self) -> Channel:
        """The channel."""
        return Alertmanager(self.url, self.token)


class FeishuEntry(Strict):
    """A group robot of Feishu; ``mention`` are user ids."""

    kind: Literal["feishu"]
    url: Url
    secret: Secret = ""
    mention: list[Secret] = []

    def channel(self) -> Channel:
        """The channel."""
        return Feishu(self.url, self.secret, self.mention)


class DingTalkEntry(Strict):
    """A group robot of DingTalk; ``mention`` are mobile numbers."""

    kind: Literal["dingtalk"]
    url: Url
    secret: Secret = ""
    mention: list[Secret] = []

    def channel(self) -> Channel:
        """The channel."""
        return DingTalk(self.url, self.secret, self.mention)


class WeComEntry(Strict):
    """A group robot of WeCom; ``mention`` are mobile numbers."""

    kind: Literal["wecom"]
    url: Url
    mention: list[Secret] = []

    def channel(self) -> Channel:
        """The channel."""
        return WeCom(self.url, self.mention)


class AppriseEntry(Strict):
    """Whatever Apprise reaches; recorded as unconfirmed."""

    kind: Literal["apprise"]
    url: Secret

    def channel(self) -> Channel:
        """The channel. Raises ValueError where Apprise is not installed or knows no such address."""
        return AppriseUrl(self.url)


ChannelEntry = Annotated[
    WebhookEntry
    | EmailEntry
    | PagerDutyEntry
    | AlertmanagerEntry
    | FeishuEntry
    | DingTalkEntry
    | WeComEntry
    | AppriseEntry,
    Field(discriminator="kind"),
]
