"""Users of a local file, for a deployment on one machine. Passwords are kept as scrypt digests (RFC 7914)."""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

# 32 MiB and about a tenth of a second per try: N = 2^15, r = 8, p = 1 (OWASP, Password Storage).
COST, BLOCK, LANES = 2**15, 8, 1
MEMORY = 64 * 1024 * 1024
FIRST_USERS = {"officer": "privacy_officer", "oncall": "on_call", "auditor": "auditor", "operator": "operator"}


class UsersError(ValueError):
    """The users file cannot be read; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class LocalUser:
    """A name, its roles and the digest of its password."""

    name: str
    roles: frozenset[str]
    salt: bytes
    digest: bytes


def make_user(name: str, roles: frozenset[str], password: str) -> LocalUser:
    """A user with a fresh salt."""
    salt = secrets.token_bytes(16)
    return LocalUser(name, roles, salt, _digest(password, salt))


class LocalUsers:
    """Who may sign in, by name."""

    def __init__(self, users: tuple[LocalUser, ...]) -> None:
        self._users = {user.name: user for user in users}
        # Tried when the name is unknown, so that an unknown name takes as long as a wrong password.
        self._nobody = LocalUser("", frozenset(), b"\0" * 16, b"\0" * 64)

    def check(self, name: str, password: str) -> LocalUser | None:
        """The user when name and password fit. Takes a tenth of a second of one core: call it in a thread."""
        user = self._users.get(name, self._nobody)
        fits = hmac.compare_digest(_digest(password, user.salt), user.digest)
        return user if fits and user is not self._nobody else None


def load(file: Path) -> LocalUsers:
    """Read the file. Raises UsersError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return LocalUsers(tuple(_read(entry) for entry in document["users"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsersError(f"{file}: {type(error).__name__}: {error}") from error


def load_or_create(file: Path, passwords: Path) -> LocalUsers:
    """Read the file; at the first start make it, with random passwords written to `passwords` for the owner's eyes."""
    if not file.exists():
        _create(file, passwords)
    return load(file)


def _create(file: Path, passwords: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    secret = {name: secrets.token_urlsafe(12) for name in FIRST_USERS}
    users = [make_user(name, frozenset({role}), secret[name]) for name, role in FIRST_USERS.items()]
    lines = [f"{name} {secret[name]}" for name in FIRST_USERS]
    # The passwords first: a users file without them would lock everybody out.
    write_private(passwords, "\n".join(lines) + "\n")
    write_private(file, json.dumps({"users": [_write(user) for user in users]}, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=MEMORY)


def _write(user: LocalUser) -> dict[str, object]:
    return {"name": user.name, "roles": sorted(user.roles), "salt": user.salt.hex(), "scrypt": user.digest.hex()}


def _read(entry: dict[str, object]) -> LocalUser:
    roles = entry["roles"]
    if not isinstance(roles, list) or not entry["name"]:
        raise ValueError("a user needs a name and a list of roles")
    return LocalUser(
        str(entry["name"]),
        frozenset(str(role) for role in roles),
        bytes.fromhex(str(entry["salt"])),
        bytes.fromhex(str(entry["scrypt"])),
    )
