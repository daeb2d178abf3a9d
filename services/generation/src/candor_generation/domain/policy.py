"""Which logs are trusted, and which of their witnesses must have cosigned a checkpoint.

Names of witnesses and groups are octets. They are kept as text that was decoded as UTF-8 with `surrogateescape`, which
tells any two of them apart as their octets do.

Source: C2SP tlog-policy
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from candor_generation.domain import cosignature, note
from candor_generation.domain.cosignature import Cosignature, Holds
from candor_generation.domain.note import Checkpoint, NoteError, Vkey

NONE = "none"
MAX_DEFINED = 256
"""Most logs, most witnesses and most groups of one policy; the specification asks for 32 at least."""
_MAX_BYTES = 1 << 20
_ITEMS = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")


class PolicyError(ValueError):
    """A policy is not well-formed; the message says at which line and why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.line = line


class UntrustedError(ValueError):
    """A checkpoint is not what the policy asks for; the message says what is missing."""


@dataclass(frozen=True)
class Log:
    """A trusted log; its key's name is its origin. The URL is where it is served."""

    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """A witness by the name that the policy gives it. The URL is the prefix of its `add-checkpoint`."""

    name: str
    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """`threshold` of its members, which are witnesses or groups defined before it."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses, groups in the order of their definition, and the quorum's name; None asks for no witness."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str | None = None


def satisfied(policy: Policy, names: Collection[str]) -> bool:
    """Whether the quorum is met when the witnesses of these names have cosigned.

    Source: C2SP tlog-policy
    """
    if policy.quorum is None:
        return True
    met = {witness.name for witness in policy.witnesses} & set(names)
    # A group names only what stands before it, so one pass in order decides all of them.
    for group in policy.groups:
        if len(met.intersection(group.members)) >= group.threshold:
            met.add(group.name)
    return policy.quorum in met


@dataclass(frozen=True)
class Trusted:
    """A checkpoint that a policy accepts: the log's key, and each witness's cosignature by the witness's name."""

    checkpoint: Checkpoint
    log: Vkey
    cosigned: Mapping[str, Cosignature]


def check_checkpoint(signed: str, policy: Policy, holds: Holds) -> Trusted:
    """Read a checkpoint that one of the policy's logs signed and that its quorum of witnesses cosigned.

    Raises:
        NoteError: it is no checkpoint, or a signature of a known key does not hold.
        UntrustedError: none of the logs has signed it, it is another log's, or the quorum is not met. The caller
            MUST NOT use the checkpoint.

    Source: C2SP tlog-policy
    """
    signed_note = note.parse_note(signed)
    vkey = _signer(signed_note, policy.logs)
    note.verify(signed_note, vkey, holds)
    checkpoint = note.parse_checkpoint(signed_note.text)
    if checkpoint.origin != vkey.name:
        raise UntrustedError(f"the checkpoint is of the log {checkpoint.origin}, not of {vkey.name}")
    cosigned = cosignatures(signed_note, policy.witnesses, holds)
    if not satisfied(policy, cosigned):
        had = ", ".join(sorted(cosigned)) or "no witness of the policy"
        raise UntrustedError(f"the quorum {policy.quorum} is not met: cosigned by {had}")
    return Trusted(checkpoint, vkey, cosigned)


def cosignatures(signed: note.Note, witnesses: Iterable[Witness], holds: Holds) -> dict[str, Cosignature]:
    """The cosignatures of these witnesses that the note carries, by the witnesses' names.

    Raises:
        NoteError: one does not hold.

    Source: C2SP tlog-cosignature
    """
    found = ((witness.name, cosignature.verify(signed, witness.vkey, holds)) for witness in witnesses)
    return {name: item for name, item in found if item is not None}


def _signer(signed: note.Note, logs: Sequence[Log]) -> Vkey:
    signers = {(item.name, item.key_id) for item in signed.signatures}
    for log in logs:
        if (log.vkey.name, log.vkey.key_id) in signers:
            return log.vkey
    asked = ", ".join(f"{log.vkey.name}+{log.vkey.key_id.hex()}" for log in logs)
    raise UntrustedError(f"the checkpoint carries no signature of {asked or 'any log, because the policy names none'}")


def parse_policy(content: bytes) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: a line is not well-formed, defines a name or key again, or names what is not defined before it;
            or there is not exactly one quorum.

    Source: C2SP tlog-policy
    """
    if len(content) > _MAX_BYTES:
        raise PolicyError(f"a policy is not longer than {_MAX_BYTES} bytes")
    draft = _Draft()
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            _read_line(draft, line)
        except (NoteError, PolicyError) as error:
            raise PolicyError(str(error), number) from error
    if not draft.quorums:
        raise PolicyError("there is no quorum line")
    (quorum,) = draft.quorums
    return Policy(
        tuple(draft.logs),
        tuple(draft.witnesses),
        tuple(draft.groups),
        None if quorum == NONE else quorum,
    )


@dataclass
class _Draft:
    """What has been read so far; `members` are the names that are in a group already."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorums: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def define(self, name: str) -> str:
        if name == NONE:
            raise PolicyError("the name none is taken")
        if name in self.names:
            raise PolicyError(f"{shown(name)} is defined before")
        self.names.add(name)
        return name


def _read_line(draft: _Draft, line: bytes) -> None:
    if _FORBIDDEN.search(line):
        raise PolicyError("there is a control character")
    text = line.decode("utf-8", "surrogateescape").strip(" \t")
    if not text or text.startswith("#"):
        return
    keyword, *items = _ITEMS.split(text)
    reader = _READERS.get(keyword)
    if reader is None:
        raise PolicyError(f"{shown(keyword)} is none of log, witness, group and quorum")
    reader(draft, items)


def _read_log(draft: _Draft, items: list[str]) -> None:
    if len(items) not in {1, 2}:
        raise PolicyError("a log line reads: log <vkey> [<url>]")
    log = Log(note.parse_vkey(items[0]), items[1] if items[1:] else None)
    _check_new_key(log.vkey, [other.vkey for other in draft.logs], "log")
    draft.logs.append(log)


def _read_witness(draft: _Draft, items: list[str]) -> None:
    if len(items) not in {2, 3}:
        raise PolicyError("a witness line reads: witness <name> <vkey> [<url>]")
    vkey = cosignature.parse_key(items[1])
    _check_new_key(vkey, [other.vkey for other in draft.witnesses], "witness")
    draft.witnesses.append(Witness(draft.define(items[0]), vkey, items[2] if items[2:] else None))


def _check_new_key(vkey: Vkey, others: Sequence[Vkey], what: str) -> None:
    if len(others) == MAX_DEFINED:
        raise PolicyError(f"there are more than {MAX_DEFINED} lines of the kind {what}")
    if any(vkey.public_key == other.public_key for other in others):
        raise PolicyError(f"the public key of {vkey.name} is another {what}'s too")


def _read_group(draft: _Draft, items: list[str]) -> None:
    name, rule, *members = items if len(items) > len(("name", "rule")) else ("", "")
    if not members:
        raise PolicyError("a group line reads: group <name> all|any|<k> <name>...")
    if len(draft.groups) == MAX_DEFINED:
        raise PolicyError(f"there are more than {MAX_DEFINED} lines of the kind group")
    for member in members:
        if member not in draft.names:
            raise PolicyError(f"{shown(member)} is not defined before")
        if member in draft.members:
            raise PolicyError(f"{shown(member)} is in a group already")
        draft.members.add(member)
    draft.groups.append(Group(draft.define(name), _threshold(rule, len(members)), tuple(members)))


def _threshold(rule: str, count: int) -> int:
    if rule in {"all", "any"}:
        return count if rule == "all" else 1
    if not _NUMBER.fullmatch(rule) or int(rule) > count:
        raise PolicyError(f"a group asks for all, any, or a number from 1 to {count} of its members")
    return int(rule)


def _read_quorum(draft: _Draft, items: list[str]) -> None:
    if len(items) != 1:
        raise PolicyError("a quorum line reads: quorum <name>")
    if draft.quorums:
        raise PolicyError("there is a quorum before")
    (name,) = items
    if name != NONE and name not in draft.names:
        raise PolicyError(f"{shown(name)} is not defined before")
    draft.quorums.append(name)


def shown(name: str) -> str:
    """A name of the policy as it may be printed: octets that are no UTF-8 are spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


_READERS: Mapping[str, Callable[[_Draft, list[str]], None]] = {
    "log": _read_log,
    "witness": _read_witness,
    "group": _read_group,
    "quorum": _read_quorum,
}
