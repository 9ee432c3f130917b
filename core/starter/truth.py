"""Ground-truth pictures of the catalogue's objects, sphere-traced from their signed-distance functions.

This is not the program's renderer: it knows the true surfaces, and makes what the starter model learns from and what
its results are judged by. Tracing is the slow part and does not depend on the main colour, the ambient light or the
background, so it yields Layers, from which pictures with any of these are composed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.camera import Views
from core.starter.concept import Part
from core.starter.shapes import Points

TRACE_STEPS = 40
BOUND = 1.05  # all objects lie within this distance of the origin
HIT = 0.006  # a ray that is this near to a surface has met it


@dataclass(frozen=True)
class Layers:
    """Pictures taken apart; every entry is averaged over the pixel. "lit" means times max(0, n . l)."""

    values: Tensor  # "B 9 H W": main, main lit, rest (3), rest lit (3), cover

    def compose(self, color: Tensor, ambient: Tensor, background: Tensor) -> Tensor:
        """Pictures "B 3 H W" in [0, 1] for main colours "B 3", ambient shares "B" and backgrounds "B 3".

        Lambertian shading: albedo * (ambient + (1 - ambient) * max(0, n . l)) (DreamFusion, appendix A.3).
        """
        main, main_lit, rest, rest_lit, cover = torch.split(self.values, [1, 1, 3, 3, 1], dim=1)
        color, background = color[:, :, None, None], background[:, :, None, None]
        ambient = ambient[:, None, None, None]
        lit = color * main_lit + rest_lit
        flat = color * main + rest
        return (ambient * flat + (1 - ambient) * lit + (1 - cover) * background).clamp(0, 1)


def trace_layers(parts: list[Part], views: Views, light: Tensor, resolution: int, supersample: int = 2) -> Layers:
    """Trace a batch of objects, one view each; `light` "B 3" is unit and points towards the light."""
    side = resolution * supersample
    batch = len(views.radius)
    rays = views.cameras(side, side).rays()
    origins, directions = (v.reshape(batch, side * side, 3) for v in (rays.origins, rays.directions))
    points, hit = _trace(parts, origins, directions)
    cover = hit[..., None].float()
    lambert = (surface_normals(parts, points) * light[:, None]).sum(-1, keepdim=True).clamp(min=0)
    main, rest = _albedo(parts, points)
    layers = torch.cat([main, main * lambert, rest, rest * lambert, torch.ones_like(cover)], dim=-1) * cover
    return Layers(F.avg_pool2d(layers.reshape(batch, side, side, 9).permute(0, 3, 1, 2), supersample))


def surface_normals(parts: list[Part], points: Points, step: float = 2e-3) -> Tensor:
    """Unit normals "B P 3" by differences at the corners of a tetrahedron."""
    corners = torch.tensor([[1.0, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    normal = torch.zeros(*points.x.shape, 3)
    for corner in corners:
        x, y, z = (c + step * k for c, k in zip(points, corner, strict=True))
        normal = normal + corner * _distances(parts, Points(x, y, z)).amin(0)[..., None]
    return F.normalize(normal, dim=-1)


def _distances(parts: list[Part], points: Points) -> Tensor:
    """Distance to each part, "N B P"."""
    return torch.stack([part.shape(points) for part in parts])


def _trace(parts: list[Part], origins: Tensor, directions: Tensor) -> tuple[Points, Tensor]:
    """Where rays "B P 3" meet the objects, and whether they do."""
    start = (-(origins * directions).sum(-1) - BOUND).clamp(min=0)
    t = start
    for _ in range(TRACE_STEPS):
        t = t + 0.9 * _distances(parts, _along(origins, directions, t)).amin(0)
    points = _along(origins, directions, t)
    hit = (_distances(parts, points).amin(0) < HIT) & (t < start + 2 * BOUND)
    return points, hit


def _along(origins: Tensor, directions: Tensor, t: Tensor) -> Points:
    return Points(*(origins + t[..., None] * directions).unbind(-1))


def _albedo(parts: list[Part], points: Points) -> tuple[Tensor, Tensor]:
    """Whether the nearest part wears the main colour, "B P 1", and else its colour "B P 3"."""
    main = torch.tensor([[float(part.color is None)] for part in parts])
    rest = torch.tensor([part.color or (0.0, 0.0, 0.0) for part in parts])
    nearest = _distances(parts, points).argmin(0)
    return main[nearest], rest[nearest]
