"""A neutral judge of meshes: a z-buffer rasteriser that shares no code with the mesh, texture and export modules.

Plain numpy, one triangle at a time in screen order, perspective-correct, bilinear texture lookup, supersampled by
rendering larger and averaging. Albedo only: no light.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from core.camera import Cameras
from core.mesh import Mesh


def rasterise(mesh: Mesh, cameras: Cameras, background=(1.0, 1.0, 1.0), supersample: int = 2) -> torch.Tensor:
    """Pictures (B, 3, H, W) of the textured mesh; faces seen from behind are magenta, so that a flip shows."""
    pictures = [_one(mesh, cameras, index, np.asarray(background), supersample) for index in range(cameras.count)]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures with values in [0, 1]."""
    return float(-10 * torch.log10(((one - other) ** 2).mean()))


def _one(mesh: Mesh, cameras: Cameras, index: int, background: np.ndarray, supersample: int) -> np.ndarray:
    big = dataclasses.replace(
        cameras,
        focal_px=cameras.focal_px * supersample,
        height=cameras.height * supersample,
        width=cameras.width * supersample,
    )
    screen, distance = _project(mesh.vertices, big, index)
    face, share = _nearest_faces(screen, distance, mesh.faces, big.height, big.width)
    picture = np.broadcast_to(background, (big.height, big.width, 3)).copy()
    hit = face >= 0
    uv = np.einsum("kc,kcx->kx", share[hit], mesh.uv[face[hit]].astype(np.float64))
    picture[hit] = _bilinear(mesh.texture, uv)
    corners = screen[mesh.faces[face[hit]]]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    behind = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0  # clockwise on a screen whose y points down
    picture[hit] = np.where(behind[:, None], [1.0, 0.0, 1.0], picture[hit])
    return picture.reshape(cameras.height, supersample, cameras.width, supersample, 3).mean(axis=(1, 3))


def _project(vertices: np.ndarray, cameras: Cameras, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions (V, 2), the first pixel's centre at (0, 0), and distances (V,) along the camera's axis."""
    world_to_camera = np.linalg.inv(cameras.camera_to_world[index].double().numpy())
    local = vertices @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    distance = -local[:, 2]
    offset = float(cameras.focal_px[index]) * local[:, :2] / distance[:, None]
    column = cameras.width / 2 + offset[:, 0] - 0.5
    row = cameras.height / 2 - offset[:, 1] - 0.5
    return np.stack([column, row], axis=1), distance


def _nearest_faces(
    screen: np.ndarray, distance: np.ndarray, faces: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Per pixel the nearest face (-1 for none) and perspective-correct barycentric coordinates in it."""
    owner = np.full((height, width), -1)
    share = np.zeros((height, width, 3))
    nearness = np.zeros((height, width))  # one over the distance, which is linear on the screen
    for index, (corners, inverse) in enumerate(zip(screen[faces], 1 / distance[faces], strict=True)):
        left, top = np.maximum(np.ceil(corners.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.floor(corners.max(axis=0)).astype(int), (width - 1, height - 1))
        if left > right or top > bottom:
            continue
        (ax, ay), (bx, by), (cx, cy) = corners
        double_area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if double_area == 0:
            continue
        x, y = np.arange(left, right + 1)[None], np.arange(top, bottom + 1)[:, None]
        b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / double_area
        c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / double_area
        weights = np.stack([1 - b - c, b, c], axis=-1) * inverse
        total = weights.sum(axis=-1)
        window = slice(top, bottom + 1), slice(left, right + 1)
        wins = (weights >= -1e-9).all(axis=-1) & (total > nearness[window])
        nearness[window][wins] = total[wins]
        owner[window][wins] = index
        share[window][wins] = (weights / total[..., None])[wins]
    return owner, share


def _bilinear(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Colours (K, 3) at texture coordinates (K, 2) with the origin at the bottom left; row 0 is the top."""
    height, width = texture.shape[:2]
    x = (uv[:, 0] * width - 0.5).clip(0, width - 1)
    y = ((1 - uv[:, 1]) * height - 0.5).clip(0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[:, None], (y - top)[:, None]
    upper = texture[top, left] * (1 - across) + texture[top, right] * across
    lower = texture[bottom, left] * (1 - across) + texture[bottom, right] * across
    return upper * (1 - down) + lower * down
