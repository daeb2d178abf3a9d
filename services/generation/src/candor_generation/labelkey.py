"""The key that signs labels: a key of its own, certified by the log's key: labelling never waits for the log."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from candor_generation import durable, signing
from candor_generation.domain import labelcode, note
from candor_generation.domain.labelcode import LabelCode, LabelCodeError
from candor_generation.domain.note import NoteError, Vkey
from candor_generation.signing import LogKey, Signer


class LabelKey:
    """The label key, read from its file (or made) when it is first asked for, and its certificate.

    A new key is had by taking the file away and starting again; the certificates of former keys stay beside it, so
    that what they signed can be checked for ever.

    Args:
        path: the key file, e.g. `label.key`.
        certificates: the folder of the certificates.
        log_key: the log's key, which certifies.
    """

    def __init__(self, path: Path, certificates: Path, log_key: LogKey) -> None:
        self._path = path
        self._certificates = certificates
        self._log_key = log_key

    @property
    def origin(self) -> str:
        """The log that its labels lead to."""
        return self._log_key.origin

    @cached_property
    def signer(self) -> Signer:
        """The signer; its certificate is on disk before the first signature is made.

        Raises:
            NoteError: the file is no key, or another log's.
            OSError: the key or its certificate cannot be kept.
        """
        signer = signing.load_or_make(self._path, labelcode.key_name(self.origin))
        certificate = self._log_key.signer.sign(labelcode.certificate_text(self.origin, signer.vkey))
        path = self._certificates / signer.vkey.key_id.hex()
        if not path.exists():
            durable.write(path, certificate.encode())
        return signer

    def sign(self, content_id: str) -> str:
        """The reserved code of a label: that content of this number is in the log, or will be."""
        signer = self.signer
        signature = self._secret.sign(labelcode.message(self.origin, content_id))
        return LabelCode(self.origin, signer.vkey.key_id, signature).text

    @cached_property
    def _secret(self) -> Ed25519PrivateKey:
        _, seed, _ = note.parse_private(self._path.read_text(encoding="ascii"))
        return Ed25519PrivateKey.from_private_bytes(seed)

    def certificate(self, key_id: str) -> str | None:
        """The certificate of the present or a former label key, a signed note, by its id of 8 hex digits."""
        if len(key_id) != 2 * note.KEY_ID_SIZE or not all(letter in "0123456789abcdef" for letter in key_id):
            return None
        try:
            return (self._certificates / key_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def is_foreign(self, code: str) -> bool:
        """Whether a reserved code is not of this kind, or says that it leads to another log."""
        try:
            return labelcode.parse(code).origin != self.origin
        except LabelCodeError:
            return True

    def check(self, code: str, content_id: str) -> LabelCode:
        """Check a reserved code that says it leads to this log.

        Raises:
            LabelCodeError: it is another log's, or does not hold.
        """
        found = labelcode.parse(code)
        if found.origin != self.origin:
            raise LabelCodeError("the label leads to another log")
        certificate = self.certificate(found.key_id.hex())
        if certificate is None:
            raise LabelCodeError("the label is signed by a key that this log never certified")
        return verify(code, content_id, [certificate], self._log_key.signer.vkey)


def verify(code: str, content_id: str, certificates: Iterable[str], log_vkey: Vkey) -> LabelCode:
    """Check a reserved code with nothing but the log's verifier key and certificates from wherever.

    Args:
        code: the text of `ReservedCode1` or `ReservedCode2`.
        content_id: the number it stands beside.
        certificates: signed notes; those of other keys are passed over.
        log_vkey: the log's key.

    Returns:
        What the code says; it holds.

    Raises:
        LabelCodeError: it does not hold, or no certificate is its key's; the caller MUST NOT believe the label.
    """
    found = labelcode.parse(code)
    if found.origin != log_vkey.name:
        raise LabelCodeError(f"the label leads to the log {found.origin}, the key is that of {log_vkey.name}")
    key = _certified(found, certificates, log_vkey)
    if not signing.holds(key.public_key, labelcode.message(found.origin, content_id), found.signature):
        raise LabelCodeError("the signature of the label does not hold")
    return found


def _certified(code: LabelCode, certificates: Iterable[str], log_vkey: Vkey) -> Vkey:
    for text in certificates:
        try:
            certificate = note.parse_note(text)
            note.verify(certificate, log_vkey, signing.holds)
            origin, key = labelcode.parse_certificate(certificate.text)
        except NoteError as error:
            raise LabelCodeError(f"a certificate does not hold: {error}") from error
        if (origin, key.key_id) == (code.origin, code.key_id):
            return key
    raise LabelCodeError("no certificate is that of the key that signed the label")
