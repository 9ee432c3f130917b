"""Where the time of a job goes: ``python -m tests.benchmarks.bench_generate [--preset standard] [--steps 40]``.

Prints a Markdown table: seconds an iteration, split into rendering, guidance (its forward pass: encoding and the UNet),
regularisers, backward pass and optimizer; seconds for mesh and texture; peak memory. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections import defaultdict
from contextlib import contextmanager

import torch

from core import config as settings
from core.camera import sample_views
from core.config import PRESETS
from core.device import keep_freed_memory, pick_device
from core.guidance import make_guidance
from core.mesh import Mesh, extract_surface
from core.texture import bake_texture
from core.train import Trainer
from core.unwrap import unwrap


class Stopwatch:
    """Seconds by name."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, name: str):
        start = time.perf_counter()
        yield
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds[name] += time.perf_counter() - start


def timed_iteration(trainer: Trainer, watch: Stopwatch) -> None:
    """Trainer.iterate with a stopwatch around each part."""
    with watch("occupancy"):
        trainer.occupancy.update(trainer.field.density, trainer.step, trainer.generator)
    batch, ring = trainer.config.training.batch, trainer.guidance.ring
    views = sample_views(trainer.config.camera, batch, trainer.generator, ring).to(trainer.device)
    with watch("render"):
        rendering = trainer._render(views)
    with watch("guidance"):
        loss = trainer.guidance.loss(rendering.image(), views, trainer.progress, trainer.generator)
    with watch("regularisers"):
        loss = loss + trainer._regularize(rendering)
    with watch("backward"):
        trainer.optimizer.zero_grad(set_to_none=True)
        loss.backward()
    with watch("optimizer"):
        trainer._descend(loss)
    trainer.step += 1


def main() -> None:
    """Train `--steps` iterations twice, the first time unwatched, then extract and paint the mesh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompt", default="a hamburger")
    parser.add_argument("--preset", choices=PRESETS, default="standard")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    keep_freed_memory()
    config, device = settings.preset(arguments.preset, arguments.prompt), pick_device(arguments.device)
    trainer, watch = Trainer(config, make_guidance(config, device), device), Stopwatch(device)
    trainer.step = config.iterations // 4  # past the warm-up: all shadings, pruned space
    for _ in range(arguments.steps):
        trainer.iterate()
    for _ in range(arguments.steps):
        timed_iteration(trainer, watch)
    rows = [(f"{name} (a step)", seconds / arguments.steps) for name, seconds in watch.seconds.items()]
    rows.append(("whole step", sum(seconds for _, seconds in rows)))
    watch = Stopwatch(device)
    with watch("mesh"):
        vertices, faces = extract_surface(trainer.field, config.mesh, trainer.occupancy)
    with watch("unwrap"):
        mesh = Mesh(vertices, faces, unwrap(vertices, faces, config.mesh.texture_size, config.camera))
    with watch("texture"):
        bake_texture(trainer.field, mesh, config.mesh.texture_size, config.camera)
    rows += watch.seconds.items()
    print(f"\n{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, {device}, ", end="")
    print(f"preset {arguments.preset}, seed {config.seed}, {len(faces)} faces\n\n| part | seconds |\n|---|---:|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.3f} |")
    print(f"\nPeak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if device.type == "cuda":
        print(f"Peak memory of the device: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
