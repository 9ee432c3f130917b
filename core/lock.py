"""One trainer a folder: a lock file that the operating system releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from core.errors import InputError

_LOCK_FILE = "job.lock"


def make_folder(folder: str | Path) -> Path:
    """The absolute path of a folder that exists and can be written to. Raises InputError otherwise."""
    path = Path(folder).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path} ({error.strerror}): choose another.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write to {path}: choose another folder or change its permissions.")
    return path


@contextlib.contextmanager
def exclusive(folder: str | Path) -> Iterator[None]:
    """Hold the folder's lock, making the folder where needed; the system drops it when the process dies.

    Raises InputError where another process (or another holder in this one) has it.
    """
    path = make_folder(folder)
    descriptor = _open_lock(path)
    if not _try_lock(descriptor):
        os.close(descriptor)
        raise InputError(f"Another trainer is at work in {path}: wait for it, cancel it, or use another folder.")
    try:
        yield
    finally:
        os.close(descriptor)
        if not (path / "job.json").exists():  # refused: leave nothing behind in a folder that is not ours
            with contextlib.suppress(OSError):
                (path / _LOCK_FILE).unlink()


def is_locked(folder: str | Path) -> bool:
    """Whether a living trainer holds the folder. False with a "running" state means that it was killed."""
    path = Path(folder).expanduser().absolute()
    if not (path / _LOCK_FILE).exists():
        return False
    descriptor = _open_lock(path)
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _open_lock(folder: Path) -> int:
    try:
        return os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"Cannot write to {folder} ({error.strerror}): choose another folder.") from error


def _try_lock(descriptor: int) -> bool:
    """Take the lock without waiting. File systems without locks count as free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, getattr(errno, "EDEADLOCK", errno.EDEADLK))
    return True
