"""Tangent frames of a textured mesh, after MikkTSpace (Mikkelsen, "Simulation of Wrinkled Surfaces Revisited", 2008).

Whoever bakes a normal map and whoever shows it must turn it by the same frames. Blender and glTF 2.0 (section 3.7.2.1)
both name MikkTSpace, so its conventions are followed here, for triangles:

    T    the direction in which u grows, made perpendicular to the vertex normal N, as a mean over the faces around the
         vertex that share its texture coordinate and the face's orientation in the texture; weighted by their angles
    s    +1 where the face has the same orientation in the texture as in space, -1 where it is mirrored
    B    s (N x T), the direction in which v (upwards) grows
"""

from __future__ import annotations

import numpy as np

from core.surface import Doubles, Floats, Ints, sum_groups, unit, vertex_normals


def corner_tangents(vertices: Floats, faces: Ints, uv: Floats) -> Floats:
    """T and s (F, 3, 4) at the corners of faces, for texture coordinates (F, 3, 2) with their origin at the bottom."""
    corners = vertices[faces].astype(np.float64)
    normals = vertex_normals(vertices, faces)[faces].astype(np.float64)
    along, sign = _along_u(corners, uv.astype(np.float64))
    flat = unit(_perpendicular(np.repeat(along[:, None], 3, axis=1), normals))
    key = np.dstack([faces, uv, np.repeat(sign[:, None], 3, axis=1)]).reshape(-1, 4)
    groups, group = np.unique(key, axis=0, return_inverse=True)
    weighted = (flat * _angles(corners, normals)[..., None]).reshape(-1, 3)
    total = sum_groups(weighted, group.ravel(), len(groups))
    tangents = unit(total[group.ravel()]).reshape(-1, 3, 3)
    lost = ~tangents.any(axis=-1)  # no direction of u: any direction in the surface
    tangents[lost] = unit(_perpendicular(np.eye(3)[np.abs(normals[lost]).argmin(axis=-1)], normals[lost]))
    return np.dstack([tangents, np.repeat(sign[:, None], 3, axis=1)]).astype(np.float32)


def _along_u(corners: Doubles, uv: Doubles) -> tuple[Doubles, Doubles]:
    """For each face the unit vector (F, 3) along which u grows and v stays, and its sign s (F,)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    (u1, v1), (u2, v2) = (uv[:, 1] - uv[:, 0]).T, (uv[:, 2] - uv[:, 0]).T
    sign = np.where(u1 * v2 - u2 * v1 > 0, 1.0, -1.0)
    return unit(sign[:, None] * (v2[:, None] * first - v1[:, None] * second)), sign


def _angles(corners: Doubles, normals: Doubles) -> Doubles:
    """The angle (F, 3) of each corner, seen along its vertex normal."""
    onward, back = (unit(_perpendicular(np.roll(corners, shift, axis=1) - corners, normals)) for shift in (-1, 1))
    angles: Doubles = np.arccos((onward * back).sum(axis=-1).clip(-1, 1))
    return angles


def _perpendicular(vectors: Doubles, normals: Doubles) -> Doubles:
    """What is left of vectors (..., 3) without their part along unit normals (..., 3)."""
    result: Doubles = vectors - (vectors * normals).sum(axis=-1, keepdims=True) * normals
    return result
