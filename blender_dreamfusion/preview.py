"""The newest picture of each job, as an icon that the panel can draw.

Pictures are read here and not by Blender, which since 4.1 does that in a thread: that one would still write into an
icon that a newer picture has been put into by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from . import workspaces
from .listed_job import ListedJob
from .pixels import read_pixels

_SMALL = 32  # pixels along a side, about
_collections: list[bpy.utils.previews.ImagePreviewCollection] = []  # one while registered, else none
_shown: dict[str, int] = {}  # how many of a running job's pictures were shown or passed over
_due: list[str] = []  # pictures that are to be read, each once
_unreadable: set[str] = set()


def register() -> None:
    """Make room for pictures."""
    _collections.append(bpy.utils.previews.new())


def unregister() -> None:
    """Undo register."""
    _shown.clear()
    _due.clear()
    _unreadable.clear()
    while _collections:
        bpy.utils.previews.remove(_collections.pop())


def follow_jobs(jobs: Iterable[ListedJob]) -> bool:
    """Show one picture: a new one of the jobs that were at work here, or one that the panel asked for.

    Returns whether there was one.
    """
    if bpy.app.is_job_running("RENDER"):
        return False
    for job in jobs:
        if job.trainer is not None:
            _note(job.trainer.preview, job.trainer.previews)
    if _due:
        _show(_due.pop(0))
        return True
    return False


def is_behind() -> bool:
    """Whether there are pictures left to show."""
    return bool(_due)


def icon(path: Path) -> int:
    """The icon of the picture at `path`, or 0 where there is none or it is still to be shown by follow_jobs()."""
    collection, key = _collections[0], str(path)
    if key in collection:
        return int(collection[key].icon_id)
    if key not in _due and key not in _unreadable and path.is_file():
        _due.append(key)
    return 0


def try_again() -> None:
    """Pictures that could not be read may be read now."""
    _unreadable.clear()


def _note(path: str, count: int) -> None:
    """Where `count` has changed, the picture at `path` is a new one, as are its view's depth and normals beside it."""
    if path and _shown.get(path, 0) != count:
        _shown[path] = count
        pictures = (path, *map(str, workspaces.view_paths(Path(path).parent)))
        _due.extend(picture for picture in pictures if picture not in _due)


def _show(path: str) -> None:
    """Take over the pixels of a picture; one that cannot be read (any more) changes nothing."""
    try:
        (width, height), pixels = read_pixels(path)
    except RuntimeError:
        _unreadable.add(path)
        return
    _unreadable.discard(path)
    collection = _collections[0]
    entry: Any = collection[path] if path in collection else collection.new(path)
    entry.image_size = width, height
    entry.image_pixels_float.foreach_set(pixels)
    small = pixels.reshape(height, width, 4)[:: max(1, height // _SMALL), :: max(1, width // _SMALL)]
    entry.icon_size = small.shape[1::-1]  # for the lines of the list; Blender would keep that of the first picture
    entry.icon_pixels_float.foreach_set(small.ravel())
