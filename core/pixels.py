"""Pictures as 8-bit numbers, and those as PNG files."""

from __future__ import annotations

from typing import Any

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def to_pixels(values: npt.NDArray[np.floating[Any]]) -> Pixels:
    """Values in [0, 1], any shape, as whole numbers 0 to 255; what lies outside is cut off."""
    return np.round(values.clip(0, 1) * 255).astype(np.uint8)


def to_png(pixels: Pixels) -> bytes:
    """The PNG file of a picture (H, W, 3) or (H, W)."""
    return bytes(iio.imwrite("<bytes>", pixels, extension=".png"))
