"""The job that a new one replaces: kept aside in the same folder until the new one has started.

So a mistake that shows only while the new job loads (a missing device, a mistyped model) costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

_ASIDE = ".replaced"
_DROPPED = ".replaced.dropped"


def set_aside(folder: Path, names: Sequence[str]) -> None:
    """Move these entries of the folder aside, all or none. Raises OSError."""
    (folder / _ASIDE).mkdir()
    try:
        for name in names:
            if os.path.lexists(folder / name):
                os.replace(folder / name, folder / _ASIDE / name)
    except OSError:
        put_back(folder)
        raise


def put_back(folder: Path) -> None:
    """Undo :func:`set_aside` and delete what has taken the entries' places; nothing where nothing is aside.

    What cannot be moved stays aside for the next try.
    """
    aside = folder / _ASIDE
    if not aside.is_dir():
        return
    for entry in list(aside.iterdir()):
        with contextlib.suppress(OSError):
            remove(folder / entry.name)
            os.replace(entry, folder / entry.name)
    with contextlib.suppress(OSError):
        aside.rmdir()


def drop(folder: Path) -> None:
    """Delete what is aside: the new job has started."""
    with contextlib.suppress(OSError):
        os.replace(folder / _ASIDE, folder / _DROPPED)  # in one go: half of a job is never put back
    shutil.rmtree(folder / _DROPPED, ignore_errors=True)


def remove(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it, if it is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
