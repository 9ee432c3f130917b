"""Texture coordinates for a triangle mesh.

xatlas makes good charts, in seconds for most meshes, but takes an hour or crashes on a few. So it runs in a process
of its own (``python -m core.unwrap``) with a time limit. A few of its triangles may overlap others: each of those
gets a place of its own. Where xatlas fails, all triangles do: ugly to paint on, but always right.

Texture coordinates (F, 3, 2) belong to face corners and have their origin at the bottom left of the picture.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.surface import Floats, Ints
from core.texels import cells

TIME_LIMIT = 120.0  # seconds for xatlas; it needs 3 for 20,000 faces on an idle machine

_PADDING = 4  # texels between charts; the atlas comes out up to 1.5 times as large as asked and is then scaled down
_MOST_MOVED = 0.01  # share of the faces that may overlap before xatlas' charts are given up
_TOUCH = 1e-6  # triangles that reach into each other by less, as a share of the picture, only touch
_MOST_CROWDED = 500  # triangles in one place before they are taken to be piled up


class UnwrapError(Exception):
    """xatlas gave nothing that can be used; the message says why."""


def unwrap(
    vertices: Floats,
    faces: Ints,
    size: int,
    time_limit: float = TIME_LIMIT,
    say: Callable[[str], None] = warnings.warn,
) -> Floats:
    """Texture coordinates (F, 3, 2) in [0, 1] for a texture of `size` texels along a side, charts 2 texels apart.

    `say` hears one line where xatlas failed.
    """
    try:
        uv = _xatlas(vertices, faces, size, time_limit)
        overlapping = overlapping_faces(uv)
        if len(overlapping) > _MOST_MOVED * len(faces):
            raise UnwrapError("its charts overlap")
    except UnwrapError as error:
        say(f"The mesh could not be cut into charts ({error}): every triangle gets its own place in the texture.")
        return triangle_atlas(len(faces), size)
    return _set_apart(uv, overlapping, size)


def triangle_atlas(count: int, size: int) -> Floats:
    """`count` equal right triangles, two in each cell of a square grid that fills the picture."""
    columns = int(np.ceil(np.sqrt((count + 1) // 2)))
    return _right_triangles(count, columns, size / columns) / np.float32(size)


def overlapping_faces(uv: Floats) -> npt.NDArray[np.int64]:
    """The triangles whose insides meet another's; those that share an edge or a corner do not count.

    Triangles in the same cell of a grid are tested in pairs for a separating line (one of their six edges).
    """
    side = int(np.ceil(np.sqrt(len(uv))))
    first, last = (np.floor(edge * side).astype(np.int64) for edge in (uv.min(axis=1), uv.max(axis=1)))
    face, column, row = cells(first, last)
    cell = row * (side + 1) + column
    order = np.argsort(cell, kind="stable")
    face, cell = face[order], cell[order]
    if np.bincount(cell).max() > _MOST_CROWDED:
        return np.arange(len(uv))
    found: list[npt.NDArray[np.int64]] = []
    for step in range(1, _MOST_CROWDED):
        together = cell[step:] == cell[:-step]
        if not together.any():
            break
        one, other = face[:-step][together], face[step:][together]
        meet = _intersect(uv[one].astype(np.float64), uv[other].astype(np.float64))
        found += [one[meet], other[meet]]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _intersect(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether triangles (P, 3, 2) reach into each other, pair by pair (separating axis theorem)."""
    result = np.ones(len(one), bool)
    for triangle in (one, other):
        edge = np.roll(triangle, -1, axis=1) - triangle
        normal = np.stack([-edge[..., 1], edge[..., 0]], axis=-1)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
        a, b = (np.einsum("pcx,pnx->pnc", corners, normal) for corners in (one, other))
        reach = np.minimum(a.max(axis=-1), b.max(axis=-1)) - np.maximum(a.min(axis=-1), b.min(axis=-1))
        result &= (reach > _TOUCH).all(axis=1)
    return result


def _set_apart(uv: Floats, chosen: npt.NDArray[np.int64], size: int) -> Floats:
    """Make the charts a little smaller and lay the chosen triangles side by side above them."""
    if len(chosen) == 0:
        return uv
    cell = max(8.0, size / 64)  # texels
    columns = int(size / cell)
    below = size - 1 - cell * np.ceil(len(chosen) / (2 * columns))
    result = uv * np.float32(below / size)
    strip = _right_triangles(len(chosen), columns, cell)
    strip[..., 1] += below + 1
    result[chosen] = strip / np.float32(size)
    return result


def _right_triangles(count: int, columns: int, cell: float) -> Floats:
    """Corners (count, 3, 2) in texels: two triangles to a square cell, row by row, with a texel of margin around."""
    margin = min(1.0, cell / 8)
    diagonal = margin * (1 + np.sqrt(2))  # moves the hypotenuse by the margin too
    lower = np.array([[margin, margin], [cell - diagonal, margin], [margin, cell - diagonal]])
    index = np.arange(count)
    corner = np.stack([index // 2 % columns, index // 2 // columns], axis=1) * cell
    local = np.where((index % 2 == 0)[:, None, None], lower, cell - lower)
    return (corner[:, None] + local).astype(np.float32)


def _xatlas(vertices: Floats, faces: Ints, size: int, time_limit: float) -> Floats:
    """xatlas' charts. Raises UnwrapError where it fails or takes longer than `time_limit` seconds."""
    root = Path(__file__).resolve().parents[1]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.unwrap", str(size), str(time_limit)],
            input=_pack(vertices=vertices, faces=faces),
            capture_output=True,
            timeout=time_limit,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=root,
            check=True,
        )
        uv = np.load(io.BytesIO(done.stdout))["uv"]
    except subprocess.TimeoutExpired as error:
        raise UnwrapError(f"xatlas took more than {time_limit:.0f} seconds") from error
    except subprocess.CalledProcessError as error:
        printed = error.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {error.returncode}"]
        raise UnwrapError(f"xatlas failed: {printed[-1]}") from error
    except (OSError, ValueError, KeyError) as error:
        raise UnwrapError(f"xatlas gave nothing: {error}") from error
    if uv.shape != (len(faces), 3, 2) or not (np.isfinite(uv).all() and uv.min() >= 0 and uv.max() <= 1):
        raise UnwrapError("xatlas gave coordinates outside the picture")
    return np.asarray(uv, np.float32)


def _main(size: int, time_limit: float) -> None:
    """Read a mesh from the standard input, write texture coordinates to the standard output."""
    import xatlas  # only here: a crash in it must not take the trainer down

    if hasattr(signal, "alarm"):
        signal.alarm(int(time_limit) + 5)  # ends this process even where the trainer was killed meanwhile
    mesh = np.load(io.BytesIO(sys.stdin.buffer.read()))
    atlas = xatlas.Atlas()
    atlas.add_mesh(mesh["vertices"], mesh["faces"].astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.resolution, packing.padding = size, _PADDING
    atlas.generate(xatlas.ChartOptions(), packing)
    _, corners, uv = atlas[0]
    sys.stdout.buffer.write(_pack(uv=uv[corners]))


def _pack(**arrays: npt.NDArray[np.generic]) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the arrays for its own options
    return data.getvalue()


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]))
