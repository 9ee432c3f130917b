"""A coarse mesh of a field in training, for a front end that shows how the object grows.

A file of some hundred kB, made in a fraction of a second without a random number, so that training is not disturbed. It
is a mesh.npz (see core.export) without texture coordinates and with a few flat colours, for what shows one a face::

    vertices (V, 3), faces (F, 3), colors (V, 3)    as in core.mesh.Mesh
    palette  (P, 3) float32                         sRGB in [0, 1]
    slots    (F,) uint8                             which colour of the palette each face has
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config import CameraConfig
from core.errors import DreamFusionError
from core.field import Field
from core.files import write_atomic
from core.mesh import Mesh, march, sample_density, solidify, surface_level
from core.occupancy import OccupancyGrid
from core.surface import Floats
from core.texture import vertex_colors

RESOLUTION = 32  # samples along a side: some 4,000 faces
PALETTE = 8  # colours
_ROUNDS = 6  # of improving the palette


def write_sketch(path: Path, field: Field, occupancy: OccupancyGrid, camera: CameraConfig) -> bool:
    """Replace the file at `path`; returns whether there is a surface yet.

    Raises DreamFusionError where the disk is full.
    """
    try:
        vertices, faces = _coarse_surface(field, occupancy)
    except DreamFusionError:  # the field is empty
        return False
    colors = vertex_colors(field, Mesh(vertices, faces), camera)
    palette, slots = make_palette(colors[faces].mean(axis=1), PALETTE)
    data = io.BytesIO()
    np.savez(data, vertices=vertices, faces=faces, colors=colors, palette=palette, slots=slots)
    write_atomic(path, data.getvalue())
    return True


def make_palette(colors: Floats, count: int) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """`count` colours (P, 3) that stand for many (F, 3), and which of them each becomes (F,): k-means.

    It begins with the colours that are furthest from the mean and from each other, so it needs no random number.
    """
    palette = _furthest(colors, colors.mean(axis=0, keepdims=True))
    while len(palette) < count:
        palette = np.vstack([palette, _furthest(colors, palette)])
    for _ in range(_ROUNDS):
        slots = _distances(colors, palette).argmin(axis=1)
        for slot in np.unique(slots):
            palette[slot] = colors[slots == slot].mean(axis=0)
    return palette, _distances(colors, palette).argmin(axis=1).astype(np.uint8)


def _coarse_surface(field: Field, occupancy: OccupancyGrid) -> tuple[Floats, npt.NDArray[np.int32]]:
    box = np.array([[-1.0] * 3, [1.0] * 3])
    lattice = sample_density(field, box, 2.0 / (RESOLUTION - 1), occupancy)
    return march(solidify(lattice, surface_level(lattice)))


def _furthest(colors: Floats, palette: Floats) -> Floats:
    """The colour (1, 3) that the palette stands for worst."""
    return colors[[_distances(colors, palette).min(axis=1).argmax()]]


def _distances(colors: Floats, palette: Floats) -> Floats:
    """Squared distances (F, P)."""
    squares: Floats = (colors**2).sum(axis=1)[:, None] - 2 * colors @ palette.T + (palette**2).sum(axis=1)
    return squares
