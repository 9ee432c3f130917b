"""Which parts of space are worth sampling.

A coarse grid over [-1, 1]^3 remembers how dense each cell has lately been (Instant-NGP, appendix C). Marching a
ray asks the grid before it asks the field, so that empty space costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.camera import Rays

UPDATE_EVERY = 16  # steps
WARM_UP = 32  # steps in which every cell counts as occupied
DECAY = 0.7  # of a cell's remembered density, an update: a thin part may be missed a few times in a row
THRESHOLD = 0.3  # per unit length: alpha 0.013 in a step of 0.045
CHUNK = 1 << 17  # cells evaluated at a time


@dataclass(frozen=True)
class Samples:
    """Intervals along rays, each with the point that stands for it; sorted by ray, then by distance."""

    positions: Tensor  # (S, 3)
    t_start: Tensor  # (S,), distance from the ray's origin
    t_end: Tensor  # (S,)
    ray_index: Tensor  # (S,), int64
    ray_count: int  # R; a ray may have no sample


class OccupancyGrid(nn.Module):
    """Remembered density of resolution^3 cells; the buffers are part of a checkpoint."""

    density: Tensor  # (N^3,), per unit length
    occupied: Tensor  # (N^3,), bool

    def __init__(self, resolution: int):
        """Every cell starts occupied."""
        super().__init__()
        self.resolution = resolution
        self.register_buffer("density", torch.zeros(resolution**3))
        self.register_buffer("occupied", torch.ones(resolution**3, dtype=torch.bool))

    @torch.no_grad()
    def update(self, density_fn: Callable[[Tensor], Tensor], step: int, generator: torch.Generator) -> None:
        """Look at one random point of every cell, at every UPDATE_EVERY-th `step`; between them do nothing.

        A cell is occupied where its remembered density, or that of one of its 26 neighbours, exceeds
        min(THRESHOLD, mean): a fixed bar, lowered while the whole scene is thin. The neighbours give surfaces room
        to grow, and save a part that the random points missed. `density_fn` maps positions (S, 3) to densities (S,).
        """
        if step % UPDATE_EVERY:
            return
        device = self.density.device
        jitter = torch.rand(len(self.density), 3, generator=generator, device=generator.device).to(device)
        points = (self._cells() + jitter) * (2 / self.resolution) - 1
        fresh = torch.cat([density_fn(part) for part in torch.split(points, CHUNK)])
        self.density.copy_(torch.maximum(self.density * DECAY, fresh))
        if step < WARM_UP:
            self.occupied.fill_(True)
        else:
            dense = self.density > self.density.mean().clamp(max=THRESHOLD)
            self.occupied.copy_(_grow(dense.view([self.resolution] * 3)).flatten())

    def march(self, rays: Rays, samples: int, jitter: torch.Generator | None = None) -> Samples:
        """Cut each ray's way through the cube into `samples` equal intervals and keep those in occupied cells.

        The point of an interval is its middle, or with a generator a random place, the same for all intervals of
        a ray (stratified sampling). A ray that misses the cube has no sample.
        """
        near, far = _cube_span(rays)
        step = (far - near).clamp(min=0) / samples
        place = _uniform(near, jitter) if jitter is not None else torch.full_like(near, 0.5)
        slots = torch.arange(samples, device=near.device, dtype=near.dtype)
        t = near[:, None] + (slots + place[:, None]) * step[:, None]
        points = rays.origins[:, None] + t[..., None] * rays.directions[:, None]
        keep = self.is_occupied(points) & (step > 0)[:, None]
        ray_index, slot = keep.nonzero(as_tuple=True)
        t_start = near[ray_index] + slot * step[ray_index]
        return Samples(points[keep], t_start, t_start + step[ray_index], ray_index, len(near))

    def is_occupied(self, points: Tensor) -> Tensor:
        """Whether points (..., 3) of the cube lie in occupied cells."""
        cell = ((points + 1) * (self.resolution / 2)).long().clamp_(0, self.resolution - 1)
        x, y, z = cell.unbind(-1)
        return self.occupied[(x * self.resolution + y) * self.resolution + z]

    def _cells(self) -> Tensor:
        """Integer coordinates (N^3, 3) of all cells, in the order of the buffers."""
        axis = torch.arange(self.resolution, device=self.density.device)
        return torch.cartesian_prod(axis, axis, axis)


def _cube_span(rays: Rays) -> tuple[Tensor, Tensor]:
    """Distances (R,) at which rays enter and leave [-1, 1]^3 (slab test); enter >= leave where they miss it."""
    direction = torch.where(rays.directions.abs() < 1e-9, 1e-9, rays.directions)
    to_low, to_high = (-1 - rays.origins) / direction, (1 - rays.origins) / direction
    near = torch.minimum(to_low, to_high).amax(-1).clamp(min=0)
    return near, torch.maximum(to_low, to_high).amin(-1)


def _grow(cells: Tensor) -> Tensor:
    """Add to the True cells (N, N, N) their neighbours along faces, edges and corners."""
    for axis in range(3):
        rest, grown = len(cells) - 1, cells.clone()
        grown.narrow(axis, 1, rest).logical_or_(cells.narrow(axis, 0, rest))
        grown.narrow(axis, 0, rest).logical_or_(cells.narrow(axis, 1, rest))
        cells = grown
    return cells


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers of the shape of `like`, drawn on the generator's device so that they do not depend on ours."""
    return torch.rand(like.shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)
