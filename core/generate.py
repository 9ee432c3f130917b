"""One job from prompt to files: load the model, train, extract the mesh, paint it, write it, film the turntable."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

from core import pictures
from core.camera import Views
from core.config import Config
from core.control import Control, Emit
from core.device import keep_freed_memory, memory_errors, pick_device
from core.export import save_mesh
from core.guidance import make_guidance
from core.job import Job
from core.mesh import extract_mesh
from core.pixels import Pixels
from core.protocol import Done, FromTrainer, Log, Progress
from core.texture import paint
from core.train import Trainer, train

# How the whole job's progress bar is shared out: where each stage begins.
STAGES = {"loading": 0.0, "training": 0.03, "mesh": 0.88, "texture": 0.93, "turntable": 0.96}
TURNTABLE_RESOLUTION = 128  # pixels along a side


def generate(job: Job, emit: Emit, control: Control) -> Done:
    """Run the job in its folder and return where the mesh lies.

    A job with a checkpoint goes on from there. Raises DreamFusionError; Cancelled leaves a checkpoint behind.
    """
    start, config = time.monotonic(), job.config

    def say(text: str) -> None:
        emit(Log(text))

    keep_freed_memory()
    device = pick_device(config.device)
    with memory_errors(config, device):
        _enter("loading", emit)
        guidance = make_guidance(config, device, say)
        control.check()
        trainer = train(config, guidance, job, device, _in_training(emit), control)
        del guidance
        _enter("mesh", emit)
        mesh = extract_mesh(trainer.field, config.mesh, trainer.occupancy, say)
        control.check()
        _enter("texture", emit)
        save_mesh(paint(trainer.field, mesh, config.mesh.texture_size), job.mesh)
        control.check()
        _film(job, trainer, emit, control)
    return Done(str(job.folder), str(job.mesh / "mesh.npz"), str(job.mesh / "albedo.png"), time.monotonic() - start)


def _enter(stage: str, emit: Emit) -> None:
    emit(Progress(stage, 0, 1, STAGES[stage], -1.0))


def _in_training(emit: Emit) -> Callable[[FromTrainer], None]:
    """An emit that places the training's progress in that of the whole job, and its time left likewise."""
    low, high = STAGES["training"], STAGES["mesh"]

    def scaled(message: FromTrainer) -> None:
        if isinstance(message, Progress):
            fraction = low + (high - low) * message.fraction
            left = message.seconds_left * (1 - fraction) / (high - fraction) if message.fraction < 1 else -1.0
            message = dataclasses.replace(message, fraction=fraction, seconds_left=left)
        emit(message)

    return scaled


def _film(job: Job, trainer: Trainer, emit: Emit, control: Control) -> None:
    """Write the turntable video."""
    count = job.config.training.turntable_frames
    views = pictures.evaluation_views(job.config, count)

    def frames() -> Iterator[Pixels]:
        for number in range(count):
            control.check()
            share = STAGES["turntable"] + (1 - STAGES["turntable"]) * number / count
            emit(Progress("turntable", number, count, share, -1.0))
            yield _frame(trainer, job.config, views[number : number + 1])

    pictures.write_turntable(job, frames())
    emit(Progress("turntable", count, count, 1.0, 0.0))


def _frame(trainer: Trainer, config: Config, view: Views) -> Pixels:
    samples = config.render.picture_samples
    return pictures.take_picture(trainer.field, trainer.occupancy, view, TURNTABLE_RESOLUTION, samples).rgb
