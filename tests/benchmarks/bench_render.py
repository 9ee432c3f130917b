"""Seconds for marching, rendering and its backward pass, as a table.

    python -m tests.benchmarks.bench_render [--device cpu] [--threads N] [--repeats 10]

The field is in its initial state, a soft ball, which is the dearest: few samples are hidden and many carry weight.
Each number is the best of the repeats; "processor" adds up all threads' time and so hardly depends on other load.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from core.camera import Cameras, orbit_views
from core.config import FieldConfig
from core.field import Field, make_field
from core.occupancy import OccupancyGrid
from core.render import Shading, render

CASES = ((32, 48), (64, 48), (64, 96))  # pixels along a side, samples along a ray


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--field", choices=("grid", "mlp"), default="grid")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    field = make_field(FieldConfig(kind=options.field)).to(options.device)
    occupancy = OccupancyGrid(48).to(options.device)
    generator = torch.Generator().manual_seed(0)
    update = best_of(options.repeats, lambda: occupancy.update(field.density, 1600, generator))
    print(f"occupancy update {update[0]:.4f} s (processor {update[1]:.4f} s)\n")
    print("size samples shading     evaluated normals |   march  forward backward | processor: forward backward")
    for size, samples in CASES:
        cameras = orbit_views(1, 15.0, 2.9, 40.0).to(options.device).cameras(size, size)
        for shading in ("albedo", "lambertian"):
            print(
                f"{size:4d} {samples:7d} {shading:10s}", measure(field, occupancy, cameras, samples, shading, options)
            )


def measure(
    field: Field,
    occupancy: OccupancyGrid,
    cameras: Cameras,
    samples: int,
    shading: Shading,
    options: argparse.Namespace,
) -> str:
    """The rest of a table row."""
    rays = cameras.rays()
    generator = torch.Generator().manual_seed(0)
    white = torch.ones(3, device=options.device)

    def forward() -> Tensor:
        return shown().color.sum()

    def shown():
        return render(
            field, occupancy, cameras, samples=samples, background=white, shading=shading, generator=generator
        )

    march = best_of(options.repeats, lambda: occupancy.march(rays, samples, generator))
    ahead = best_of(options.repeats, forward)
    both = best_of(options.repeats, lambda: forward().backward())
    counts = shown()
    normals = len(counts.surface.weights) if shading != "albedo" else 0
    return (
        f"{len(counts.weights):10d} {normals:7d} | {march[0]:7.4f} {ahead[0]:8.4f} {both[0] - ahead[0]:8.4f}"
        f" | {ahead[1]:18.4f} {both[1] - ahead[1]:8.4f}"
    )


def best_of(repeats: int, action: Callable[[], object]) -> tuple[float, float]:
    """Least wall-clock and least processor seconds of some runs, after one to warm up."""
    runs = []
    for _ in range(repeats + 1):
        start, processor = time.perf_counter(), time.process_time()
        action()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        runs.append((time.perf_counter() - start, time.process_time() - processor))
    walls, processors = zip(*runs[1:], strict=True)
    return min(walls), min(processors)


if __name__ == "__main__":
    main()
