"""The command and its steps."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from candor_generation.domain import act, leaf, merkle, note, policy, proof_file, tiles
from candor_generation.domain import evidence as rules
from candor_generation.domain.act import ActEvidence
from candor_generation.domain.evidence import Evidence
from candor_generation.domain.note import Checkpoint, Vkey
from candor_generation.domain.policy import Log, Policy, Trusted
from candor_generation.domain.proof_file import ProofFile
from candor_generation.domain.tiles import Tile
from candor_generation.signing import holds
from candor_generation.verify import sources
from candor_generation.verify.report import Check, Report, StepFailedError, show

_FAILED = 1
_USAGE = 2
_PRINTABLE = 0x20, 0x7E
Item = Evidence | ActEvidence | ProofFile


def app(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A .tlog-proof file, or what GetEvidence or GetActEvidence answered, as JSON."
        ),
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
    """Check one record or act against a signed checkpoint, or with --log-url alone the whole log.

    Exit code 0: everything holds. 1: something does not, the last line says what. 2: wrong usage.
    """
    if file is None and log_url is None:
        _usage("name a proof or evidence file, a log (--log-url), or both")
    try:
        trust = sources.read_policy(policy_file) if policy_file else Policy()
        item = sources.read_item(file) if file else None
    except sources.UsageError as error:
        _usage(str(error))
    if vkey is None and log_url is None and not trust.logs:
        _usage("name the log's verifier key (--key), or a policy that names the log (--policy)")
    report = Report()
    prefix = log_url.rstrip("/") if log_url else None
    try:
        _verify(report, item, checkpoint, vkey, trust, prefix)
    except StepFailedError:
        show(report, as_json=as_json)
        raise typer.Exit(_FAILED) from None
    show(report, as_json=as_json)


def _verify(
    report: Report,
    item: Item | None,
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
        lambda: policy.check_checkpoint(sources.text_of(source), trust, holds),
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


def _verify_item(report: Report, item: Item, trust: Policy) -> Trusted:
    if isinstance(item, ProofFile):
        return _verify_proof(report, item, trust)
    if isinstance(item, ActEvidence):
        return _verify_act(report, item, trust)
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
    return _place_steps(report, item, trust)


def _verify_act(report: Report, item: ActEvidence, trust: Policy) -> Trusted:
    found = report.step("entry", lambda: act.decode(item.entry), _act_detail)
    opening = item.opening
    if opening is None:
        report.checks.append(Check("opening", True, "absent: nothing is opened, as where the person was erased"))
    else:
        report.step(
            "opening",
            lambda: act.check_opening(item.entry, opening),
            lambda _: f"the {len(opening.fact)} bytes of {_printable(found.type)} are what the entry commits to",
        )
    return _place_steps(report, item, trust)


def _act_detail(found: act.Act) -> str:
    return _printable(f"{found.type} {found.fact_id} of {found.source}, {found.at:%Y-%m-%dT%H:%M:%SZ}")


def _printable(text: str) -> str:
    return text if text.isprintable() and text.isascii() else ascii(text)


def _place_steps(report: Report, item: Evidence | ActEvidence, trust: Policy) -> Trusted:
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
    reader = tiles.TileReader(new.size, partial(sources.tile_of, log_url))
    proof = reader.proof(merkle.consistency_spans(old.size, new.size))
    merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)


def _whole(log_url: str, checkpoint: Checkpoint) -> int:
    """Every entry of the log gives the checkpoint's root, and every tile; one bundle at a time is held."""
    frontier = tiles.Frontier()
    while frontier.size < checkpoint.size:
        width = min(tiles.WIDTH, checkpoint.size - frontier.size)
        entries = tiles.unbundle(sources.tile_of(log_url, Tile(None, frontier.size // tiles.WIDTH, width)))
        if len(entries) != width:
            raise rules.EvidenceError(
                f"the bundle from entry {frontier.size} on holds {len(entries)} of {width} entries"
            )
        frontier, full = tiles.grow(frontier, entries)
        _same_tiles(log_url, full)
    if frontier.root() != checkpoint.root:
        raise rules.EvidenceError("the entries give another root than the checkpoint has")
    _same_tiles(log_url, frontier.partials())
    return frontier.size


def _same_tiles(log_url: str, made: Iterable[tuple[Tile, bytes]]) -> None:
    """The log serves the hashes that its entries give: whoever asks it for a proof builds on them."""
    for tile, content in made:
        if tile.level is not None and sources.tile_of(log_url, tile) != content:
            raise rules.EvidenceError(f"{tile.path} holds other hashes than the entries give")


def _trust(vkey: str | None, trust: Policy, log_url: str | None) -> Policy:
    """The policy with the one key that was given, or its own logs, or the key that the log tells."""
    if vkey is None and trust.logs:
        return trust
    return replace(trust, logs=(Log(_vkey(vkey, log_url)),))


def _vkey(vkey: str | None, log_url: str | None) -> Vkey:
    if vkey is None:
        return note.parse_vkey(sources.text_of(f"{log_url}/vkey"))
    path = Path(vkey)
    return note.parse_vkey(path.read_text(encoding="utf-8") if path.is_file() else vkey)


def _key_detail(trust: Policy, *, asked: bool) -> str:
    keys = ", ".join(log.vkey.text for log in trust.logs)
    count = f"; quorum {policy.shown(trust.quorum)} of {len(trust.witnesses)} witnesses" if trust.quorum else ""
    return f"{keys}{count}{' (told by the log itself: compare it with the one you were given)' if asked else ''}"


def _usage(message: str) -> NoReturn:
    typer.echo(f"candor verify: {message}", err=True)
    sys.exit(_USAGE)
