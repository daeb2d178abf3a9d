"""What a product backend imports to record with Candor what it generates.

    from candor_client import Candor

    with Candor(address="candor.internal:443", token=read_token, spool="/var/lib/chat/candor") as candor:
        recorded = candor.record(subject="account-1042", provider="acme", model="acme-7b", product="chat",
                                 locale="en", prompt="Why is the sky blue?", output="Air scatters blue light more.")
        if recorded.label is not None:
            show(recorded.label.explicit_text)

It holds nothing of Candor's server: gRPC and protobuf, and extras for Kafka (`kafka`) and a sealed spool (`sealed`).
`candor_client.openai` wraps clients of OpenAI's kind.
"""

from candor_client.backlog import SetAside
from candor_client.client import AsyncCandor, Candor
from candor_client.errors import (
    CandorError,
    Refused,
    SpoolDamaged,
    SpoolDropped,
    SpoolFull,
    SpoolSealed,
    Unavailable,
    Violation,
)
from candor_client.ids import new_id
from candor_client.result import Decision, Explicit, Hit, Label, Labelled, Modality, Recorded, Screened, State
from candor_client.retry import Retry
from candor_client.spool import WhenFull

__all__ = [
    "AsyncCandor",
    "Candor",
    "CandorError",
    "Decision",
    "Explicit",
    "Hit",
    "Label",
    "Labelled",
    "Modality",
    "Recorded",
    "Refused",
    "Retry",
    "Screened",
    "SetAside",
    "SpoolDamaged",
    "SpoolDropped",
    "SpoolFull",
    "SpoolSealed",
    "State",
    "Unavailable",
    "Violation",
    "WhenFull",
    "new_id",
]
