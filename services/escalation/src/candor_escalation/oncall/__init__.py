"""The on-call file: who is paged by what, who is on call when, in which order, and how fast it goes on."""

from candor_escalation.oncall.file import OnCall, load, look

__all__ = ["OnCall", "load", "look"]
