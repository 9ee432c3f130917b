"""What a surface wears besides one plain colour: dots and stripes of a second named colour, wood and stone.

A pattern maps places on the surface to the share of the second colour there, in [0, 1]. Its maker gets the Draw, so
that every object of a batch has a size and a place of the pattern of its own, and the axis that stripes follow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.starter.colors import RGB
from core.starter.concept import Draw
from core.starter.shapes import Points, length

Pattern = Callable[[Points, Tensor], Tensor]  # points "B P", unit normals "B P 3" -> share "B P"
Maker = Callable[[Draw, str], Pattern]
_PRIMES = (73856093, 19349663, 83492791)  # of a spatial hash (Teschner et al. 2003)


@dataclass(frozen=True)
class Material:
    """Two colours and how they are spread; takes the place of the main colour."""

    noun: str
    light: RGB
    dark: RGB
    pattern: Maker


def make_pattern(finish: str, draw: Draw, axis: str) -> Pattern:
    """The pattern of that name, or of the material of that name; "" has none. Stripes follow the axis."""
    if finish in MATERIALS:
        return MATERIALS[finish].pattern(draw, axis)
    return PATTERNS[finish](draw, axis) if finish else plain


def plain(points: Points, normals: Tensor) -> Tensor:  # noqa: ARG001
    """The main colour alone."""
    return torch.zeros_like(points.x)


def dots(draw: Draw, axis: str = "z") -> Pattern:  # noqa: ARG001
    """Round dots of one size on any surface: the places of a cubic lattice near it, seen straight from above.

    A flat surface along the lattice has just one layer of it within half a spacing: a square grid of dots. The lattice
    lies nearly still: were its place drawn by lot, pictures from two sides would never agree on where the dots are.
    """
    spacing, radius = draw(0.40, 0.03), draw(0.30, 0.06)  # the radius in spacings
    phases = [draw(0.5, 0.1) for _ in range(3)]

    def share(points: Points, normals: Tensor) -> Tensor:
        places = [(c / spacing + phase) % 1.0 for c, phase in zip(points, phases, strict=True)]
        dotted = torch.zeros_like(points.x)
        for corner in itertools.product((0, 1), repeat=3):
            aside = torch.stack([c - k for c, k in zip(places, corner, strict=True)], dim=-1)
            depth = (aside * normals).sum(-1)
            near = aside.square().sum(-1) - depth.square() < radius * radius
            dotted = torch.maximum(dotted, (near & (depth.abs() < 0.5)).float())
        return dotted

    return share


def stripes(draw: Draw, axis: str = "z") -> Pattern:
    """Equal stripes, one after the other along an axis, at nearly the same place on every object."""
    period, phase = draw(0.34, 0.03), draw(0.5, 0.1)
    return lambda points, normals: ((points["xyz".index(axis)] / period + phase) % 1.0 < 0.5).float()  # noqa: ARG005


def grain(draw: Draw, axis: str = "z") -> Pattern:  # noqa: ARG001
    """Wood that has grown along Z: wavy year rings about a distant axis."""
    period, far, phase, wave = draw(0.13, 0.2), draw(1.6, 0.3), draw(3.0, 1.0), draw(0.05, 0.4)

    def share(points: Points, normals: Tensor) -> Tensor:  # noqa: ARG001
        x, y, z = points
        ring = length(x + far, y + 0.6 * far) + wave * (torch.sin(3 * z + phase) + torch.sin(5 * x + 4 * z))
        waves = 0.7 * torch.sin(2 * math.pi * ring / period + phase) + 0.3 * torch.sin(14.5 * ring / period)
        return 0.5 + 0.5 * waves

    return share


def speckle(draw: Draw, axis: str = "z") -> Pattern:  # noqa: ARG001
    """Stone: spots of many greys, large and small."""
    large, small, phase = draw(0.22, 0.2), draw(0.09, 0.15), draw(50.0)

    def share(points: Points, normals: Tensor) -> Tensor:  # noqa: ARG001
        coarse, fine = (_noise(Points(*(c / size + phase for c in points))) for size in (large, small))
        return ((0.3 * coarse + 0.9 * fine) * 1.5 - 0.4).clamp(0, 1)

    return share


def _noise(points: Points) -> Tensor:
    """Smooth noise in [0, 1] with one random value at every whole place (value noise)."""
    low = [c.floor() for c in points]
    weights = [(c - f).square() * (3 - 2 * (c - f)) for c, f in zip(points, low, strict=True)]
    total = torch.zeros_like(points.x)
    for corner in itertools.product((0, 1), repeat=3):
        key = torch.zeros_like(points.x, dtype=torch.long)
        weight = torch.ones_like(points.x)
        for place, at, step, prime in zip(low, weights, corner, _PRIMES, strict=True):
            key = key ^ ((place.long() + step) * prime)
            weight = weight * (at if step else 1 - at)
        total = total + weight * ((key ^ (key >> 13)) % 1021).float() / 1020
    return total


PATTERNS: dict[str, Maker] = {"dots": dots, "stripes": stripes}
MATERIALS: dict[str, Material] = {
    "wooden": Material("wood", (0.72, 0.50, 0.29), (0.50, 0.31, 0.16), grain),
    "stone": Material("stone", (0.70, 0.69, 0.66), (0.42, 0.42, 0.42), speckle),
}
