"""Pictures of a field for people: previews, validation pictures and their contact sheets, the turntable video.

File names are the seed's: validation/df_ep0001_0001_rgb.png and _depth.png (epoch, then view, from 1), and
results/df_ep0100_rgb.mp4. Pictures are rendered without jitter, on white; validation pictures and the turntable show
the albedo, previews are shaded.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v2 as video
import imageio.v3 as iio
import numpy as np
import torch
from torch import Tensor

from core.camera import Cameras, Views, orbit_views
from core.config import Config
from core.field import Field
from core.files import write_atomic
from core.job import Job
from core.occupancy import OccupancyGrid
from core.pixels import Pixels, to_pixels, to_png
from core.render import Rendering, Shading, render

EVALUATION_ELEVATION_DEG = 15.0
FRAMES_PER_SECOND = 20
_SHEET_EPOCHS = 3  # first, middle, last
_SHEET_VIEWS = slice(0, None, 2)  # views 1, 3, 5, 7


@dataclass(frozen=True)
class Picture:
    """One view of the field."""

    rgb: Pixels  # (H, W, 3)
    depth: Pixels  # (H, W), white is near, black is far or nothing


def evaluation_views(config: Config, count: int) -> Views:
    """A ring of views a little from above, the first from the front, amid the training cameras' radii and lenses."""
    radius, fov = (sum(pair) / 2 for pair in (config.camera.radius, config.camera.fov_deg))
    return orbit_views(count, EVALUATION_ELEVATION_DEG, radius, fov)


@torch.no_grad()
def take_picture(
    field: Field, occupancy: OccupancyGrid, view: Views, resolution: int, samples: int, shading: Shading = "albedo"
) -> Picture:
    """Render one view at resolution x resolution."""
    cameras = view.to(occupancy.density.device).cameras(resolution, resolution)
    return _picture(_look(field, occupancy, cameras, samples, shading), float(view.radius[0]))


@torch.no_grad()
def write_preview(job: Job, field: Field, occupancy: OccupancyGrid) -> None:
    """Replace the job's preview: a shaded view from the right of the front, its depth, its normals.

    Of a normal as the camera sees it, red points to the right, green up and blue towards us: as in a normal map.
    """
    size, samples = job.config.training.validation_resolution, job.config.render.picture_samples
    view = evaluation_views(job.config, 12)[1:2]
    cameras = view.to(occupancy.density.device).cameras(size, size)
    shown = _look(field, occupancy, cameras, samples, "lambertian")
    picture = _picture(shown, float(view.radius[0]))
    write_png(job.preview_depth, picture.depth)
    write_png(job.preview_normal, _normals(shown, cameras.camera_to_world[0, :3, :3]))
    write_png(job.preview, picture.rgb)


def _look(field: Field, occupancy: OccupancyGrid, cameras: Cameras, samples: int, shading: Shading) -> Rendering:
    white = torch.ones(3, device=occupancy.density.device)
    return render(field, occupancy, cameras, samples=samples, background=white, shading=shading, ambient=0.4)


def _picture(shown: Rendering, radius: float) -> Picture:
    """Of a camera at this distance from the origin."""
    near, far = radius - 1.0, radius + 1.0
    nearness = ((far - shown.image(shown.depth)[0, 0]) / (far - near)).clamp(0, 1)
    rgb = shown.image()[0].permute(1, 2, 0)
    return Picture(to_pixels(rgb.cpu().numpy()), to_pixels(nearness.cpu().numpy()))


def _normals(shown: Rendering, rotation: Tensor) -> Pixels:
    """(H, W, 3), on white; `rotation` (3, 3) turns the camera's axes into the world's."""
    surface = shown.surface
    colors = torch.cat([0.5 + 0.5 * surface.normals @ rotation, torch.ones_like(surface.weights)[:, None]], dim=1)
    sums = colors.new_zeros(len(shown.opacity), 4).index_add(0, surface.ray_index, surface.weights[:, None] * colors)
    pixels = shown.image(sums[:, :3] + 1 - sums[:, 3:])[0].permute(1, 2, 0)
    return to_pixels(pixels.cpu().numpy())


def write_png(path: Path, pixels: Pixels) -> None:
    """Replace the picture at `path` whole. Raises DreamFusionError where the disk is full."""
    write_atomic(path, to_png(pixels))


def validate(job: Job, field: Field, occupancy: OccupancyGrid, epoch: int) -> None:
    """Write an epoch's validation pictures and renew both contact sheets."""
    training, samples = job.config.training, job.config.render.picture_samples
    views = evaluation_views(job.config, training.validation_views)
    for number in range(training.validation_views):
        view = views[number : number + 1]
        picture = take_picture(field, occupancy, view, training.validation_resolution, samples)
        for kind, pixels in (("rgb", picture.rgb), ("depth", picture.depth)):
            write_png(_validation_path(job, epoch, number + 1, kind), pixels)
    for kind in ("rgb", "depth"):
        write_png(job.validation / f"sheet_{kind}.png", contact_sheet(job, kind))


def contact_sheet(job: Job, kind: str) -> Pixels:
    """Epochs from top to bottom, views from left to right, of the epochs whose pictures are all on disk."""
    numbers = range(1, job.config.training.validation_views + 1)[_SHEET_VIEWS]
    epochs = range(1, job.config.training.epochs + 1)
    paths = [[_validation_path(job, epoch, number, kind) for number in numbers] for epoch in epochs]
    rows = [row for row in paths if all(path.exists() for path in row)]
    if len(rows) > _SHEET_EPOCHS:
        rows = [rows[0], rows[len(rows) // 2], rows[-1]]
    return np.concatenate([np.concatenate([iio.imread(path) for path in row], axis=1) for row in rows], axis=0)


def write_turntable(job: Job, frames: Iterable[Pixels]) -> Path:
    """Encode frames (H, W, 3) as results/df_epXXXX_rgb.mp4; whole or not at all."""
    path = job.results / f"df_ep{job.config.training.epochs:04d}_rgb.mp4"
    buffer = io.BytesIO()
    writer: Any = video.get_writer(buffer, format="mp4", fps=FRAMES_PER_SECOND, macro_block_size=2)
    with writer:
        for frame in frames:
            writer.append_data(frame)
    write_atomic(path, buffer.getvalue())
    return path


def _validation_path(job: Job, epoch: int, view: int, kind: str) -> Path:
    return job.validation / f"df_ep{epoch:04d}_{view:04d}_{kind}.png"
