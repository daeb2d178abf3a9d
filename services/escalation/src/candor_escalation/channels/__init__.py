"""The ways to a person: one small adapter for each, which reads the answer's body and keeps the provider's id."""

from candor_escalation.channels.alertmanager import Alertmanager
from candor_escalation.channels.apprise_url import AppriseUrl
from candor_escalation.channels.base import Channel
from candor_escalation.channels.dingtalk import DingTalk
from candor_escalation.channels.email import Email
from candor_escalation.channels.feishu import Feishu
from candor_escalation.channels.pagerduty import PagerDuty
from candor_escalation.channels.webhook import Webhook
from candor_escalation.channels.wecom import WeCom
from candor_escalation.channels.wire import Wire

__all__ = [
    "Alertmanager",
    "AppriseUrl",
    "Channel",
    "DingTalk",
    "Email",
    "Feishu",
    "PagerDuty",
    "WeCom",
    "Webhook",
    "Wire",
]
