"""What a log, its witnesses and its auditors read of each other: paths, bundles, notes, policies, proofs, evidence."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import typer
from candor.generation.v1.service_pb2 import GetEvidenceResponse, Opening
from candor_generation.domain import act, cosignature, leaf, merkle, note, policy, proof_file, tiles
from candor_generation.domain.generation import Decision, Meta, Modality, Payload
from candor_generation.domain.note import COSIGNATURE, NoteError
from candor_generation.domain.policy import Policy
from candor_generation.domain.proof_file import ProofFile
from candor_generation.domain.tiles import Tile
from candor_generation.signing import Signer, holds
from candor_generation.verify import app
from google.protobuf import json_format

from .target import Target

_ORIGIN = "candor.example/log/generation/2026h2"
_LOG = Signer(_ORIGIN, bytes(range(32)))
_WITNESS = note.Vkey("witness.example/w", _LOG.vkey.public_key, COSIGNATURE)
_POLICY = (
    f"# trust\nlog {_LOG.vkey.text} https://log.example/\nwitness w {_WITNESS.text} https://witness.example/\n"
    "group g any w\nquorum g\n"
).encode()
_AT = datetime(2026, 11, 22, tzinfo=UTC)
_ID = "01933b2e-7f00-7000-8000-000000000001"


def _path(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    tile = tiles.parse_path(text)
    if tile is not None:
        assert tile.path == text
        assert ".." not in text
        assert text.startswith("tile/")


def _bundle(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert tiles.bundle(tiles.unbundle(data)) == data


def _tile(data: bytes) -> None:
    for tile in (Tile(0, 0), Tile(0, 0, max(1, min(255, len(data) // 32))), Tile(None, 0, 3)):
        with contextlib.suppress(ValueError):
            assert len(tiles.hashes_of(tile, data)) == tile.width
        with contextlib.suppress(ValueError):
            tiles.cut(tile, data)


def _note(data: bytes) -> None:
    signed = data.decode("utf-8", "replace")
    with contextlib.suppress(NoteError):
        parsed = note.parse_note(signed)
        assert parsed.signed == signed
        note.verify(parsed, _LOG.vkey, holds)
        assert parsed.text in _signed_texts()


def _checkpoint(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(NoteError):
        parsed = note.parse_checkpoint(text)
        assert parsed.text == text
    with contextlib.suppress(ValueError):
        policy.check_checkpoint(text, policy.parse_policy(_POLICY), holds)


def _key(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(NoteError):
        assert note.parse_vkey(text).text == text.strip()
    with contextlib.suppress(NoteError):
        assert cosignature.parse_key(text).text == text.strip()
    with contextlib.suppress(NoteError):
        name, seed, _ = note.parse_private(text)
        Signer(name, seed)


def _cosignature(data: bytes) -> None:
    """What a witness answers: signature lines, of which those of a known witness hold or spoil the rest."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(NoteError):
        lines = note.parse_signatures(text)
        assert "".join(f"{item.line}\n" if not item.line.endswith("\n") else item.line for item in lines) == text
        found = cosignature.verify(note.Note(_checkpoint_text(), lines), _WITNESS, holds)
        assert found is None or found.signature in lines


def _policy(data: bytes) -> None:
    try:
        parsed = policy.parse_policy(data)
    except policy.PolicyError:
        return
    names = [witness.name for witness in parsed.witnesses]
    assert policy.satisfied(parsed, names)
    assert policy.satisfied(parsed, []) == (parsed.quorum is None)
    with contextlib.suppress(ValueError):
        policy.check_checkpoint(_signed(), parsed, holds)


def _proof(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        parsed = proof_file.parse_proof_file(text)
    except proof_file.ProofFileError:
        return
    assert parsed.text == text
    with contextlib.suppress(ValueError):
        proof_file.verify(parsed, Policy((policy.Log(_LOG.vkey),)), holds)
        assert parsed.extra in _entries()


def _entry(data: bytes) -> None:
    with contextlib.suppress(leaf.LeafError):
        assert leaf.encode(leaf.decode(data)) == data
    with contextlib.suppress(leaf.LeafError):
        assert act.encode(act.decode(data)) == data
        assert act.is_act(data)


def _evidence(data: bytes) -> None:
    """`candor verify FILE`: wrong usage, a step that does not hold, or everything holds."""
    with tempfile.NamedTemporaryFile(dir=_memory()) as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(SystemExit, typer.Exit), _silent():
            app(Path(file.name), vkey=_LOG.vkey.text, as_json=True)


def _memory() -> str | None:
    """A folder that is no disk, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the file is made by tempfile


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


@cache
def _entries() -> tuple[bytes, ...]:
    payload = Payload("user", "prompt", "output")
    meta = Meta(_ID, _AT, "example", "example-7b", "chat", "en", Modality.TEXT)
    made = leaf.make(meta, "1", Decision.ALLOW, bytes(32), leaf.commit(bytes(32), payload))
    return leaf.encode(made), leaf.encode_act("act", _AT, {"id": "a"}), leaf.encode_act("act", _AT, {"id": "b"})


@cache
def _checkpoint_text() -> str:
    root = merkle.tree_hash([merkle.leaf_hash(entry) for entry in _entries()])
    return note.Checkpoint(_ORIGIN, len(_entries()), root).text


@cache
def _signed_texts() -> frozenset[str]:
    return frozenset({_checkpoint_text(), "text\n"})


def _signed() -> str:
    return _LOG.sign(_checkpoint_text())


def _hashes() -> tuple[bytes, ...]:
    leaves = [merkle.leaf_hash(entry) for entry in _entries()]
    return tuple(merkle.tree_hash(leaves[start:end]) for start, end in merkle.inclusion_spans(0, len(leaves)))


def _proofs() -> list[bytes]:
    return [ProofFile(0, _hashes(), _signed(), extra).text.encode() for extra in (_entries()[0], None)]


def _evidences() -> list[bytes]:
    opening = Opening(commitment_key=bytes(32), subject="user", prompt="prompt", output="output")
    message = GetEvidenceResponse(
        origin=_ORIGIN, log_index=0, entry=_entries()[0], inclusion_proof=_hashes(), checkpoint=_signed()
    )
    bare = json_format.MessageToJson(message).encode()
    message.opening.CopyFrom(opening)
    return [bare, json_format.MessageToJson(message, indent=None).encode(), *_proofs()]


def _paths() -> list[bytes]:
    tried = (Tile(0, 5), Tile(1, 0, 1), Tile(63, 1_234_067, 255), Tile(None, 273, 112))
    return [tile.path.encode() for tile in tried] + [b"tile/0/x001/../000", b"checkpoint"]


def _cosignatures() -> list[bytes]:
    stamp = 1_795_000_000
    blob = _signature(cosignature.signed_message(_checkpoint_text(), stamp))
    line = cosignature.line_of(_WITNESS, stamp, blob).line
    return [line.encode() if line.endswith("\n") else f"{line}\n".encode()]


def _signature(message: bytes) -> bytes:
    return _LOG._key.sign(message)


def _texts(*made: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [text.encode() for text in made]


TARGETS = (
    Target("tile-path", "tiles", _path, _paths),
    Target("bundle", "tiles", _bundle, lambda: [tiles.bundle(_entries()), b"\0\0", b"\xff\xff"]),
    Target("tile", "tiles", _tile, lambda: [bytes(range(96)), bytes(8192)]),
    Target("note", "notes", _note, lambda: [_signed().encode(), _LOG.sign("text\n").encode()]),
    Target("checkpoint", "notes", _checkpoint, lambda: [_checkpoint_text().encode(), _signed().encode()]),
    Target(
        "key",
        "notes",
        _key,
        _texts(_LOG.vkey.text, _WITNESS.text, note.private_text(_ORIGIN, _LOG.vkey.public_key, bytes(range(32)))),
    ),
    Target("cosignature", "notes", _cosignature, _cosignatures),
    Target("tlog-policy", "notes", _policy, lambda: [_POLICY, b"quorum none\n"]),
    Target("tlog-proof", "notes", _proof, _proofs),
    Target("entry", "notes", _entry, lambda: [*_entries(), b"[[[]]]"]),
    Target("evidence", "notes", _evidence, _evidences),
)
