"""Who signs content credentials: a chain of X.509 certificates and the key of its first.

Spec: C2PA Technical Specification 2.2 14.5
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from candor_generation import durable

_VALID_FOR: Final = timedelta(days=3650)
_EARLIER: Final = timedelta(hours=1)  # other machines' clocks may be behind
_CURVES: Final = {"secp256r1": b"es256", "secp384r1": b"es384", "secp521r1": b"es512"}
_MODE: Final = 0o600
_CHAIN_FILE, _KEY_FILE = "c2pa-chain.pem", "c2pa-key.pem"


@dataclass(frozen=True)
class Identity:
    """Who signs: a chain of certificates, the signer's own first, and its key, both PEM.

    Args:
        chain: the certificates.
        key: the private key, PKCS #8, on a NIST curve.
    """

    chain: bytes
    key: bytes = field(repr=False)

    @property
    def algorithm(self) -> bytes:
        """The name of the signature algorithm.

        Raises:
            ValueError: the key is on no NIST curve, or is not that of the first certificate.
        """
        key = serialization.load_pem_private_key(self.key, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _CURVES:
            raise ValueError("the key for content credentials is on none of the curves P-256, P-384 and P-521")
        if x509.load_pem_x509_certificates(self.chain)[0].public_key() != key.public_key():
            raise ValueError("the key for content credentials is not that of the first certificate")
        return _CURVES[key.curve.name]

    @property
    def anchor(self) -> bytes:
        """The last certificate of the chain, PEM: whoever trusts it trusts what was signed."""
        last = x509.load_pem_x509_certificates(self.chain)[-1]
        return last.public_bytes(serialization.Encoding.PEM)


def load(chain: Path, key: Path) -> Identity:
    """An identity from its files.

    Raises:
        OSError: one cannot be read.
        ValueError: they are none, or do not belong together.
    """
    identity = Identity(chain.read_bytes(), key.read_bytes())
    identity.algorithm  # noqa: B018 - it checks
    return identity


def load_or_make(folder: Path, organisation: str, now: datetime) -> Identity:
    """The identity in a folder, which is made where there is none, for running on one machine: nobody else trusts it.

    Raises:
        OSError: it cannot be read or written.
        ValueError: what is there is none.
    """
    chain, key = folder / _CHAIN_FILE, folder / _KEY_FILE
    if not key.exists():
        made = self_made(organisation, now)
        # The key comes last: its being there says that both are.
        durable.write(chain, made.chain)
        _write_secret(key, made.key)
    return load(chain, key)


def _write_secret(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    durable.sync_folder(path.parent)


def self_made(organisation: str, now: datetime) -> Identity:
    """A new authority and a signer that it certifies; the authority's key is thrown away.

    Args:
        organisation: whom the certificates name.
        now: from when they are valid, for ten years.

    Spec: C2PA Technical Specification 2.2 14.5
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, leaf = _name(organisation, "content authority"), _name(organisation, "content signer")
    authority = _certificate(root, root, authority_key, authority_key, now, is_authority=True)
    signer = _certificate(leaf, root, key, authority_key, now, is_authority=False)
    pem = serialization.Encoding.PEM
    chain = signer.public_bytes(pem) + authority.public_bytes(pem)
    plain = serialization.NoEncryption()
    return Identity(chain, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation} {role}"),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    is_authority: bool,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
