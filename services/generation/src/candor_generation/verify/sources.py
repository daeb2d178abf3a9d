"""Where the verifier reads from: files, and the log's tiles over HTTP."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from candor.generation.v1.service_pb2 import GetActEvidenceResponse, GetEvidenceResponse
from google.protobuf import json_format

from candor_generation import codec
from candor_generation.domain import act, policy, proof_file, tiles
from candor_generation.domain.act import ActEvidence
from candor_generation.domain.evidence import Evidence
from candor_generation.domain.policy import Policy
from candor_generation.domain.proof_file import ProofFile
from candor_generation.domain.tiles import Tile

_TIMEOUT_SECONDS = 30
_LARGEST = tiles.WIDTH * (tiles.MAX_ENTRY + 2)


class FetchError(ValueError):
    """A file of the log could not be had; the message says which and why."""


class UsageError(Exception):
    """A file that was named is not what it should be; the message says why."""


def tile_of(log_url: str, tile: Tile) -> bytes:
    """A tile; a log may drop a partial one once the full one is there, which begins with the same bytes."""
    try:
        return _fetch(f"{log_url}/{tile.path}")
    except FetchError:
        if tile.width == tiles.WIDTH:
            raise
        return tiles.cut(tile, _fetch(f"{log_url}/{replace(tile, width=tiles.WIDTH).path}"))


def text_of(source: str) -> str:
    """A file, or what a URL answers.

    Raises:
        FetchError: it cannot be had.
    """
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
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise FetchError(f"{url}: {getattr(error, 'reason', None) or error}") from error


def read_policy(path: Path) -> Policy:
    """A policy of witnesses.

    Raises:
        UsageError: the file is none.
    """
    try:
        return policy.parse_policy(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except policy.PolicyError as error:
        raise UsageError(f"{path} is no policy: {error}") from error


def read_item(path: Path) -> Evidence | ActEvidence | ProofFile:
    """A proof file, or evidence.

    Raises:
        UsageError: the file is neither.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        return proof_file.parse_proof_file(text) if text.startswith(proof_file.HEADER) else _evidence(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except proof_file.ProofFileError as error:
        raise UsageError(f"{path} is no proof file: {error}") from error
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is neither a proof file nor what GetEvidence or GetActEvidence answers, as protobuf JSON: {error}"
        ) from error


def _evidence(text: str) -> Evidence | ActEvidence:
    """Evidence of what the entry says it is of; both answers have the entry in the same place."""
    entry = json_format.Parse(text, GetEvidenceResponse(), ignore_unknown_fields=True).entry
    if act.is_act(entry):
        return codec.act_evidence_of(json_format.Parse(text, GetActEvidenceResponse()))
    return codec.evidence_of(json_format.Parse(text, GetEvidenceResponse()))
