"""Texels and the mesh that they cover: which face lies under each texel of a texture, and where in it.

Texture coordinates (F, 3, 2) belong to face corners and have their origin at the bottom left; texel 0 is the picture's
first, at its top left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.surface import Bools, Floats

_MARGIN = 0.75  # texels outside a chart that get a place of their own on the mesh: all that touch it
_CHUNK = 1 << 21  # candidate texels looked at together


@dataclass(frozen=True)
class Texels:
    """The place on the mesh that each texel of a size x size texture shows.

    `covered` (size^2,) tells whether a face touches the texel; `face` (K,) and the barycentric coordinates `share`
    (K, 3) belong to the covered ones in turn.
    """

    size: int
    covered: Bools
    face: npt.NDArray[np.int64]
    share: Floats

    @classmethod
    def of(cls, uv: Floats, size: int) -> Texels:
        """The face under the texel's centre comes first; a texel that a face only touches takes the nearest point."""
        face = np.full(size * size, -1)
        share = np.zeros((size * size, 3), np.float32)
        for margin in (_MARGIN, 0.0):
            for texel, owner, part in covered_texels(uv, size, margin):
                face[texel] = owner
                share[texel] = part.clip(0)
        covered = face >= 0
        face, share = face[covered], share[covered]
        return cls(size, covered, face, share / share.sum(axis=1, keepdims=True))

    def interpolate(self, corner_values: Floats) -> Floats:
        """Values (K, C) at the covered texels, of values (F, 3, C) at the corners of faces."""
        result = np.zeros((len(self.face), corner_values.shape[2]), np.float32)
        for corner in range(3):
            result += self.share[:, corner, None] * corner_values[self.face, corner]
        return result

    def picture(self, values: Floats) -> Floats:
        """The texture (size, size, 3) of values (K, 3) at the covered texels.

        All other texels take the value of the nearest covered one, so that seams do not show at any zoom.
        """
        texture = np.zeros((self.size * self.size, 3), np.float32)
        texture[self.covered] = values
        missing = ~self.covered.reshape(self.size, self.size)
        row, column = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
        filled: Floats = texture.reshape(self.size, self.size, 3)[row, column]
        return filled


def covered_texels(
    uv: Floats, size: int, margin: float = 0.0
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]]:
    """Which texels of a size x size texture the triangles cover, in batches.

    Yields texel (K,) = row * size + column, face (K,) and barycentric coordinates (K, 3) of the texel's centre. A
    texel counts as covered up to `margin` texels outside a triangle (coordinates are negative there). Texels that
    several triangles cover are yielded several times.
    """
    corners = np.stack([uv[..., 0] * size - 0.5, (1 - uv[..., 1]) * size - 0.5], axis=-1).astype(np.float64)
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # edge i lies opposite corner i
    double_area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    first = np.ceil(corners.min(axis=1) - margin).astype(np.int64).clip(0)
    last = np.floor(corners.max(axis=1) + margin).astype(np.int64).clip(None, size - 1)
    solid = np.flatnonzero(double_area)
    total = (last - first + 1).clip(0).prod(axis=1).sum()
    for batch in np.array_split(solid, total // _CHUNK + 1):
        nth, column, row = cells(first[batch], last[batch])
        face = batch[nth]
        # Twice the area between each edge and the texel's centre; divided by the edge's length, it is the distance.
        offset = np.stack([column, row], axis=-1)[:, None] - np.roll(corners, -1, axis=1)[face]
        part = edges[face][..., 0] * offset[..., 1] - edges[face][..., 1] * offset[..., 0]
        part *= np.sign(double_area[face])[:, None]
        keep = (part >= -margin * np.linalg.norm(edges, axis=-1)[face]).all(axis=1)
        share = part[keep] / np.abs(double_area[face[keep], None])
        yield (row * size + column)[keep], face[keep], share.astype(np.float32)


def cells(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """All cells of boxes (N, 2) of columns and rows, both ends included: which box, column and row, each (K,)."""
    extent = (last - first + 1).clip(0)
    count = extent.prod(axis=1)
    box = np.repeat(np.arange(len(first)), count)
    nth = np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count)
    return box, first[box, 0] + nth % extent[box, 0], first[box, 1] + nth // extent[box, 0]
