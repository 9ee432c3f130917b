"""Colours for a mesh, asked of the field: one for each vertex, and a texture with one for each texel.

All colours are sRGB in [0, 1], as the field's albedo. Texture row 0 is the top of the picture, at v = 1.
A colour is what a ray straight at the surface sees: a mean over some depth, weighted as in any picture of the field.
The albedo at the surface itself is hardly seen where the field is soft, so training leaves specks there.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.field import Field
from core.mesh import CHUNK, Mesh, device_of
from core.occupancy import Samples
from core.render import accumulate, composite
from core.surface import Floats, vertex_normals
from core.texels import Texels

_OUTSIDE, _INSIDE = 0.04, 0.16  # world units before and behind the surface where the ray begins and ends
_STEP = 0.04  # world units; steps of .01 changed pictures of the mesh by .2 dB at most
_FAINT = 1e-3  # no density counts as less, so that a ray through nothing has a colour too


def paint(field: Field, mesh: Mesh, size: int) -> Mesh:
    """The mesh with vertex colours and a size x size texture."""
    return dataclasses.replace(mesh, colors=vertex_colors(field, mesh), texture=bake_texture(field, mesh, size))


def vertex_colors(field: Field, mesh: Mesh) -> Floats:
    """Colours (V, 3)."""
    return _seen(field, mesh.vertices, -vertex_normals(mesh.vertices, mesh.faces))


def bake_texture(field: Field, mesh: Mesh, size: int) -> Floats:
    """A texture (size, size, 3).

    Every texel that a triangle touches has a ray of its own, through the place on the mesh that belongs to the texel's
    centre; all others take the colour of the nearest such texel, so that seams do not show at any zoom.
    """
    if mesh.uv is None:
        raise ValueError("The mesh has no texture coordinates: unwrap it first.")
    texels = Texels.of(mesh.uv, size)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    points, outward = (texels.interpolate(values[mesh.faces]) for values in (mesh.vertices, normals))
    return texels.picture(_seen(field, points, -outward))


@torch.no_grad()
def _seen(field: Field, points: Floats, inward: Floats) -> Floats:
    """The colours (S, 3) that rays through points (S, 3) see in the directions `inward` (S, 3), of any length."""
    edges = torch.arange(-_OUTSIDE, _INSIDE + _STEP / 2, _STEP, device=device_of(field))
    many = CHUNK // (len(edges) - 1)
    parts = []
    for start in range(0, len(points), many):
        here, towards = (torch.as_tensor(x[start : start + many]).to(edges) for x in (points, inward))
        parts.append(_look(field, here, F.normalize(towards, dim=1), edges).float().cpu().numpy())
    colors: Floats = np.nan_to_num(np.concatenate(parts)).clip(0, 1)
    return colors


def _look(field: Field, points: Tensor, directions: Tensor, edges: Tensor) -> Tensor:
    """Colours (S, 3) of the rays whose intervals end at distances `edges` (K + 1,) from their points (S, 3)."""
    rays, count = len(points), len(edges) - 1
    middle = (edges[1:] + edges[:-1]) / 2
    positions = (points[:, None] + middle[:, None] * directions[:, None]).clamp(-1, 1).view(-1, 3)
    index = torch.arange(rays, device=points.device).repeat_interleave(count)
    samples = Samples(positions, edges[:-1].repeat(rays), edges[1:].repeat(rays), index, rays)
    density, albedo = field.query(positions)
    weights, opacity = composite(samples, density.clamp(min=_FAINT))
    return accumulate(weights, albedo, samples) / opacity[:, None]
