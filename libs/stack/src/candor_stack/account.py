"""The account a child runs under: the caller's own, or 'nobody' where PostgreSQL refuses root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from candor_stack.errors import StackError

_FALLBACK_UID = 65534  # the kernel's overflow uid, 'nobody' on every mainstream distribution


@dataclass(frozen=True, slots=True)
class Account:
    """A numeric account for a child; `right_of_way` lets it pass folders that are closed to it."""

    uid: int
    gid: int
    right_of_way: bool = False

    def adopt(self, path: Path) -> None:
        """Make a file or an empty folder this account's own (nothing to do for the caller's own account)."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)


OWN = Account(uid=-1, gid=-1)


def unprivileged(*paths: Path) -> Account:
    """The account for a program that refuses root: the caller's own unless the caller is root.

    `paths` are the folders the program must reach; a home folder like /root is closed to others, and then the account
    keeps the right of way.
    """
    if os.geteuid() != 0:
        return OWN
    entry = _nobody()
    closed = any(not _open_to_others(path) for path in paths)
    return Account(entry.pw_uid, entry.pw_gid, right_of_way=closed)


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        pass
    try:
        return pwd.getpwuid(_FALLBACK_UID)
    except KeyError:
        raise StackError(
            "PostgreSQL refuses to run as root and this machine has no account 'nobody'. "
            "Create one (useradd --system nobody) or run as an ordinary user."
        ) from None


def _open_to_others(path: Path) -> bool:
    """Whether every folder above `path` may be passed by anybody."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
