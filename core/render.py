"""The only renderer: rays -> samples -> density and albedo -> shaded picture.

Letters of the volume rendering equation (NeRF, equation 3; Max 1995), for the samples i of one ray in order:

    tau_i   = density_i * (t_end_i - t_start_i)          optical thickness
    alpha_i = 1 - exp(-tau_i)
    T_i     = exp(-sum of tau_j over j < i)              light that gets as far as sample i
    w_i     = T_i * alpha_i                              the sample's share of the pixel
    opacity = sum w_i = 1 - exp(-sum tau_i)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from core.camera import Cameras, Rays
from core.field import Field
from core.occupancy import OccupancyGrid, Samples

Shading = Literal["albedo", "lambertian", "textureless"]
SURFACE_WEIGHT = 1e-2  # samples with a smaller share of the pixel get no normal: they are many and hardly seen
OPAQUE = 0.5  # a ray at least this opaque has a depth


@dataclass(frozen=True)
class Surface:
    """The K samples that carry weight, for shading and for the regularisers."""

    positions: Tensor  # (K, 3)
    weights: Tensor  # (K,), share of the pixel
    directions: Tensor  # (K, 3), unit, of the ray that sees the sample
    ray_index: Tensor  # (K,)
    field: Field

    @cached_property
    def normals(self) -> Tensor:
        """(K, 3), unit, outward. Asked of the field when first needed: they cost more than the picture itself."""
        return self.field.normal(self.positions)


@dataclass(frozen=True)
class Rendering:
    """Pictures of B cameras as R = B * height * width rays."""

    color: Tensor  # (R, 3), sRGB
    opacity: Tensor  # (R,), in [0, 1]
    depth: Tensor  # (R,), distance along the ray; where not opaque, that of the far end of the scene
    weights: Tensor  # (S,), w_i
    samples: Samples
    surface: Surface
    shape: tuple[int, int, int]  # B, height, width

    def image(self, values: Tensor | None = None) -> Tensor:
        """`values` (R,) or (R, C), the colour unless given, as pictures (B, C, height, width)."""
        values = self.color if values is None else values
        return values.reshape(*self.shape, -1).permute(0, 3, 1, 2)


def render(
    field: Field,
    occupancy: OccupancyGrid,
    cameras: Cameras,
    *,
    samples: int,
    background: Tensor,
    shading: Shading = "albedo",
    light: Tensor | None = None,
    ambient: float = 0.1,
    generator: torch.Generator | None = None,
) -> Rendering:
    """Render all cameras; differentiable with respect to the field.

    samples:    along each ray, before empty space is skipped.
    background: sRGB (3,), or (B, 3) for one each.
    shading:    "albedo"; "lambertian" (DreamFusion, appendix A); "textureless", that is lambertian on white.
    light:      unit direction towards the light, (3,) or (B, 3); from the camera unless given.
    ambient:    share of the light that comes from everywhere.
    generator:  jitters the samples (training); without one they are the intervals' middles.
    """
    rays = cameras.rays()
    marched = occupancy.march(rays, samples, generator)
    density, albedo = field.query(marched.positions)
    weights, opacity = composite(marched, density)
    seen = (weights > SURFACE_WEIGHT).nonzero().squeeze(1)
    surface = _surface(field, rays, marched, weights, seen)
    if shading != "albedo":
        towards = -rays.directions if light is None else _per_ray(light, cameras)
        brightness = _lambertian(surface.normals, towards[surface.ray_index], ambient)
        albedo = torch.ones_like(albedo) if shading == "textureless" else albedo
        albedo = albedo * torch.ones_like(density).index_copy(0, seen, brightness)[:, None]
    color = accumulate(weights, albedo, marched) + (1 - opacity)[:, None] * _per_ray(background, cameras)
    depth = _depth(rays, marched, weights, opacity)
    shape = (cameras.count, cameras.height, cameras.width)
    return Rendering(color, opacity, depth, weights, marched, surface, shape)


def composite(samples: Samples, density: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (S,) and opacity (R,) from densities (S,); finite, with its gradient, for densities of 0 to 1e6."""
    tau = density * (samples.t_end - samples.t_start)
    counts = torch.bincount(samples.ray_index, minlength=samples.ray_count)
    first = counts.cumsum(0) - counts
    slot = torch.arange(len(tau), device=tau.device) - first[samples.ray_index]
    width = int(counts.max()) if len(tau) else 0
    place = samples.ray_index * (width + 1) + slot + 1
    padded = tau.new_zeros(samples.ray_count * (width + 1)).index_copy(0, place, tau)
    before = padded.view(samples.ray_count, -1).cumsum(1)
    transmittance = torch.exp(-before.flatten()[place - 1])
    return -transmittance * torch.expm1(-tau), -torch.expm1(-before[:, -1])


def accumulate(weights: Tensor, values: Tensor, samples: Samples) -> Tensor:
    """Sums over each ray of weights (S,) times values (S, C): (R, C)."""
    index = samples.ray_index.expand(values.shape[1], -1)
    sums = values.new_zeros(values.shape[1], samples.ray_count)
    return sums.scatter_add(1, index, (weights[:, None] * values).T).T


def _surface(field: Field, rays: Rays, samples: Samples, weights: Tensor, seen: Tensor) -> Surface:
    ray_index = samples.ray_index[seen]
    return Surface(samples.positions[seen], weights[seen], rays.directions[ray_index], ray_index, field)


def _lambertian(normals: Tensor, light: Tensor, ambient: float) -> Tensor:
    """Brightness (K,) of surfaces with unit normals (K, 3), lit from the unit directions (K, 3)."""
    return ambient + (1 - ambient) * (normals * light).sum(-1).clamp(min=0)


def _depth(rays: Rays, samples: Samples, weights: Tensor, opacity: Tensor) -> Tensor:
    middle = (samples.t_start + samples.t_end) / 2
    expected = accumulate(weights, middle[:, None], samples)[:, 0]
    far = rays.origins.norm(dim=-1) + math.sqrt(3)
    return torch.where(opacity > OPAQUE, expected / opacity.clamp(min=OPAQUE), far)


def _per_ray(values: Tensor, cameras: Cameras) -> Tensor:
    """(3,) or (B, 3) -> (R, 3)."""
    return values.expand(cameras.count, 3).repeat_interleave(cameras.height * cameras.width, dim=0)
