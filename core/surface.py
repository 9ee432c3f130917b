"""What can be done with a closed triangle surface: normals, smoothing, decimation, checks.

A surface is `vertices` (V, 3) float32 and `faces` (F, 3) int32, counter-clockwise seen from outside. It is closed
where every edge has exactly one face on each side. numpy and scipy only, no field.
"""

from __future__ import annotations

from typing import Any, TypeVar

import fast_simplification
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
_Real = TypeVar("_Real", np.float32, np.float64)

_MIN_AREA = 1e-10  # a face below this is a line or a point, in square world units
_AGGRESSIVENESS = (7.0, 5.0, 3.0, 9.0)  # of the quadric decimation, tried in turn until the result is closed
_PAIRINGS = 8  # ways to pull apart sheets that touch, tried in turn


def face_normals(vertices: Floats, faces: Ints) -> Floats:
    """Outward normals (F, 3) whose length is twice the area of the face."""
    corners = vertices[faces]
    normals: Floats = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normals


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Unit outward normals (V, 3): the mean of the faces around a vertex, weighted by the angle of their corners there.

    Blender computes them so (Thuermer and Wuethrich, "Computing Vertex Normals from Polygonal Facets", 1998), so a
    normal map that is baked upon them fits there too.
    """
    normals = np.repeat(unit(face_normals(vertices, faces)), 3, axis=0)
    weighted = normals * _corner_angles(vertices, faces).reshape(-1, 1)
    return unit(sum_groups(weighted, faces.ravel(), len(vertices))).astype(np.float32)


def sum_groups(vectors: Doubles, group: npt.NDArray[np.integer[Any]], count: int) -> Doubles:
    """The sums (count, 3) of those of vectors (N, 3) that belong to the same `group` (N,), numbered from 0."""
    return np.stack([np.bincount(group, vectors[:, axis], count) for axis in range(3)], axis=1, dtype=np.float64)


def _corner_angles(vertices: Floats, faces: Ints) -> Doubles:
    """The angle (F, 3) of each face at each of its corners, in radians."""
    corners = vertices[faces].astype(np.float64)
    onward, back = (unit(np.roll(corners, shift, axis=1) - corners) for shift in (-1, 1))
    angles: Doubles = np.arccos((onward * back).sum(axis=-1).clip(-1, 1))
    return angles


def unit(vectors: npt.NDArray[_Real]) -> npt.NDArray[_Real]:
    """Vectors (..., 3) at length 1; what has no length stays 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: npt.NDArray[_Real] = vectors / np.maximum(lengths, 1e-20)
    return result


def is_closed(faces: Ints) -> bool:
    """Whether every edge is shared by exactly two faces that agree on which side is outside."""
    start, end = _half_edges(faces)
    count = int(faces.max(initial=0)) + 1
    forward, backward = np.sort(start * count + end), np.sort(end * count + start)
    return bool((np.diff(forward) > 0).all() and np.array_equal(forward, backward))


def has_degenerate_faces(vertices: Floats, faces: Ints) -> bool:
    """Whether a face has (nearly) no area."""
    return bool((np.linalg.norm(face_normals(vertices, faces), axis=1) < 2 * _MIN_AREA).any())


def smooth(vertices: Floats, faces: Ints, iterations: int = 10) -> Floats:
    """Take the furriness off without shrinking: Taubin's lambda | mu filter (SIGGRAPH 1995), pass band 0.1."""
    start, end = _half_edges(faces)
    ones = np.ones(len(start), np.float32)
    links: csr_matrix = coo_matrix((ones, (start, end)), shape=(len(vertices), len(vertices))).tocsr()
    degree = np.maximum(np.asarray(links.sum(axis=1)), 1).astype(np.float32)
    for _ in range(iterations):
        for factor in (0.5, -0.53):
            vertices = vertices + np.float32(factor) * ((links @ vertices) / degree - vertices)
    return vertices


def decimate(vertices: Floats, faces: Ints, limit: int) -> tuple[Floats, Ints] | None:
    """A closed surface of at most `limit` faces (quadric edge collapse), or None where none was found."""
    if len(faces) <= limit:
        return vertices, faces
    for aggressiveness in _AGGRESSIVENESS:
        points, triangles = fast_simplification.simplify(vertices, faces, target_count=limit, agg=aggressiveness)
        points, triangles = points.astype(np.float32), _without_flaps(triangles.astype(np.int32))
        for seed in range(_PAIRINGS):
            result = separate(points, triangles, seed)
            if is_closed(result[1]):
                break
        if 0 < len(result[1]) <= limit and is_closed(result[1]) and not has_degenerate_faces(*result):
            return result
    return None


def separate(vertices: Floats, faces: Ints, seed: int = 0) -> tuple[Floats, Ints]:
    """Cut the surface apart where sheets only touch, at an edge or at a vertex; unused vertices go.

    Half-edges are paired with their opposites; corners that meet across a pair share a vertex, others do not. Where
    more than two faces share an edge there are several ways to pair them; `seed` chooses among them.
    """
    start, end = _half_edges(faces)
    low, high = np.minimum(start, end), np.maximum(start, end)
    forward, backward = (np.flatnonzero(side) for side in (start < end, start > end))
    tie = np.random.default_rng(seed).permutation(len(start))
    forward, backward = (side[np.lexsort((tie[side], high[side], low[side]))] for side in (forward, backward))
    if not (np.array_equal(low[forward], low[backward]) and np.array_equal(high[forward], high[backward])):
        return vertices, faces  # open or inconsistent: nothing to pair
    corner = np.arange(faces.size).reshape(-1, 3)
    first, second = corner.T.ravel(), np.roll(corner, -1, axis=1).T.ravel()  # the corners of each half-edge
    links = np.concatenate([first[forward], second[forward]]), np.concatenate([second[backward], first[backward]])
    graph = coo_matrix((np.ones(len(links[0]), bool), links), shape=(faces.size, faces.size))
    count, label = connected_components(graph, directed=False)
    source = np.empty(count, np.int64)
    source[label] = faces.ravel()
    return vertices[source], label.reshape(-1, 3).astype(np.int32)


def _half_edges(faces: Ints) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Start and end vertex of the 3F directed edges: first those from corner 0 of all faces, then 1, then 2."""
    start = faces.T.astype(np.int64)
    return start.ravel(), np.roll(start, -1, axis=0).ravel()


def _without_flaps(faces: Ints) -> Ints:
    """Drop faces that use a vertex twice, and pairs of faces that lie back to back."""
    ordered = np.sort(faces, axis=1)
    faces, ordered = (part[(np.diff(ordered, axis=1) > 0).all(axis=1)] for part in (faces, ordered))
    _, index, count = np.unique(ordered, axis=0, return_inverse=True, return_counts=True)
    kept: Ints = faces[count[index.ravel()] == 1]
    return kept
