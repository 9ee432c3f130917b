"""Reads and checks the trainer's mesh.npz. No bpy, no pickle."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .language import say


class MeshFileError(Exception):
    """The mesh cannot be used; the message says why."""


@dataclass(frozen=True)
class MeshData:
    """A triangle mesh in Blender's axes (Z up, front faces -Y).

    `vertices` (V, 3); `faces` (F, 3) vertex indices; `uv` (F, 3, 2) one pair a corner, origin bottom left;
    `colors` (V, 3) display-referred sRGB in [0, 1].
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    colors: NDArray[np.float32]

    def standing(self, height: float | None = None) -> MeshData:
        """The same mesh with its base at z = 0, centred in x and y, and scaled to a height if one is given."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        base = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
        own = float(high[2] - low[2])
        scale = np.float32(height / own if height is not None and own > 0 else 1)
        return MeshData((self.vertices - base) * scale, self.faces, self.uv, self.colors)


def read_mesh(path: Path) -> MeshData:
    """Read mesh.npz. Raises MeshFileError where it is missing, damaged or empty."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            mesh = MeshData(
                np.ascontiguousarray(arrays["vertices"], np.float32),
                np.ascontiguousarray(arrays["faces"], np.int32),
                np.ascontiguousarray(arrays["uv"], np.float32),
                np.ascontiguousarray(arrays["colors"], np.float32),
            )
    except FileNotFoundError as error:
        raise MeshFileError(say("There is no {path}: generate again.", path=path)) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise MeshFileError(say("{path} is damaged: generate again.", path=path)) from error
    if not _is_sound(mesh):
        raise MeshFileError(say("{path} holds no usable mesh: generate again.", path=path))
    return mesh


def _is_sound(mesh: MeshData) -> bool:
    """Whether the shapes belong together and every number can be used."""
    count, faces = len(mesh.vertices), len(mesh.faces)
    shapes = [array.shape for array in (mesh.vertices, mesh.faces, mesh.uv, mesh.colors)]
    if not count or not faces or shapes != [(count, 3), (faces, 3), (faces, 3, 2), (count, 3)]:
        return False
    finite = all(bool(np.isfinite(array).all()) for array in (mesh.vertices, mesh.uv, mesh.colors))
    return finite and int(mesh.faces.min()) >= 0 and int(mesh.faces.max()) < count
