"""Ground-truth pictures of the catalogue's objects, sphere-traced from their signed-distance functions.

This is not the program's renderer: it knows the true surfaces, and makes what the starter model learns from and what
its results are judged by. Tracing is the slow part and does not depend on the main colour, that of a pattern on it, the
ambient light or the background, so it yields Layers, from which pictures with any of these are composed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.camera import Views
from core.starter.concept import Part
from core.starter.patterns import Pattern, plain
from core.starter.shapes import Points, union

LEGS = (5, 7, 10, 80)  # steps; after each, only the rays that have neither arrived nor left go on
BOUND = 1.05  # all objects lie within this distance of the origin
ARRIVED = 0.001  # a ray that is this near to a surface is at its end
HIT = 0.006  # a ray that has ended this near to a surface has met it
CHANNELS = 11


@dataclass(frozen=True)
class Layers:
    """Pictures taken apart; every entry is averaged over the pixel. "lit" means times max(0, n . l)."""

    values: Tensor  # "B 11 H W": main, main lit, second, second lit, rest (3), rest lit (3), cover

    def compose(self, color: Tensor, second: Tensor, ambient: Tensor, background: Tensor) -> Tensor:
        """Pictures "B 3 H W" in [0, 1] for main and second colours and backgrounds "B 3", and ambient shares "B".

        Lambertian shading: albedo * (ambient + (1 - ambient) * max(0, n . l)) (DreamFusion, appendix A.3).
        """
        main, main_lit, other, other_lit, rest, rest_lit, cover = torch.split(self.values, [1, 1, 1, 1, 3, 3, 1], dim=1)
        color, second, background = (c[:, :, None, None] for c in (color, second, background))
        ambient = ambient[:, None, None, None]
        flat = color * main + second * other + rest
        lit = color * main_lit + second * other_lit + rest_lit
        return (ambient * flat + (1 - ambient) * lit + (1 - cover) * background).clamp(0, 1)


def trace_layers(
    parts: list[Part], views: Views, light: Tensor, resolution: int, pattern: Pattern = plain, supersample: int = 2
) -> Layers:
    """Trace a batch of objects, one view each; `light` "B 3" is unit and points towards the light."""
    side = resolution * supersample
    rays = views.cameras(side, side).rays()
    origins, directions = (v.reshape(len(light), side * side, 3) for v in (rays.origins, rays.directions))
    t, hit = _trace(parts, origins, directions)
    shown = _padded(hit)
    points = _along(*_gather(shown, origins, directions, t))
    values = _shade(parts, points, light, pattern) * hit.gather(1, shown)[..., None]
    layers = torch.zeros(len(light), side * side, CHANNELS).scatter_(1, shown[..., None].expand_as(values), values)
    return Layers(F.avg_pool2d(layers.view(len(light), side, side, CHANNELS).permute(0, 3, 1, 2), supersample))


def _shade(parts: list[Part], points: Points, light: Tensor, pattern: Pattern) -> Tensor:
    """The layers' values "B P 11" at points on the surface."""
    normals = surface_normals(parts, points)
    lambert = (normals * light[:, None]).sum(-1, keepdim=True).clamp(min=0)
    main, rest = _albedo(parts, points)
    share = pattern(points, normals)[..., None]
    flat = [main * (1 - share), main * share, rest]
    lit = [part for layer in flat for part in (layer, layer * lambert)]
    return torch.cat([*lit, torch.ones_like(lambert)], dim=-1)


def surface_normals(parts: list[Part], points: Points, step: float = 2e-3) -> Tensor:
    """Unit normals "B P 3" by differences at the corners of a tetrahedron."""
    corners = torch.tensor([[1.0, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    normal = torch.zeros(*points.x.shape, 3)
    for corner in corners:
        x, y, z = (c + step * k for c, k in zip(points, corner, strict=True))
        normal = normal + corner * _distance(parts, Points(x, y, z))[..., None]
    return F.normalize(normal, dim=-1)


def _distances(parts: list[Part], points: Points) -> Tensor:
    """Distance to each part, "N B P"."""
    return torch.stack([part.shape(points) for part in parts])


def _distance(parts: list[Part], points: Points) -> Tensor:
    """Distance to the nearest part, "B P"."""
    return union(*(part.shape for part in parts))(points)


def _trace(parts: list[Part], origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """How far rays "B P 3" go until they meet the objects, "B P", and whether they do."""
    middle = -(origins * directions).sum(-1)
    start = (middle - BOUND).clamp(min=0)
    end = start + 2 * BOUND
    t, gap = start.clone(), torch.ones_like(start)
    on_way = origins.square().sum(-1) - middle.square() < BOUND**2
    for steps in LEGS:
        rays = _padded(on_way)
        some_origins, some_directions, some_t = _gather(rays, origins, directions, t)
        some_end = end.gather(1, rays)
        for _ in range(steps):
            distance = _distance(parts, _along(some_origins, some_directions, some_t))
            some_t = torch.minimum(some_t + 0.9 * distance, some_end)  # steps that double would overflow
        t.scatter_(1, rays, some_t)
        gap.scatter_(1, rays, distance)
        on_way = on_way & (gap > ARRIVED) & (t < end)
    return t, (gap < HIT) & (t < end)


def _padded(chosen: Tensor) -> Tensor:
    """The places "B K" of the chosen among "B P", filled up with others to the largest number that a row has."""
    return chosen.float().topk(max(int(chosen.sum(1).amax()), 1), dim=1).indices


def _gather(places: Tensor, origins: Tensor, directions: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rays at some places "B K"."""
    rows = places[..., None].expand(-1, -1, 3)
    return origins.gather(1, rows), directions.gather(1, rows), t.gather(1, places)


def _along(origins: Tensor, directions: Tensor, t: Tensor) -> Points:
    return Points(*(origins + t[..., None] * directions).unbind(-1))


def _albedo(parts: list[Part], points: Points) -> tuple[Tensor, Tensor]:
    """Whether the nearest part wears the main colour, "B P 1", and else its colour "B P 3"."""
    main = torch.tensor([[float(part.color is None)] for part in parts])
    rest = torch.tensor([part.color or (0.0, 0.0, 0.0) for part in parts])
    nearest = _distances(parts, points).argmin(0)
    return main[nearest], rest[nearest]
