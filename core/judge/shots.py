"""The pictures by which an object is judged: eight views, evenly lit, with its colours and without.

No view lies on the border between two of the sides that core.prompt tells apart: each is 22.5 degrees away from one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.camera import Views, orbit_views
from core.judge import raster
from core.mesh import Mesh

COUNT = 8  # views
ELEVATION_DEG, RADIUS, FOV_DEG = 20.0, 2.9, 40.0
SIZE = 128  # pixels along a side
AMBIENT = 0.5
GREY = 0.75  # albedo of what is shown without its colours
BACKGROUND = (0.55, 0.60, 0.66)  # neither white nor black things vanish in it
_LIGHT_RIGHT, _LIGHT_UP = 0.25, 0.35  # the light's place beside the camera, as shares of its distance
_SUPERSAMPLE = 2


@dataclass(frozen=True)
class Shots:
    """Pictures of one object, one a view; sRGB in [0, 1]."""

    textured: Tensor  # "V 3 H W"
    textureless: Tensor  # "V 3 H W"


def judge_views() -> Views:
    """The ring of views; the first stands 22.5 degrees beside the front."""
    ring = orbit_views(COUNT, ELEVATION_DEG, RADIUS, FOV_DEG)
    return dataclasses.replace(ring, azimuth_deg=ring.azimuth_deg + 180.0 / COUNT)


def judge_light(views: Views) -> Tensor:
    """Unit vectors "V 3" towards the light: it stands above and to the right of each camera."""
    pose = views.cameras(1, 1).camera_to_world[:, :3]
    return F.normalize(pose[..., 2] + _LIGHT_RIGHT * pose[..., 0] + _LIGHT_UP * pose[..., 1], dim=-1)


def photograph(mesh: Mesh, size: int = SIZE) -> Shots:
    """The mesh from all views of the judge: albedo * (ambient + (1 - ambient) * max(0, n . l))."""
    views = judge_views()
    cameras, light = views.cameras(size * _SUPERSAMPLE, size * _SUPERSAMPLE), judge_light(views).double().numpy()
    textured, textureless = [], []
    for index in range(cameras.count):
        hits = raster.rasterise(mesh, cameras, index)
        lambert = (raster.normals(mesh, hits) @ light[index]).clip(0)[..., None]
        brightness = AMBIENT + (1 - AMBIENT) * lambert
        textured.append(_finish(raster.albedo(mesh, hits) * brightness, hits, BACKGROUND))
        textureless.append(_finish(GREY * brightness.repeat(3, axis=-1), hits, BACKGROUND))
    return Shots(torch.stack(textured), torch.stack(textureless))


def albedo_pictures(mesh: Mesh, views: Views, size: int) -> Tensor:
    """Unlit pictures "V 3 size size" on white."""
    cameras = views.cameras(size * _SUPERSAMPLE, size * _SUPERSAMPLE)
    seen = [raster.rasterise(mesh, cameras, index) for index in range(cameras.count)]
    return torch.stack([_finish(raster.albedo(mesh, hits), hits, (1.0, 1.0, 1.0)) for hits in seen])


def _finish(picture: raster.Doubles, hits: raster.Hits, background: tuple[float, float, float]) -> Tensor:
    """The picture "H W 3" before the background, each pixel the mean of its samples: "3 H W"."""
    whole = np.where(hits.any[..., None], picture, background)
    return F.avg_pool2d(torch.from_numpy(whole).float().permute(2, 0, 1), _SUPERSAMPLE)
