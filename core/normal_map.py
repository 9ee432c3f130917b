"""The normal map: what decimation took off the surface, as the normals of the fine one in the frames of the coarse one.

A texel holds (x, y, z) / 2 + 1/2 of the unit normal  x T + y B + z N  with the frame of core.tangents, interpolated
over the face and not normalised, as Blender and MikkTSpace do. Green is up, as in OpenGL, Blender and glTF.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from core.surface import Floats, Ints, unit, vertex_normals
from core.tangents import corner_tangents
from core.texels import Texels

FLAT = (0.5, 0.5, 1.0)  # the colour of a normal that does not differ

_NEIGHBOURS = 8  # fine vertices that a normal is the mean of
_REACH = 0.6  # their weight falls as a Gaussian of this width, in mean edges of the fine mesh
_LEAST_Z = 0.05  # no normal leans further: beyond 90 degrees there is nothing to see
_CHUNK = 1 << 17  # texels looked up at once


def bake_normals(
    fine_vertices: Floats, fine_faces: Ints, vertices: Floats, faces: Ints, uv: Floats, size: int
) -> Floats:
    """The normal map (size, size, 3) in [0, 1] of a mesh with texture coordinates `uv` (F, 3, 2).

    The fine surface is the one that the mesh was decimated from.
    """
    texels = Texels.of(uv, size)
    tangents = corner_tangents(vertices, faces, uv)
    corner_values = np.dstack([vertices[faces], vertex_normals(vertices, faces)[faces], tangents[..., :3]])
    points, normals, along_u = np.split(texels.interpolate(corner_values), 3, axis=1)
    sign = tangents[texels.face, 0, 3:]
    wanted = _normals_near(fine_vertices, fine_faces, points, normals)
    local = _in_frame(wanted, along_u, sign * np.cross(normals, along_u), normals)
    local[:, 2] = local[:, 2].clip(_LEAST_Z)
    return texels.picture((unit(local) / 2 + 0.5).astype(np.float32))


def _in_frame(vectors: Floats, x: Floats, y: Floats, z: Floats) -> Floats:
    """Unit vectors (K, 3) in the coordinates of the axes x, y and z (K, 3 each), which need not be orthogonal."""
    across = np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)], axis=1)  # Cramer's rule, times the determinant
    handed = np.sign((across[:, 2] * z).sum(axis=1, keepdims=True))
    result: Floats = unit(handed * np.einsum("krx,kx->kr", across, vectors))
    return result


def _normals_near(vertices: Floats, faces: Ints, points: Floats, outward: Floats) -> Floats:
    """A surface's normals (K, 3) next to points (K, 3) of a coarser one, where that one's normals are `outward`.

    A mean over the nearest vertices; those of a side that faces away, as of a thin sheet, do not count.
    """
    normals, tree = vertex_normals(vertices, faces), cKDTree(vertices)
    reach = _REACH * np.linalg.norm(vertices[faces[:, 1]] - vertices[faces[:, 0]], axis=1).mean()
    result = outward.copy()
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        distance, index = tree.query(points[part], k=_NEIGHBOURS, workers=-1)
        found = normals[index]
        weight = np.exp((distance[:, :1] ** 2 - distance**2) / reach**2)
        weight *= np.einsum("knx,kx->kn", found, outward[part]).clip(0)
        mean = np.einsum("kn,knx->kx", weight, found)
        known = weight.sum(axis=1) > 0
        result[part][known] = mean[known]
    return unit(result)
