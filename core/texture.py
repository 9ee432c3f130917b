"""Colours for a mesh, asked of the field: one for each vertex, and a texture with one for each texel.

All colours are sRGB in [0, 1], as the field's albedo. Texture row 0 is the top of the picture, at v = 1.
Points are asked where they lie on the mesh: going inward to the mean depth that a ray sees was measured too, and
matched pictures of the field worse, because most rays do not come straight.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from core.field import Field
from core.mesh import CHUNK, Mesh, device_of
from core.surface import Floats
from core.unwrap import covered_texels

_MARGIN = 0.75  # texels outside a chart that get a colour of their own: all that touch it


def paint(field: Field, mesh: Mesh, size: int) -> Mesh:
    """The mesh with vertex colours and a size x size texture."""
    return dataclasses.replace(mesh, colors=vertex_colors(field, mesh), texture=bake_texture(field, mesh, size))


def vertex_colors(field: Field, mesh: Mesh) -> Floats:
    """Colours (V, 3)."""
    return _albedo(field, mesh.vertices)


def bake_texture(field: Field, mesh: Mesh, size: int) -> Floats:
    """A texture (size, size, 3).

    Every texel that a triangle touches asks the field for its own colour, at the place on the mesh that belongs to
    the texel's centre; all others take that of the nearest such texel, so that seams do not show at any zoom.
    """
    if mesh.uv is None:
        raise ValueError("The mesh has no texture coordinates: unwrap it first.")
    face, share = _assign_texels(mesh.uv, size)
    covered = face >= 0
    corners = mesh.vertices[mesh.faces[face[covered]]]
    texture = np.zeros((size * size, 3), np.float32)
    texture[covered] = _albedo(field, np.einsum("kc,kcx->kx", share[covered], corners))
    missing = ~covered.reshape(size, size)
    row, column = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    filled: Floats = texture.reshape(size, size, 3)[row, column]
    return filled


def _assign_texels(uv: Floats, size: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """The face (size^2,) that each texel shows, -1 for none, and barycentric coordinates (size^2, 3) in it.

    The face under the texel's centre comes first; a texel that a face only touches takes the nearest point of it.
    """
    face = np.full(size * size, -1)
    share = np.zeros((size * size, 3), np.float32)
    for margin in (_MARGIN, 0.0):
        for texel, owner, part in covered_texels(uv, size, margin):
            face[texel] = owner
            share[texel] = part.clip(0)
    return face, share / np.maximum(share.sum(axis=1, keepdims=True), 1e-12)


@torch.no_grad()
def _albedo(field: Field, points: Floats) -> Floats:
    """The field's albedo (S, 3) at points (S, 3)."""
    parts = [torch.as_tensor(points[i : i + CHUNK], device=device_of(field)) for i in range(0, len(points), CHUNK)]
    albedo: Floats = torch.cat([field.query(part)[1] for part in parts]).float().cpu().numpy()
    return np.nan_to_num(albedo).clip(0, 1)
