"""Reads the pixels of a picture file through Blender, and leaves nothing behind. Main thread only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray


def read_pixels(path: str | Path) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """Width and height, and RGBA values row by row from the bottom. Raises RuntimeError where it cannot be read."""
    image = bpy.data.images.load(str(path), check_existing=False)
    try:
        size: Any = image.size
        width, height = size
        if not width * height:
            raise RuntimeError(path)
        pixels = np.empty(4 * width * height, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return (width, height), pixels
