"""Deletes a job's folder. No bpy."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from .core_files import lockfile
from .job_record import REQUEST

_CONTENTS = (
    "preview.png",
    "preview_depth.png",
    "preview_normal.png",
    "sketch.npz",
    "validation",
    "checkpoints",
    "mesh",
    "results",
    "log.txt",
    "trainer.log",
    ".replaced",
    ".replaced.dropped",
    "job.json",  # these two last: a job that is deleted in part stays in the list, to be deleted wholly
    REQUEST,
)


def delete_job(folder: Path) -> bool:
    """Delete the job, unless a trainer is at work on it; returns whether it is gone.

    What is not the job's own stays, and the folder with it. Raises OSError where something cannot be deleted.
    """
    try:
        lock = os.open(folder / lockfile.LOCK_FILE, os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:
        return not folder.exists()
    try:
        if not lockfile.try_lock(lock):
            return False
        for name in _CONTENTS:
            _remove(folder / name)
    finally:
        os.close(lock)
    with contextlib.suppress(OSError):  # the folder is not empty
        (folder / lockfile.LOCK_FILE).unlink()
        folder.rmdir()
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
