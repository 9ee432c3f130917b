"""The one place where display-referred sRGB becomes linear light, as Blender's float colours are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def srgb_to_linear(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """IEC 61966-2-1 for values in [0, 1], of any shape."""
    low = srgb / 12.92
    high = ((np.clip(srgb, 0, None) + 0.055) / 1.055) ** 2.4
    return np.where(srgb <= 0.04045, low, high).astype(np.float32)
