"""The lock file of a job's folder: taking it, and asking whether it is taken.

Front ends load this file too, so it uses the standard library alone and Python 3.10 syntax, and imports nothing from
its neighbours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

LOCK_FILE = "job.lock"
_HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)  # file systems without locks answer otherwise


def try_lock(descriptor: int) -> bool:
    """Lock an open file without waiting, until it is closed. File systems without locks count as free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True


def is_locked(folder: Path) -> bool:
    """Whether somebody holds the folder's lock: a trainer is at work there."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR)
    except OSError as error:
        return error.errno in _HELD
    try:
        free = try_lock(descriptor)
        if free:
            _unlock(descriptor)
        return not free
    finally:
        os.close(descriptor)


def _unlock(descriptor: int) -> None:
    """At once: Windows drops a closed file's locks when it finds the time."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_UN)
