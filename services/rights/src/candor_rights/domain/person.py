"""Who asks. Contact identities live in this service only, sealed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A data subject and where to answer them: an e-mail address, a phone number, or nothing."""

    subject: str
    contact: str = ""


@dataclass(frozen=True)
class SealedPerson:
    """A person as a row holds them: the pseudonym to find them by, and the rest sealed under their key."""

    pseudonym: bytes
    sealed: bytes
