"""Content credentials: a signed C2PA manifest that names the log entry of what a file holds.

A manifest hashes the file it stands in, so it MUST be the last thing that is put in: first the explicit mark, then the
metadata label, then this.

Source: AI Act 50(2)
Spec: C2PA Technical Specification 2.2
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

import c2pa

from candor_generation.carriers.base import CarrierError, malformed, size_of, too_large
from candor_generation.identity import Identity

ASSERTION: Final = "dev.candor.genlog"
"""The label of the assertion that names the log entry."""

LARGEST: Final = 64 * 1024 * 1024
"""The largest file that is signed or read by default, in bytes.

The C2PA library hashes in pieces of up to 256 MiB, so a file takes once or twice its size in memory: unlike the
carriers, this is not flat.
"""

SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""What IPTC calls media made by a model."""

_MANIFEST_MIB: Final = 16
# The library names documents that are ZIP archives too, and fails on each whose parts are compressed.
_ARCHIVES: Final = ("application/vnd.", "application/epub", "application/oxps", "application/x-zip")


@dataclass(frozen=True)
class Pointer:
    """Where the record of some content stands.

    Attributes:
        origin: the log's name.
        generation_id: the record's.
    """

    origin: str
    generation_id: str


@dataclass(frozen=True)
class Maker:
    """What made the content: a model's name and version."""

    model: str
    version: str


@dataclass(frozen=True)
class Reading:
    """What a file's manifest says.

    Attributes:
        state: "Trusted", "Valid" or "Invalid": the signer is one of the anchors', the signature and every hash hold, or
            something does not.
        pointer: the log entry, if the manifest names one.
        issuer: the organisation that issued the signer's certificate, or "".
        failures: codes of what does not hold, such as "assertion.dataHash.mismatch".
        parents: how many manifests it was made from.
    """

    state: str
    pointer: Pointer | None
    issuer: str
    failures: tuple[str, ...]
    parents: int


def media_types() -> frozenset[str]:
    """The media types that a manifest can be put in."""
    return frozenset(
        kind for kind in c2pa.Builder.get_supported_mime_types() if "/" in kind and not kind.startswith(_ARCHIVES)
    )


class Credentials:
    """Signs manifests and reads them; it never asks the network but for the time, where an authority is given.

    Args:
        identity: who signs.
        time_authority: where to have signatures time-stamped (RFC 3161), or None.
        version: Candor's own, for the manifest's claim generator.
        largest: the largest file that is signed, in bytes.

    Raises:
        ValueError: the identity is none.
    """

    def __init__(
        self, identity: Identity, *, time_authority: str | None = None, version: str = "", largest: int = LARGEST
    ) -> None:
        self._largest = largest
        self._time_host = None if time_authority is None else urlsplit(time_authority).hostname
        self._signer = c2pa.C2paSignerInfo(
            alg=identity.algorithm,
            sign_cert=identity.chain,
            private_key=identity.key,
            ta_url=None if time_authority is None else time_authority.encode(),
        )
        self._generator = {"name": "Candor"} | ({"version": version} if version else {})

    def sign(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        media_type: str,
        *,
        pointer: Pointer,
        maker: Maker,
        when: datetime,
        parent: BinaryIO | None = None,
    ) -> None:
        """Write the file with a manifest.

        A manifest that the parent carries is kept: the new one names it as what the content was made from.

        Args:
            source: the marked and labelled file, seekable.
            destination: empty, seekable and readable.
            media_type: of the file, one of `media_types()`.
            pointer: the log entry.
            maker: what made the content.
            when: it was made.
            parent: the file before it was marked and labelled; by default the source itself.

        Raises:
            CarrierError: UNSUPPORTED_MEDIA; FILE_TOO_LARGE; FILE_MALFORMED, the file, or the manifest it came with,
                cannot be read.
        """
        if media_type not in media_types():
            raise CarrierError("UNSUPPORTED_MEDIA", "content credentials cannot be put in files of this media type")
        origin = source if parent is None else parent
        _check_size(source, self._largest)
        _check_size(origin, self._largest)
        has_parent = _has_manifest(origin, media_type)
        manifest = self._manifest(pointer, maker, when, has_parent=has_parent)
        context = _context(time_host=self._time_host)
        with _translated(), context as settings, c2pa.Builder(manifest, context=settings) as builder:
            if has_parent:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                origin.seek(0)
                builder.add_ingredient({"title": "source", "relationship": "parentOf"}, media_type, origin)
            source.seek(0)
            with c2pa.Signer.from_info(self._signer) as signer:
                builder.sign(signer, media_type, source, destination)

    def _manifest(self, pointer: Pointer, maker: Maker, when: datetime, *, has_parent: bool) -> dict[str, Any]:
        if has_parent:
            # The intent puts c2pa.opened with the parent before it; the parent's manifest says how it was created.
            actions = [self._action("c2pa.edited.metadata", maker, when)]
        else:
            actions = [self._action("c2pa.created", maker, when)]
        return {
            "claim_generator_info": [self._generator],
            "title": pointer.generation_id,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": actions}},
                {"label": ASSERTION, "data": {"log": pointer.origin, "generation": pointer.generation_id}},
            ],
        }

    @staticmethod
    def _action(name: str, maker: Maker, when: datetime) -> dict[str, Any]:
        agent = {"name": maker.model} | ({"version": maker.version} if maker.version else {})
        return {
            "action": name,
            "when": when.isoformat(timespec="seconds"),
            "softwareAgent": agent,
            "digitalSourceType": SOURCE_TYPE,
        }


def read(source: BinaryIO, media_type: str, *, anchors: bytes = b"", largest: int = LARGEST) -> Reading | None:
    """What a file's manifest says, or None where it has none.

    Args:
        source: the file, seekable.
        media_type: of the file.
        anchors: certificates of the authorities that are trusted, PEM.
        largest: the largest file that is read, in bytes.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA; FILE_TOO_LARGE; FILE_MALFORMED, the file or its manifest cannot be read.
    """
    if media_type not in c2pa.Reader.get_supported_mime_types():
        raise CarrierError("UNSUPPORTED_MEDIA", "files of this media type carry no content credentials")
    _check_size(source, largest)
    with _translated(), _context(anchors) as context:
        reader = c2pa.Reader.try_create(media_type, source, context=context)
        if reader is None:
            return None
        with reader:
            return _reading(json.loads(reader.json()))


def _reading(store: dict[str, Any]) -> Reading:
    active = store.get("manifests", {}).get(store.get("active_manifest"), {})
    results = store.get("validation_results", {}).get("activeManifest", {})
    return Reading(
        state=str(store.get("validation_state", "Invalid")),
        pointer=_pointer(active),
        issuer=str(active.get("signature_info", {}).get("issuer", "")),
        failures=tuple(str(failure.get("code", "")) for failure in results.get("failure", [])),
        parents=sum(ingredient.get("relationship") == "parentOf" for ingredient in active.get("ingredients", [])),
    )


def _pointer(manifest: dict[str, Any]) -> Pointer | None:
    for assertion in manifest.get("assertions", []):
        data = assertion.get("data")
        if assertion.get("label") == ASSERTION and isinstance(data, dict):
            origin, generation = data.get("log"), data.get("generation")
            if isinstance(origin, str) and isinstance(generation, str):
                return Pointer(origin, generation)
    return None


def _check_size(source: BinaryIO, largest: int) -> None:
    if size_of(source) > largest:
        raise too_large(f"files of more than {largest} bytes carry no content credentials here")


def _has_manifest(source: BinaryIO, media_type: str) -> bool:
    source.seek(0)
    with _translated(), _context() as context:
        reader = c2pa.Reader.try_create(media_type, source, context=context)
        if reader is None:
            return False
        reader.close()
        return True


@contextlib.contextmanager
def _context(anchors: bytes = b"", time_host: str | None = None) -> Iterator[c2pa.Context]:
    """The library's settings: no network, and no pictures in manifests, which would show what the content shows."""
    settings: dict[str, Any] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
        "core": {
            "backing_store_memory_threshold_in_mb": 1,
            "max_decompressed_manifest_size_in_mb": _MANIFEST_MIB,
            "allowed_network_hosts": [] if time_host is None else [time_host],
        },
    }
    if anchors:
        settings["trust"] = {"trust_anchors": anchors.decode("ascii")}
    with c2pa.Context.from_dict(settings) as context:
        yield context


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except c2pa.C2paError as error:
        raise malformed("the file, or the content credentials in it, cannot be read") from error
