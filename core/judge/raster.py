"""A z-buffer rasteriser for triangle meshes: which face each pixel shows, and what lies there.

It shares no code with the renderer of fields. A pixel shows the face nearest to the camera among those that its
centre lies in; no face is culled. Letters: K fragments, a fragment being a pixel's centre inside a triangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.camera import Cameras
from core.mesh import Mesh
from core.surface import Floats, vertex_normals

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_EDGE = 1e-9  # barycentric coordinates this far below zero still count as inside, so that no seam is left open


@dataclass(frozen=True)
class Hits:
    """What each pixel of one picture shows."""

    face: Indices  # (H, W), -1 for nothing
    share: Doubles  # (H, W, 3), barycentric coordinates in the face, perspective-correct

    @property
    def any(self) -> npt.NDArray[np.bool_]:
        """Where there is something, (H, W)."""
        return self.face >= 0


def rasterise(mesh: Mesh, cameras: Cameras, index: int) -> Hits:
    """What camera number `index` sees. All of the mesh must lie in front of it."""
    screen, distance = project(mesh.vertices, cameras, index)
    return _nearest(screen[mesh.faces], 1 / distance[mesh.faces], cameras.height, cameras.width)


def project(vertices: Floats, cameras: Cameras, index: int) -> tuple[Doubles, Doubles]:
    """Columns and rows (V, 2), the first pixel's centre at (0, 0), and distances (V,) along the camera's axis."""
    pose = cameras.camera_to_world[index].double().cpu().numpy()
    local = (vertices - pose[:3, 3]) @ pose[:3, :3]
    distance = -local[:, 2]
    offset = float(cameras.focal_px[index]) * local[:, :2] / distance[:, None]
    middle = np.array([cameras.width - 1, cameras.height - 1]) / 2
    return middle + offset * [1, -1], distance


def fragments(corners: Doubles, height: int, width: int) -> tuple[Indices, Indices, Doubles]:
    """Face (K,), pixel (K,) = row * width + column and barycentric coordinates (K, 3) of triangles (F, 3, 2)."""
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # edge i lies opposite corner i
    double_area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    face, column, row = _boxes(corners, height, width, double_area != 0)
    offset = np.stack([column, row], axis=-1)[:, None] - np.roll(corners, -1, axis=1)[face]
    part = edges[face][..., 0] * offset[..., 1] - edges[face][..., 1] * offset[..., 0]
    share = part / double_area[face][:, None]
    inside = (share >= -_EDGE).all(axis=1)
    return face[inside], (row * width + column)[inside], share[inside]


def _boxes(
    corners: Doubles, height: int, width: int, wanted: npt.NDArray[np.bool_]
) -> tuple[Indices, Indices, Indices]:
    """Face, column and row of every pixel in the bounding boxes of the wanted triangles."""
    first = np.ceil(corners.min(axis=1)).clip(0).astype(np.int64)
    last = np.floor(corners.max(axis=1)).clip(None, [width - 1, height - 1]).astype(np.int64)
    extent = (last - first + 1).clip(0) * wanted[:, None]
    count = extent.prod(axis=1)
    face = np.repeat(np.arange(len(corners)), count)
    nth = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    return face, first[face, 0] + nth % extent[face, 0], first[face, 1] + nth // extent[face, 0]


def _nearest(corners: Doubles, nearness: Doubles, height: int, width: int) -> Hits:
    """`nearness` (F, 3), one over the distance of each corner, is linear on the screen."""
    face, pixel, share = fragments(corners, height, width)
    weight = share * nearness[face]
    total = weight.sum(axis=1)
    order = np.lexsort((total, pixel))
    front = order[np.diff(pixel[order], append=-1) != 0]  # the last of each pixel
    hits = Hits(np.full((height, width), -1), np.zeros((height, width, 3)))
    hits.face.reshape(-1)[pixel[front]] = face[front]
    hits.share.reshape(-1, 3)[pixel[front]] = weight[front] / total[front][:, None]
    return hits


def albedo(mesh: Mesh, hits: Hits) -> Doubles:
    """Colours (H, W, 3): the texture's, else the vertices', else white; 0 where there is nothing."""
    if mesh.texture is not None and mesh.uv is not None:
        at = hits.any
        picture = np.zeros((*at.shape, 3))
        uv = np.einsum("kc,kcx->kx", hits.share[at], mesh.uv[hits.face[at]])
        picture[at] = bilinear(mesh.texture, uv)
        return picture
    colors = mesh.colors if mesh.colors is not None else np.ones_like(mesh.vertices)
    return _interpolate(colors, mesh, hits)


def normals(mesh: Mesh, hits: Hits) -> Doubles:
    """Unit normals (H, W, 3), interpolated between the vertices as viewers do; 0 where there is nothing."""
    smooth = _interpolate(vertex_normals(mesh.vertices, mesh.faces), mesh, hits)
    unit: Doubles = smooth / np.maximum(np.linalg.norm(smooth, axis=-1, keepdims=True), 1e-12)
    return unit


def bilinear(texture: npt.NDArray[np.floating[Any]], uv: Doubles) -> Doubles:
    """Colours (K, 3) at texture coordinates (K, 2), whose origin is the bottom left; row 0 is the top."""
    height, width = texture.shape[:2]
    place = np.stack([uv[:, 0] * width, (1 - uv[:, 1]) * height], axis=1) - 0.5
    place = place.clip(0, [width - 1, height - 1])
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, [width - 1, height - 1])
    x, y = (place - low).T[:, :, None]
    upper = texture[low[:, 1], low[:, 0]] * (1 - x) + texture[low[:, 1], high[:, 0]] * x
    lower = texture[high[:, 1], low[:, 0]] * (1 - x) + texture[high[:, 1], high[:, 0]] * x
    blended: Doubles = upper * (1 - y) + lower * y
    return blended


def _interpolate(values: Floats, mesh: Mesh, hits: Hits) -> Doubles:
    """Vertex values (V, C) at the pixels: (H, W, C)."""
    picture = np.zeros((*hits.face.shape, values.shape[1]))
    at = hits.any
    picture[at] = np.einsum("kc,kcx->kx", hits.share[at], values[mesh.faces[hits.face[at]]])
    return picture
