"""The newest picture of the running job, as an icon that the panel can draw."""

from __future__ import annotations

from typing import Any

import bpy
import bpy.utils.previews

from .pixels import read_pixels

_KEY = "job"
_collections: list[bpy.utils.previews.ImagePreviewCollection] = []  # one while registered, else none


def register() -> None:
    """Make room for one picture."""
    collection = bpy.utils.previews.new()
    collection.new(_KEY)
    _collections.append(collection)


def unregister() -> None:
    """Undo register."""
    while _collections:
        bpy.utils.previews.remove(_collections.pop())


def show(path: str) -> None:
    """Show the picture at `path` from now on; one that cannot be read (any more) changes nothing."""
    try:
        size, pixels = read_pixels(path)
    except RuntimeError:
        return
    entry = _collections[0][_KEY]
    entry.image_size = size  # type: ignore[assignment]
    entry.image_pixels_float.foreach_set(pixels)  # type: ignore[arg-type]


def clear() -> None:
    """Show no picture from now on."""
    _collections[0][_KEY].image_size = (0, 0)  # type: ignore[assignment]


def icon() -> int:
    """The icon to draw, or 0 where there is no picture."""
    entry = _collections[0][_KEY]
    size: Any = entry.image_size
    return int(entry.icon_id) if any(size) else 0
