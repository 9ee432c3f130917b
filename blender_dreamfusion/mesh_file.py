"""Reads and checks the trainer's mesh.npz and sketch.npz. No bpy, no pickle."""

from __future__ import annotations

import dataclasses
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .language import say

_Data = TypeVar("_Data", bound="MeshData")
_INDICES = ("faces", "slots")


class MeshFileError(Exception):
    """The mesh cannot be used; the message says why."""


@dataclass(frozen=True)
class MeshData:
    """A triangle mesh in Blender's axes (Z up, front faces -Y).

    `vertices` (V, 3); `faces` (F, 3) vertex indices; `colors` (V, 3) display-referred sRGB in [0, 1].
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colors: NDArray[np.float32]

    def standing(self: _Data, height: float | None = None, base: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> _Data:
        """The same mesh with the middle of its base at `base`, and scaled to a height if one is given."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        old = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
        own = float(high[2] - low[2])
        scale = np.float32(height / own if height and own > 0 else 1)
        return dataclasses.replace(self, vertices=(self.vertices - old) * scale + np.array(base, np.float32))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What each array's shape has to be."""
        count = len(self.vertices)
        return {"vertices": (count, 3), "faces": (len(self.faces), 3), "colors": (count, 3)}


@dataclass(frozen=True)
class FinishedMesh(MeshData):
    """With `uv` (F, 3, 2), one pair a corner, origin bottom left."""

    uv: NDArray[np.float32]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What each array's shape has to be."""
        return {**super().shapes(), "uv": (len(self.faces), 3, 2)}


@dataclass(frozen=True)
class Sketch(MeshData):
    """A coarse mesh, with a `palette` (P, 3) of sRGB colours and, in `slots` (F,), which of them each face has."""

    palette: NDArray[np.float32]
    slots: NDArray[np.int32]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What each array's shape has to be."""
        return {**super().shapes(), "palette": (len(self.palette), 3), "slots": (len(self.faces),)}


def read_mesh(path: Path) -> FinishedMesh:
    """Read mesh.npz. Raises MeshFileError where it is missing, damaged or empty."""
    return _read(path, FinishedMesh)


def read_sketch(path: Path) -> Sketch:
    """Read sketch.npz, likewise."""
    return _read(path, Sketch)


def _read(path: Path, kind: type[_Data]) -> _Data:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            names = [field.name for field in dataclasses.fields(kind)]
            types: dict[str, Any] = {name: np.int32 if name in _INDICES else np.float32 for name in names}
            parts: dict[str, Any] = {name: np.ascontiguousarray(arrays[name], types[name]) for name in names}
            mesh = kind(**parts)
    except FileNotFoundError as error:
        raise MeshFileError(say("There is no {path}: generate again.", path=path)) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise MeshFileError(say("{path} is damaged: generate again.", path=path)) from error
    if not _is_sound(mesh):
        raise MeshFileError(say("{path} holds no usable mesh: generate again.", path=path))
    return mesh


def _is_sound(mesh: MeshData) -> bool:
    """Whether the shapes belong together and every number can be used."""
    arrays = {field.name: getattr(mesh, field.name) for field in dataclasses.fields(mesh)}
    if any(array.size == 0 or not array.shape for array in arrays.values()):
        return False
    if any(arrays[name].shape != shape for name, shape in mesh.shapes().items()):
        return False
    if not all(bool(np.isfinite(array).all()) for array in arrays.values()):
        return False
    indices = [(mesh.faces, len(mesh.vertices))]
    if isinstance(mesh, Sketch):
        indices.append((mesh.slots, len(mesh.palette)))
    if isinstance(mesh, Sketch) and bool((mesh.faces == np.roll(mesh.faces, 1, axis=1)).any()):
        return False  # nobody mends it
    return all(int(index.min()) >= 0 and int(index.max()) < count for index, count in indices)
