"""One trainer a folder: a lock file that the operating system releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from core.errors import InputError
from core.lockfile import LOCK_FILE, try_lock


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
def exclusive(folder: str | Path) -> Iterator[Path]:
    """Hold the folder's lock, making the folder where needed; the system drops it when the process dies.

    Gives the folder's absolute path. Raises InputError where another process (or another holder in this one) has it.
    """
    path = make_folder(folder)
    descriptor = _acquire(path)
    try:
        yield path
    finally:
        _release(descriptor, path)


def _acquire(folder: Path) -> int:
    """The descriptor of the lock file, locked. Raises InputError where somebody else has it."""
    while True:
        descriptor = _open_lock(folder)
        if not try_lock(descriptor):
            os.close(descriptor)
            raise InputError(f"Another trainer is at work in {folder}: wait for it, cancel it, or use another folder.")
        if _is_in_place(descriptor, folder):
            return descriptor
        os.close(descriptor)


def _is_in_place(descriptor: int, folder: Path) -> bool:
    """Whether this is still the folder's lock file: its last holder may have deleted it while we opened it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(folder / LOCK_FILE))
    except OSError:
        return False


def _release(descriptor: int, folder: Path) -> None:
    """Unlock; in a folder without a job, which is not ours, leave nothing behind."""
    unneeded = not (folder / "job.json").exists()
    if unneeded and sys.platform != "win32":  # while it is held: later it may be another's
        _delete(folder)
    os.close(descriptor)
    if unneeded and sys.platform == "win32":  # which deletes no open file, so not another's either
        _delete(folder)


def _delete(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / LOCK_FILE).unlink()


def _open_lock(folder: Path) -> int:
    try:
        return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"Cannot write to {folder} ({error.strerror}): choose another folder.") from error
