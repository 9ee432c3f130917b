"""Seconds that Blender stands still while a finished object comes in: ``python -m tests.benchmarks.bench_import``.

Builds a job with a textured mesh of 100,000 faces, opens Blender's real window on a virtual screen with the built zip,
and adds it as the panel does, several times: reading, building, packing, and the undo step. The redraw that follows is
measured apart: without a GPU it says little. On a busy machine look at the time of the main thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import build_addon
from core.config import preset, to_json
from core.export import save_mesh
from core.mesh import Mesh
from core.normal_map import FLAT

ROOT = Path(__file__).parents[1] / "blender"
sys.path.append(str(ROOT / "rig"))

from blenders import VERSIONS, blender_program  # noqa: E402
from window import run_scenario  # noqa: E402


def globe(faces: int, size: int) -> Mesh:
    """A bumpy ball of about so many faces, with a texture and a normal map that PNG cannot press to nothing."""
    side = round((faces / 2) ** 0.5)
    u, v = np.meshgrid(np.linspace(0, 1, side + 1), np.linspace(0, 1, side + 1), indexing="ij")
    longitude, latitude = 2 * np.pi * u, np.pi * (v - 0.5)
    radius = 0.8 + 0.05 * np.sin(8 * longitude) * np.cos(latitude)
    ring = radius * np.cos(latitude)
    points = np.stack([ring * np.cos(longitude), ring * np.sin(longitude), radius * np.sin(latitude)], -1).reshape(
        -1, 3
    )
    first = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    a, b, c, d = first, first + side + 1, first + side + 2, first + 1
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    uv = np.stack([u, v], -1).reshape(-1, 2)[triangles]
    rng = np.random.default_rng(0)
    texture = 0.5 + 0.03 * rng.standard_normal((size, size, 3))
    normal_map = np.array(FLAT) + 0.02 * rng.standard_normal((size, size, 3))
    points = points.reshape(-1, 3)
    parts = (points, uv, 0.5 + points / 2, texture, normal_map)
    points, uv, colors, texture, normal_map = (part.astype(np.float32) for part in parts)
    return Mesh(points, triangles, uv, colors, texture, normal_map)


def write_job(folder: Path, faces: int, size: int) -> int:
    """A finished job; returns the number of its faces."""
    mesh = globe(faces, size)
    folder.mkdir()
    save_mesh(mesh, folder / "mesh")
    record = {"config": to_json(preset("standard", "a globe")), "state": "done", "versions": {"dreamfusion": "0"}}
    (folder / "job.json").write_text(json.dumps(record))
    return len(mesh.faces)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blender", choices=VERSIONS, default=VERSIONS[0])
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=2048, help="of the pictures, in pixels")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        count = write_job(folder / "job", args.faces, args.size)
        zip_path = build_addon.build(folder / "dist")
        scenario = ROOT / "scenarios" / "time_import.py"
        arguments = [folder / "job", folder / "times.json"]
        run_scenario(blender_program(args.blender), scenario, folder / "out", zip_path, arguments)
        times = json.loads((folder / "times.json").read_text())
    print(f"Blender {args.blender}, {count} faces, two pictures of {args.size} x {args.size}: median seconds")
    print(f"{'stage':<20}{'clock':>9}{'thread':>9}")
    for stage, seconds in times.items():
        print(f"{stage:<20}" + "".join(f"{second:9.3f}" for second in np.median(seconds, axis=0)))


if __name__ == "__main__":
    main()
