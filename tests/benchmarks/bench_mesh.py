"""Seconds from a field to files, stage by stage: ``python -m tests.benchmarks.bench_mesh [WORKSPACE]``.

With a job's folder, the field of its newest checkpoint and its mesh settings; without, the standard settings and a
hash grid as it is at the start of a job (a ball), in a grid that knows where the ball is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core import checkpoint, mesh, texture
from core.config import CameraConfig, Config, MeshConfig
from core.export import save_mesh
from core.field import Field, make_field
from core.job import Job
from core.normal_map import bake_normals
from core.occupancy import OccupancyGrid
from core.surface import decimate
from core.unwrap import unwrap


class Table:
    """Runs a stage and prints its line."""

    def __init__(self) -> None:
        print(f"{'stage':<20}{'seconds':>9}{'CPU':>9}  result")
        self.start = time.perf_counter()

    def __call__(self, stage: str, work: Callable[[], Any], describe: Callable[[Any], str] = lambda _: "") -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        print(f"{stage:<20}{time.perf_counter() - wall:9.2f}{time.process_time() - cpu:9.2f}  {describe(result)}")
        return result


def load(workspace: str | None) -> tuple[Field, OccupancyGrid, MeshConfig]:
    """The field to measure."""
    config = Job.open(workspace).config if workspace else Config("a ball")
    field, occupancy = make_field(config.field), OccupancyGrid(config.render.occupancy_resolution)
    if workspace:
        state = checkpoint.load_newest(Path(workspace) / "checkpoints").state()
        field.load_state_dict(state["field"])
        occupancy.load_state_dict(state["occupancy"])
    else:
        cells = (occupancy._cells() + 0.5) * (2 / occupancy.resolution) - 1
        occupancy.occupied.copy_(cells.norm(dim=1) < config.field.blob_radius + 0.2)
    return field, occupancy, config.mesh


def main(workspace: str | None = None) -> None:
    """Print the table."""
    field, occupancy, config = load(workspace)
    box = np.array([[-1.0] * 3, [1.0] * 3])
    spacing = 2 / (config.resolution - 1)
    table = Table()
    lattice = table("density sampling", lambda: mesh.sample_density(field, box, spacing, occupancy))
    level = table("level", lambda: mesh.surface_level(lattice), lambda level: f"density {level:.2f}")
    solid = table("clean-up", lambda: mesh.solidify(lattice, level))
    fine = table("marching cubes", lambda: mesh.march(solid), lambda s: f"{len(s[1])} faces, smoothed")
    surface = table("decimation", lambda: decimate(*fine, config.faces), lambda s: f"{len(s[1])} faces")
    uv = table("unwrap", lambda: unwrap(*surface, config.texture_size))
    normals = table("normal map", lambda: bake_normals(*fine, *surface, uv, config.texture_size))
    result = mesh.Mesh(*surface, uv, normal_map=normals)
    result = table("colours and bake", lambda: texture.paint(field, result, config.texture_size, CameraConfig()))
    with tempfile.TemporaryDirectory() as folder:
        table("files", lambda: save_mesh(result, Path(folder)))
    print(f"{'total':<20}{time.perf_counter() - table.start:9.2f}")


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(*sys.argv[1:2])
