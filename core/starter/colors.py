"""The colours that a prompt can name, and those that parts of objects have in any case. All are sRGB in [0, 1]."""

from __future__ import annotations

RGB = tuple[float, float, float]

COLORS: dict[str, RGB] = {
    "red": (0.82, 0.10, 0.10),
    "orange": (0.95, 0.50, 0.08),
    "yellow": (0.95, 0.83, 0.12),
    "green": (0.16, 0.58, 0.18),
    "blue": (0.12, 0.28, 0.82),
    "purple": (0.50, 0.18, 0.66),
    "white": (0.92, 0.92, 0.90),
    "black": (0.13, 0.13, 0.14),
    "pink": (0.95, 0.52, 0.68),
    "brown": (0.47, 0.28, 0.14),
    "grey": (0.52, 0.52, 0.54),
}

WHITE: RGB = (0.95, 0.94, 0.90)
CREAM: RGB = (0.94, 0.86, 0.68)
BLACK: RGB = (0.08, 0.08, 0.09)
WOOD: RGB = (0.60, 0.38, 0.19)
BARK: RGB = (0.40, 0.26, 0.14)
BREAD: RGB = (0.83, 0.55, 0.24)
CHOCOLATE: RGB = (0.33, 0.17, 0.09)
CLAY: RGB = (0.72, 0.36, 0.20)
LEAF: RGB = (0.25, 0.60, 0.18)
GLASS: RGB = (0.55, 0.75, 0.88)
METAL: RGB = (0.45, 0.46, 0.50)
SILVER: RGB = (0.74, 0.75, 0.78)
GOLD: RGB = (0.93, 0.70, 0.18)
SLATE: RGB = (0.27, 0.32, 0.45)
CHERRY: RGB = (0.80, 0.06, 0.12)
BEAK: RGB = (0.96, 0.52, 0.07)
LIGHT: RGB = (0.99, 0.93, 0.62)
