"""`candor verify`: checks a record against a checkpoint, or a whole log, with no access to any database.

It needs a proof file or the evidence (the answer of GetEvidence as JSON) and the log's verifier key, and for what lies
beyond one checkpoint the log's public tiles. Where a policy names witnesses, their quorum must have cosigned every
checkpoint. `python -m candor_generation.verify` is the same command without the rest of Candor.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from candor.generation.v1.service_pb2 import GetEvidenceResponse
from google.protobuf import json_format

from candor_generation import codec
from candor_generation.domain import evidence as rules
from candor_generation.domain import leaf, merkle, note, policy, proof_file, tiles
from candor_generation.domain.evidence import Evidence
from candor_generation.domain.note import Checkpoint, Vkey
from candor_generation.domain.policy import Log, Policy, Trusted
from candor_generation.domain.proof_file import ProofFile
from candor_generation.domain.tiles import Tile
from candor_generation.signing import holds

_TIMEOUT_SECONDS = 30
_LARGEST = tiles.WIDTH * (tiles.MAX_ENTRY + 2)
_FAILED = 1
_USAGE = 2
_PRINTABLE = 0x20, 0x7E
T = TypeVar("T")


class FetchError(ValueError):
    """A file of the log could not be had; the message says which and why."""


@dataclass(frozen=True)
class Check:
    """One step: what was checked, whether it holds, and what was found."""

    name: str
    holds: bool
    detail: str


@dataclass
class Report:
    """The steps so far; after one that fails no further step is taken."""

    checks: list[Check] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], T], detail: Callable[[T], str]) -> T:
        """Take one step.

        Raises:
            StepFailedError: it does not hold; it is in the report.
        """
        try:
            result = work()
        except ValueError as error:
            self.checks.append(Check(name, False, str(error)))
            raise StepFailedError from error
        self.checks.append(Check(name, True, detail(result)))
        return result


class StepFailedError(Exception):
    """A step of the verification does not hold."""


def app(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A .tlog-proof file, or what GetEvidence answered, as protobuf JSON."),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="Another checkpoint that must continue the same history.")
    ] = None,
    vkey: Annotated[
        str | None,
        typer.Option(
            "--vkey", "--key", metavar="VKEY|FILE", help="The log's verifier key; default: asked of --log-url."
        ),
    ] = None,
    policy_file: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="A tlog-policy: its witnesses must have cosigned by its quorum."),
    ] = None,
    log_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the log's tiles are served, without final slash.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check one record against a signed checkpoint, or with --log-url alone the whole log.

    Exit code 0: everything holds. 1: something does not, the last line says what. 2: wrong usage.
    """
    if file is None and log_url is None:
        _usage("name a proof or evidence file, a log (--log-url), or both")
    trust = _read_policy(policy_file) if policy_file else Policy()
    if vkey is None and log_url is None and not trust.logs:
        _usage("name the log's verifier key (--key), or a policy that names the log (--policy)")
    report = Report()
    prefix = log_url.rstrip("/") if log_url else None
    try:
        _verify(report, _read_file(file) if file else None, checkpoint, vkey, trust, prefix)
    except StepFailedError:
        _show(report, as_json)
        raise typer.Exit(_FAILED) from None
    _show(report, as_json)


def _verify(
    report: Report,
    item: Evidence | ProofFile | None,
    checkpoint: str | None,
    vkey: str | None,
    trust: Policy,
    log_url: str | None,
) -> None:
    asked = vkey is None and not trust.logs
    trust = report.step(
        "verifier key", lambda: _trust(vkey, trust, log_url), lambda found: _key_detail(found, asked=asked)
    )
    proven = _verify_item(report, item, trust) if item else None
    source = checkpoint or (f"{log_url}/checkpoint" if log_url else None)
    if source is None:
        return
    # Another log's checkpoint, even one of the policy's, says nothing of this one.
    trust = replace(trust, logs=(Log(proven.log),)) if proven else trust
    latest = report.step(
        "checkpoint of the log",
        lambda: policy.check_checkpoint(_text(source), trust, holds),
        lambda found: f"signed, size {found.checkpoint.size}{_cosigned(found)}",
    ).checkpoint
    if proven is None:
        report.step("whole log", lambda: _whole(log_url or "", latest), lambda count: f"{count} entries give the root")
        return
    old, new = sorted((proven.checkpoint, latest), key=lambda found: found.size)
    report.step(
        "consistency",
        lambda: _consistent(log_url, old, new),
        lambda _: f"tree {old.size} is a prefix of tree {new.size}",
    )


def _verify_item(report: Report, item: Evidence | ProofFile, trust: Policy) -> Trusted:
    if isinstance(item, ProofFile):
        return _verify_proof(report, item, trust)
    return _verify_record(report, item, trust)


def _verify_proof(report: Report, item: ProofFile, trust: Policy) -> Trusted:
    """The steps of a proof file: its entry may be any log's, so it is shown as it is and not looked into."""
    entry = report.step("entry", lambda: _entry(item), _entry_detail)
    trusted = _checkpoint_step(report, item.checkpoint, trust)
    report.step(
        "inclusion",
        lambda: proof_file.check_inclusion(item, entry, trusted.checkpoint),
        lambda _: f"index {item.index} is in the tree",
    )
    return trusted


def _verify_record(report: Report, item: Evidence, trust: Policy) -> Trusted:
    report.step("entry", lambda: leaf.decode(item.entry), lambda found: f"generation {found.generation_id}")
    opening = item.opening
    if opening is None:
        report.checks.append(Check("opening", True, "absent: nothing is opened, as for an erased record"))
    else:
        report.step(
            "opening",
            lambda: rules.check_opening(item.entry, opening),
            lambda _: "subject, prompt and output are what the entry commits to",
        )
    of_log = replace(trust, logs=tuple(log for log in trust.logs if log.vkey.name == item.origin) or trust.logs)
    trusted = _checkpoint_step(report, item.checkpoint, of_log, item.origin)
    report.step(
        "inclusion",
        lambda: rules.check_inclusion(item, trusted.checkpoint),
        lambda _: f"index {item.log_index} is in the tree",
    )
    return trusted


def _checkpoint_step(report: Report, signed: str, trust: Policy, origin: str | None = None) -> Trusted:
    def check() -> Trusted:
        found = policy.check_checkpoint(signed, trust, holds)
        if origin is not None and found.checkpoint.origin != origin:
            raise rules.EvidenceError(f"the checkpoint is of the log {found.checkpoint.origin}, not of {origin}")
        return found

    return report.step(
        "checkpoint",
        check,
        lambda found: f"signed by {found.log.name}, size {found.checkpoint.size}{_cosigned(found)}",
    )


def _cosigned(trusted: Trusted) -> str:
    """Which witnesses of the policy cosigned, and when."""
    told = [f"{policy.shown(name)} at {_moment(item.timestamp)}" for name, item in sorted(trusted.cosigned.items())]
    return f", cosigned by {', '.join(told)}" if told else ""


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return f"second {seconds}"


def _entry(item: ProofFile) -> bytes:
    if item.extra is None:
        raise proof_file.ProofFileError("the proof carries no entry as its extra data, so there is nothing to prove")
    return item.extra


def _entry_detail(entry: bytes) -> str:
    low, high = _PRINTABLE
    if entry and all(low <= octet <= high for octet in entry):
        return entry.decode("ascii")
    return f"{len(entry)} bytes, leaf hash {merkle.leaf_hash(entry).hex()}"


def _consistent(log_url: str | None, old: Checkpoint, new: Checkpoint) -> None:
    """The tree of `old` is a prefix of that of `new`, by a proof out of the log's tiles (RFC 9162 2.1.4)."""
    if old.size == 0:
        raise rules.EvidenceError("nothing can be proven from a checkpoint of an empty log")
    if old.size == new.size:
        merkle.verify_consistency(old.size, new.size, old.root, new.root, [])
        return
    if log_url is None:
        raise rules.EvidenceError("the sizes differ, so the log's tiles are needed: name the log (--log-url)")
    reader = tiles.TileReader(new.size, partial(_tile, log_url))
    proof = reader.proof(merkle.consistency_spans(old.size, new.size))
    merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)


def _whole(log_url: str, checkpoint: Checkpoint) -> int:
    """Every entry of the log gives the checkpoint's root; one bundle at a time is held."""
    frontier = tiles.Frontier()
    while frontier.size < checkpoint.size:
        width = min(tiles.WIDTH, checkpoint.size - frontier.size)
        entries = tiles.unbundle(_tile(log_url, Tile(None, frontier.size // tiles.WIDTH, width)))
        if len(entries) != width:
            raise rules.EvidenceError(
                f"the bundle from entry {frontier.size} on holds {len(entries)} of {width} entries"
            )
        frontier, _ = tiles.grow(frontier, entries)
    if frontier.root() != checkpoint.root:
        raise rules.EvidenceError("the entries give another root than the checkpoint has")
    return frontier.size


def _trust(vkey: str | None, trust: Policy, log_url: str | None) -> Policy:
    """The policy with the one key that was given, or its own logs, or the key that the log tells."""
    if vkey is None and trust.logs:
        return trust
    return replace(trust, logs=(Log(_vkey(vkey, log_url)),))


def _vkey(vkey: str | None, log_url: str | None) -> Vkey:
    if vkey is None:
        return note.parse_vkey(_text(f"{log_url}/vkey"))
    path = Path(vkey)
    return note.parse_vkey(path.read_text(encoding="utf-8") if path.is_file() else vkey)


def _key_detail(trust: Policy, *, asked: bool) -> str:
    keys = ", ".join(log.vkey.text for log in trust.logs)
    count = f"; quorum {policy.shown(trust.quorum)} of {len(trust.witnesses)} witnesses" if trust.quorum else ""
    return f"{keys}{count}{' (told by the log itself: compare it with the one you were given)' if asked else ''}"


def _tile(log_url: str, tile: Tile) -> bytes:
    """A tile; a log may drop a partial one once the full one is there, which begins with the same bytes."""
    try:
        return _fetch(f"{log_url}/{tile.path}")
    except FetchError:
        if tile.width == tiles.WIDTH:
            raise
        return tiles.cut(tile, _fetch(f"{log_url}/{replace(tile, width=tiles.WIDTH).path}"))


def _text(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return _fetch(source).decode("utf-8")
    try:
        return Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise FetchError(f"{source}: {error.strerror}") from error


def _fetch(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise FetchError(f"{url}: a log is read over http or https")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the scheme is checked
            return bytes(answer.read(_LARGEST))
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FetchError(f"{url}: {getattr(error, 'reason', None) or error}") from error


def _read_policy(path: Path) -> Policy:
    try:
        return policy.parse_policy(path.read_bytes())
    except OSError as error:
        _usage(f"{path}: {error.strerror}")
    except policy.PolicyError as error:
        _usage(f"{path} is no policy: {error}")


def _read_file(path: Path) -> Evidence | ProofFile:
    try:
        text = path.read_bytes().decode("utf-8")
        if text.startswith(proof_file.HEADER):
            return proof_file.parse_proof_file(text)
        return codec.evidence_of(json_format.Parse(text, GetEvidenceResponse()))
    except OSError as error:
        _usage(f"{path}: {error.strerror}")
    except proof_file.ProofFileError as error:
        _usage(f"{path} is no proof file: {error}")
    except (json_format.ParseError, UnicodeDecodeError) as error:
        _usage(f"{path} is neither a proof file nor what GetEvidence answers, as protobuf JSON: {error}")


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        verified = all(check.holds for check in report.checks)
        text = json.dumps({"verified": verified, "checks": [asdict(check) for check in report.checks]}, indent=2)
        typer.echo(text)
        return
    for check in report.checks:
        typer.echo(f"{'ok    ' if check.holds else 'FAILED'} {check.name}: {check.detail}")


def _usage(message: str) -> NoReturn:
    typer.echo(f"candor verify: {message}", err=True)
    sys.exit(_USAGE)


if __name__ == "__main__":
    typer.run(app)
