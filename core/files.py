"""Files that are replaced whole or not at all, and what to say where they cannot be. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

from core.errors import DreamFusionError

_DISK_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_REPLACE_TRIES = 20  # Windows refuses to replace a file while a reader has it open
_REPLACE_PAUSE = 0.05  # seconds


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, or leave the old one whole.

    The data goes to a temporary name beside it, is flushed to the disk, and is then renamed. Raises
    DreamFusionError where the disk is full, the folder is gone or the system refuses; the temporary file is removed.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        _write_flushed(temporary, data)
        _replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise DreamFusionError(_why_not_written(error, path)) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether there was no space left to write to."""
    return isinstance(error, OSError) and error.errno in _DISK_FULL


def folder_is_gone(folder: Path) -> str:
    """What to tell the user about that."""
    return f"The folder {folder} is gone: put it back and resume, or generate again."


def _why_not_written(error: OSError, path: Path) -> str:
    if is_disk_full(error):
        return f"No space left on the disk for {path}: free some and resume; what was saved before is whole."
    if not path.parent.is_dir():
        return folder_is_gone(path.parent)
    return f"Cannot write {path}: {error.strerror or error}."


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(source: Path, target: Path) -> None:
    for attempt in range(_REPLACE_TRIES):
        try:
            os.replace(source, target)
            break
        except PermissionError:
            if sys.platform != "win32" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(_REPLACE_PAUSE)
    if sys.platform != "win32":
        _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Let a new name survive a power cut, on file systems that can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
