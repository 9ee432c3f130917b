"""What the add-on takes of Blender's main thread while a job streams: ``python -m tests.benchmarks.bench_tick``.

Opens Blender's real window on a virtual screen with the built zip, thirty jobs in the list, and the sidebar on its
tab; then a trainer whose steps take no time sends a picture and a coarse mesh at each. A tick is one call of the timer,
and what is shown of it below are its parts; a drawing is one panel's, as each of them is drawn again when something has
changed. On a busy machine look at the main thread's time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import build_addon
from tests.addon.double_trainer import picture, write_png
from tests.addon.doubles import double_python
from tests.addon.job_folders import finished_job

ROOT = Path(__file__).parents[1] / "blender"
sys.path.append(str(ROOT / "rig"))

from blenders import VERSIONS, blender_program  # noqa: E402
from window import run_scenario  # noqa: E402

JOBS = 30
SPLIT = "4"  # of a cube: 3,072 faces, as a real coarse mesh has about


def measure(version: str, seconds: float, size: int) -> dict[str, list[tuple[float, float]]]:
    """Times of ticks, drawings and pictures: seconds on the clock and of the main thread."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = folder / "out" / "home" / "datafiles" / "dreamfusion" / "jobs"
        for number in range(JOBS):
            job = finished_job(jobs / f"job{number}")
            write_png(job / "preview.png", picture(number / JOBS, size))
        python = double_python(
            folder / "bin", "--steps", "10000000", "--pause", "0", "--size", str(size), "--split", SPLIT
        )
        arguments = [python, seconds, folder / "times.json"]
        zip_path = build_addon.build(folder / "dist")
        scenario = ROOT / "scenarios" / "time_tick.py"
        run_scenario(blender_program(version), scenario, folder / "out", zip_path, arguments, limit=seconds + 240)
        times: dict[str, list[tuple[float, float]]] = json.loads((folder / "times.json").read_text())
    return times


def main() -> None:
    """Print a table for each Blender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blender", choices=VERSIONS, action="append", help="by default all")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=128, help="of the pictures, in pixels: 64 or 128")
    args = parser.parse_args()
    for version in args.blender or VERSIONS:
        times = measure(version, args.seconds, args.size)
        print(f"Blender {version}, {times.pop('pictures')} pictures sent, load {os.getloadavg()[0]:.1f}: milliseconds")
        print(f"{'':<10}{'':<8}{'median':>9}{'99 %':>9}{'most':>9}{'count':>9}")
        for name, pairs in times.items():
            for kind, column in zip(("clock", "thread"), np.array(pairs).T * 1000, strict=True):
                numbers = (np.median(column), np.percentile(column, 99), column.max())
                print(f"{name:<10}{kind:<8}" + "".join(f"{number:9.2f}" for number in numbers) + f"{len(column):9}")


if __name__ == "__main__":
    main()
