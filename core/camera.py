"""Orbit cameras and their rays. This is the one place where the conventions of space are laid down.

World      right-handed, Z up; the object lives in [-1, 1]^3 and its front faces -Y.
Azimuth    0 = the camera stands on -Y and sees the front; 90 = on +X; 180 = on +Y, behind.
Elevation  0 = level with the origin, 90 = straight above.
Camera     looks along its own -Z, its +X is right and its +Y is up in the picture (as in Blender and OpenGL).
Pixels     row 0 is the top; a ray goes through the centre of its pixel; rays are listed image by image, row by row.

Angles are degrees, lengths world units. Every camera looks at the origin.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.config import CameraConfig

EMBEDDING_NUMBERS = 5  # of camera_embedding
MATRIX_NUMBERS = 16  # of camera_matrices
PLANE_OCTAVES = 3  # of the sines in camera_planes
PLANE_CHANNELS = 3 + 6 * PLANE_OCTAVES  # of camera_planes


@dataclass(frozen=True)
class Rays:
    """Half-lines ``origin + t * direction`` with t >= 0."""

    origins: Tensor  # (R, 3)
    directions: Tensor  # (R, 3), unit length, so that t is a distance


@dataclass(frozen=True)
class Cameras:
    """B pinhole cameras with square pixels and one picture size."""

    camera_to_world: Tensor  # (B, 4, 4)
    focal_px: Tensor  # (B,), focal length in pixels
    height: int
    width: int

    @property
    def count(self) -> int:
        """B, the number of cameras."""
        return len(self.focal_px)

    def rays(self) -> Rays:
        """One ray a pixel: R = B * height * width."""
        device, dtype = self.focal_px.device, self.focal_px.dtype
        x = torch.arange(self.width, device=device, dtype=dtype) + 0.5 - self.width / 2
        y = self.height / 2 - 0.5 - torch.arange(self.height, device=device, dtype=dtype)
        y, x = torch.meshgrid(y, x, indexing="ij")
        focal = self.focal_px[:, None, None]
        local = torch.stack([x / focal, y / focal, -torch.ones_like(x).expand(self.count, -1, -1)], dim=-1)
        world = torch.einsum("bij,bhwj->bhwi", self.camera_to_world[:, :3, :3], local)
        directions = world / world.norm(dim=-1, keepdim=True)
        origins = self.camera_to_world[:, None, None, :3, 3].expand_as(directions)
        return Rays(origins.reshape(-1, 3), directions.reshape(-1, 3))


@dataclass(frozen=True)
class Views:
    """Where B cameras stand, and how wide they see."""

    azimuth_deg: Tensor  # (B,)
    elevation_deg: Tensor  # (B,)
    radius: Tensor  # (B,), distance to the origin
    fov_deg: Tensor  # (B,), vertical field of view

    def to(self, device: torch.device | str) -> Views:
        """The same views on another device."""
        return Views(*(value.to(device) for value in self._values()))

    def __getitem__(self, index: slice | list[int]) -> Views:
        """The views at some places: ``views[3:4]`` is one view, ``views[[0, 2]]`` are two."""
        return Views(*(value[index] for value in self._values()))

    def cameras(self, height: int, width: int) -> Cameras:
        """Cameras that look from these views at the origin."""
        focal = 0.5 * height / torch.tan(torch.deg2rad(self.fov_deg) / 2)
        return Cameras(self._camera_to_world(), focal, height, width)

    def directions(self) -> Tensor:
        """Unit vectors (B, 3) from the origin towards the cameras."""
        azimuth, elevation = torch.deg2rad(self.azimuth_deg), torch.deg2rad(self.elevation_deg)
        level = torch.cos(elevation)
        return torch.stack([level * torch.sin(azimuth), -level * torch.cos(azimuth), torch.sin(elevation)], dim=-1)

    def _camera_to_world(self) -> Tensor:
        """(B, 4, 4); "right" comes from the azimuth alone, so a camera straight above is no special case."""
        azimuth = torch.deg2rad(self.azimuth_deg)
        backward = self.directions()
        right = torch.stack([torch.cos(azimuth), torch.sin(azimuth), torch.zeros_like(azimuth)], dim=-1)
        up = torch.linalg.cross(backward, right)
        matrix = torch.eye(4, device=azimuth.device, dtype=azimuth.dtype).repeat(len(azimuth), 1, 1)
        matrix[:, :3] = torch.stack([right, up, backward, self.radius[:, None] * backward], dim=-1)
        return matrix

    def _values(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.azimuth_deg, self.elevation_deg, self.radius, self.fov_deg


def sample_views(config: CameraConfig, batch: int, generator: torch.Generator, ring: int = 1) -> Views:
    """Draw `batch` random rings of `ring` training views each on the generator's device: batch * ring views.

    The views of a ring follow each other at equal spacing, with one elevation, radius and lens. The azimuths are
    stratified: each lies in its own 360 / (batch * ring) degrees, so that one batch sees all sides.
    """
    uniform = torch.rand(4, batch, generator=generator, device=generator.device)
    sector = torch.arange(batch, device=generator.device)
    start = (sector + uniform[0]) * (360.0 / (batch * ring))
    spread = torch.arange(ring, device=generator.device) * (360.0 / ring)
    return Views(
        azimuth_deg=(start[:, None] + spread).flatten(),
        elevation_deg=_between(config.elevation_deg, uniform[1]).repeat_interleave(ring),
        radius=_between(config.radius, uniform[2]).repeat_interleave(ring),
        fov_deg=_between(config.fov_deg, uniform[3]).repeat_interleave(ring),
    )


def portrait_view() -> Views:
    """Where most of a thing is seen: 30 degrees beside its front and 20 above it, filling much of the picture."""
    return orbit_views(12, 20.0, 2.9, 40.0)[1:2]


def orbit_views(count: int, elevation_deg: float, radius: float, fov_deg: float) -> Views:
    """A ring of `count` evenly spaced views, the first from azimuth 0 (the front)."""
    azimuth = torch.arange(count) * (360.0 / count)
    return Views(
        azimuth_deg=azimuth,
        elevation_deg=torch.full_like(azimuth, elevation_deg),
        radius=torch.full_like(azimuth, radius),
        fov_deg=torch.full_like(azimuth, fov_deg),
    )


def camera_embedding(views: Views) -> Tensor:
    """What a camera-aware diffusion model is told of each view, (B, 5).

    ``[sin azimuth, cos azimuth, sin elevation, cos elevation, radius * tan(fov / 2) - 1]``; the last is half the
    height of the picture's frame at the origin, less one. No view maps to zeros: the zero vector means "unknown".
    """
    azimuth, elevation = torch.deg2rad(views.azimuth_deg), torch.deg2rad(views.elevation_deg)
    extent = views.radius * torch.tan(torch.deg2rad(views.fov_deg) / 2) - 1
    return torch.stack(
        [torch.sin(azimuth), torch.cos(azimuth), torch.sin(elevation), torch.cos(elevation), extent], dim=-1
    )


def camera_matrices(views: Views) -> Tensor:
    """What MVDream (arXiv 2308.16512, section 3.2) is told of each view: its camera-to-world matrix by rows, (B, 16).

    Its camera stands on the unit sphere whatever the radius, and is not told the lens. Its world is right-handed with Z
    up, as ours, but an object's front faces +X there: a turn by 90 degrees about Z.
    """
    turned = dataclasses.replace(views, azimuth_deg=views.azimuth_deg + 90, radius=torch.ones_like(views.radius))
    return turned.cameras(1, 1).camera_to_world.flatten(1)


def camera_planes(views: Views, size: tuple[int, int]) -> Tensor:
    """Where each pixel's ray crosses the plane through the origin that faces the camera, (B, PLANE_CHANNELS, *size).

    First the point in world units, then the sines and cosines of 2^k * pi times it for k < PLANE_OCTAVES (NeRF,
    equation 4): a small network that has only smooth coordinates is slow to learn where in the picture things stand.

    For a camera-aware diffusion model: it says at each pixel what :func:`camera_embedding` says of the whole view, so
    that a network of convolutions need not work out which way an object's front points in the picture.
    """
    cameras = views.cameras(*size)
    rays = cameras.rays()
    towards = -views.directions().repeat_interleave(size[0] * size[1], dim=0)
    distance = views.radius.repeat_interleave(size[0] * size[1]) / (rays.directions * towards).sum(-1)
    points = rays.origins + distance[:, None] * rays.directions
    angles = points[:, None] * (math.pi * 2.0 ** torch.arange(PLANE_OCTAVES, device=points.device))[:, None]
    planes = torch.cat([points, torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)], dim=1)
    return planes.view(len(views.radius), *size, PLANE_CHANNELS).permute(0, 3, 1, 2)


def _between(bounds: tuple[float, float], uniform: Tensor) -> Tensor:
    low, high = bounds
    return low + (high - low) * uniform
