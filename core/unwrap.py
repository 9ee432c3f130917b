"""Texture coordinates for a triangle mesh.

xatlas makes good charts, in seconds for most meshes, but takes an hour or crashes on a few. So it runs in a process
of its own (``python -m core.unwrap``) with a time limit, and what it returns is checked. Where it fails, every
triangle becomes a chart of its own: ugly to paint on, but always right.

Texture coordinates (F, 3, 2) belong to face corners and have their origin at the bottom left of the picture.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.surface import Floats, Ints

TIME_LIMIT = 120.0  # seconds for xatlas; it needs 3 for 20,000 faces on an idle machine

_PADDING = 4  # texels between charts; the atlas comes out up to 1.5 times as large as asked and is then scaled down
_CHUNK = 1 << 21  # candidate texels looked at together
_OVERLAPS = 1e-4  # share of the texels that two of xatlas' triangles may both claim


def unwrap(vertices: Floats, faces: Ints, size: int, time_limit: float = TIME_LIMIT) -> Floats:
    """Texture coordinates (F, 3, 2) in [0, 1] for a texture of `size` texels along a side, charts 2 texels apart."""
    uv = _xatlas(vertices, faces, size, time_limit)
    return triangle_atlas(len(faces), size) if uv is None or not _is_sound(uv, size) else uv


def triangle_atlas(count: int, size: int) -> Floats:
    """`count` equal right triangles, two in each cell of a square grid, with a texel of margin around each."""
    side = int(np.ceil(np.sqrt((count + 1) // 2)))
    cell = size / side  # texels
    margin = min(1.0, cell / 8)
    diagonal = margin * (1 + np.sqrt(2))  # moves the hypotenuse by the margin too
    lower = np.array([[margin, margin], [cell - diagonal, margin], [margin, cell - diagonal]])
    upper = cell - lower
    index = np.arange(count)
    corner = np.stack([index // 2 % side, index // 2 // side], axis=1) * cell
    local = np.where((index % 2 == 0)[:, None, None], lower, upper)
    return ((corner[:, None] + local) / size).astype(np.float32)


def covered_texels(
    uv: Floats, size: int, margin: float = 0.0
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]]:
    """Which texels of a size x size texture the triangles cover, in batches.

    Yields texel (K,) = row * size + column, face (K,) and barycentric coordinates (K, 3) of the texel's centre. A
    texel counts as covered up to `margin` texels outside a triangle (coordinates are negative there). Texels that
    several triangles cover are yielded several times.
    """
    corners = np.stack([uv[..., 0] * size - 0.5, (1 - uv[..., 1]) * size - 0.5], axis=-1).astype(np.float64)
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # edge i lies opposite corner i
    double_area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    first = np.ceil(corners.min(axis=1) - margin).astype(np.int64).clip(0)
    last = np.floor(corners.max(axis=1) + margin).astype(np.int64).clip(None, size - 1)
    extent = np.where(double_area[:, None] != 0, (last - first + 1).clip(0), 0)
    count = extent.prod(axis=1)
    for batch in np.array_split(np.arange(len(uv)), count.sum() // _CHUNK + 1):
        face = np.repeat(batch, count[batch])
        nth = np.arange(len(face)) - np.repeat(np.cumsum(count[batch]) - count[batch], count[batch])
        column = first[face, 0] + nth % extent[face, 0]
        row = first[face, 1] + nth // extent[face, 0]
        # Twice the area between each edge and the texel's centre; divided by the edge's length, it is the distance.
        offset = np.stack([column, row], axis=-1)[:, None] - np.roll(corners, -1, axis=1)[face]
        part = edges[face][..., 0] * offset[..., 1] - edges[face][..., 1] * offset[..., 0]
        part *= np.sign(double_area[face])[:, None]
        keep = (part >= -margin * np.linalg.norm(edges, axis=-1)[face]).all(axis=1)
        share = part[keep] / np.abs(double_area[face[keep], None])
        yield (row * size + column)[keep], face[keep], share.astype(np.float32)


def overlapping_texels(uv: Floats, size: int) -> int:
    """How many texel centres lie inside more than one triangle (shared edges do not count)."""
    claims = np.zeros(size * size, np.int64)
    for texel, _, share in covered_texels(uv, size):
        claims += np.bincount(texel[share.min(axis=1) > 1e-4], minlength=size * size)
    return int((claims > 1).sum())


def _is_sound(uv: Floats, size: int) -> bool:
    in_range = bool(np.isfinite(uv).all() and uv.min() >= 0 and uv.max() <= 1)
    return in_range and overlapping_texels(uv, size) <= _OVERLAPS * size * size


def _xatlas(vertices: Floats, faces: Ints, size: int, time_limit: float) -> Floats | None:
    """xatlas' charts, or None where it fails or takes longer than `time_limit` seconds."""
    package = Path(__file__).resolve().parent
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.unwrap", str(size), str(time_limit)],
            input=_pack(vertices=vertices, faces=faces),
            capture_output=True,
            timeout=time_limit,
            env=environment,
            check=True,
        )
        uv = np.load(io.BytesIO(done.stdout))["uv"]
    except (subprocess.SubprocessError, OSError, ValueError, KeyError):
        return None
    return uv if uv.shape == (len(faces), 3, 2) else None


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
