"""Whether a mesh is sound: closed, in one piece, its charts apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.judge.raster import fragments
from core.mesh import Mesh
from core.surface import Floats, Ints

UV_SIZE = 1024  # texels along a side of the picture on which overlaps are counted
_SHRINK = 1e-6  # triangles that only touch must not count as overlapping


@dataclass(frozen=True)
class Health:
    """What a look at the triangles tells."""

    watertight: bool  # every edge has one face on each side
    components: int
    faces: int
    uv_overlap: float | None  # share of the covered texels that several faces claim; None without coordinates


def check_health(mesh: Mesh) -> Health:
    """Look at the mesh as it was written."""
    overlap = None if mesh.uv is None else uv_overlap(mesh.uv)
    return Health(is_watertight(mesh.faces), count_components(mesh.faces), len(mesh.faces), overlap)


def is_watertight(faces: Ints) -> bool:
    """Whether each directed edge occurs once, and so does its opposite."""
    start = np.concatenate([faces[:, 0], faces[:, 1], faces[:, 2]]).astype(np.int64)
    end = np.concatenate([faces[:, 1], faces[:, 2], faces[:, 0]]).astype(np.int64)
    count = int(faces.max(initial=0)) + 1
    edges, opposite = np.unique(start * count + end), np.unique(end * count + start)
    return len(faces) > 0 and len(edges) == len(start) and np.array_equal(edges, opposite)


def count_components(faces: Ints) -> int:
    """The number of parts that share no vertex."""
    used, index = np.unique(faces, return_inverse=True)
    a, b, c = index.reshape(-1, 3).T
    links = np.concatenate([a, b]), np.concatenate([b, c])
    graph = coo_matrix((np.ones(len(links[0]), bool), links), shape=(len(used), len(used)))
    return int(connected_components(graph, directed=False)[0])


def uv_overlap(uv: Floats) -> float:
    """The share of the covered texels whose centre lies in several triangles (F, 3, 2)."""
    corners = uv.astype(np.float64) * UV_SIZE - 0.5
    middle = corners.mean(axis=1, keepdims=True)
    _, texel, _ = fragments(middle + (corners - middle) * (1 - _SHRINK), UV_SIZE, UV_SIZE)
    claims = np.bincount(texel, minlength=1)
    return float((claims > 1).sum() / max(1, (claims > 0).sum()))
