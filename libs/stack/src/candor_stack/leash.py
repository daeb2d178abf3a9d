"""Run one command that must not outlive its parent, under an account of choice.

Run by path, as `python -I -S leash.py PARENT SIGNAL UID GID KEEP COMMAND...`, with nothing but the standard library,
and replaced by the command (same process id):

1. give up root for UID:GID (-1 keeps the account); with KEEP=1 the right to pass folders that are closed to that
   account (CAP_DAC_OVERRIDE) survives, so that data and programs may lie under /root;
2. ask the kernel to send SIGNAL when the parent dies (Linux), so that even a SIGKILL of the parent leaves nothing
   behind. This comes after step 1 because a change of account clears it (prctl(2), PR_SET_PDEATHSIG);
3. stop here if the parent died in between;
4. become the command.

A program of its own rather than a `preexec_fn`, because code between fork and exec can deadlock a parent with threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_LINUX_CAPABILITY_VERSION_3 = 0x20080522


def _prctl(libc: ctypes.CDLL, option: int, first: int = 0, second: int = 0) -> None:
    if libc.prctl(option, first, second, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def _keep_right_of_way(libc: ctypes.CDLL) -> None:
    """Make CAP_DAC_OVERRIDE the one capability of this process, inherited by the programs it becomes."""
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    mask = 1 << _CAP_DAC_OVERRIDE
    # Two sets of (effective, permitted, inheritable), for capabilities 0-31 and 32-63: capset(2).
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")
    _prctl(libc, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _drop_root(libc: ctypes.CDLL, uid: int, gid: int, *, keep_right_of_way: bool) -> None:
    os.setgroups([])
    os.setgid(gid)
    if keep_right_of_way:
        _prctl(libc, _PR_SET_KEEPCAPS, 1)
    os.setuid(uid)
    if keep_right_of_way:
        _keep_right_of_way(libc)


def main(argv: list[str]) -> None:
    """Carry out the steps above; never returns normally."""
    parent, signal_number, uid, gid, keep = (int(word) for word in argv[:5])
    libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        try:
            _drop_root(libc, uid, gid, keep_right_of_way=bool(keep))
        except OSError as error:
            sys.exit(f"Cannot give up root: {error}. Run as an ordinary user, or from a folder that all may pass.")
    if sys.platform == "linux":
        _prctl(libc, _PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")
    os.execv(argv[5], argv[5:])  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
