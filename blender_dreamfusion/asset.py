"""Makes an object an asset: tags, description, preview. Main thread only."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy

from . import texts
from .pixels import read_pixels
from .workspaces import Details


def mark(thing: bpy.types.Object, details: Details, picture: Path) -> None:
    """Mark the object as an asset of this .blend.

    With a window, Blender renders the preview in the background, a moment later; without one it cannot, so the job's
    newest `picture` is taken, if there is one.
    """
    thing.asset_mark()
    data = thing.asset_data
    data.description = details.prompt
    for tag in texts.tags(details.prompt):
        data.tags.new(tag, skip_if_exists=True)
    if bpy.app.background:
        _show(thing.preview_ensure(), picture)
    else:
        thing.asset_generate_preview()


def _show(preview: Any, path: Path) -> None:
    with contextlib.suppress(RuntimeError):
        size, pixels = read_pixels(path)
        preview.image_size = size
        preview.image_pixels_float.foreach_set(pixels)
