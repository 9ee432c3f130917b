"""One job from prompt to files: load the model, train, extract the mesh, paint it, write it, film the turntable."""

from __future__ import annotations

import time
from collections.abc import Iterator

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
        if control.cancelled:  # a download says a line every few seconds
            control.check()

    keep_freed_memory()
    device = pick_device(config.device)
    with memory_errors(config, device):
        bar = _Bar(emit)
        bar.enter("loading")
        guidance = make_guidance(config, device, say)
        control.check()
        trainer = train(config, guidance, job, device, bar.training, control)
        del guidance
        bar.enter("mesh")
        mesh = extract_mesh(trainer.field, config.mesh, trainer.occupancy, say)
        control.check()
        bar.enter("texture")
        save_mesh(paint(trainer.field, mesh, config.mesh.texture_size, config.camera), job.mesh)
        control.check()
        _film(job, trainer, bar, control)
    return Done(str(job.folder), str(job.mesh / "mesh.npz"), str(job.mesh / "albedo.png"), time.monotonic() - start)


class _Bar:
    """Places each stage's progress in that of the whole job; the training's speed tells the time left after it too."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._whole = -1.0  # seconds that the whole bar would take at this speed; negative while unknown

    def show(self, stage: str, step: int, steps: int, fraction: float) -> None:
        left = self._whole * (1 - fraction) if self._whole >= 0 else -1.0
        self._emit(Progress(stage, step, steps, fraction, left))

    def enter(self, stage: str) -> None:
        self.show(stage, 0, 1, STAGES[stage])

    def end(self, stage: str, steps: int) -> None:
        self._emit(Progress(stage, steps, steps, 1.0, 0.0))

    def training(self, message: FromTrainer) -> None:
        """An emit for the training, whose own progress and time left are of the training alone."""
        if not isinstance(message, Progress):
            return self._emit(message)
        low, high = STAGES["training"], STAGES["mesh"]
        fraction = low + (high - low) * message.fraction
        if message.fraction < 1 and message.seconds_left >= 0:
            self._whole = message.seconds_left / (high - fraction)
        return self.show("training", message.step, message.steps, fraction)


def _film(job: Job, trainer: Trainer, bar: _Bar, control: Control) -> None:
    """Write the turntable video."""
    count = job.config.training.turntable_frames
    views = pictures.evaluation_views(job.config, count)

    def frames() -> Iterator[Pixels]:
        for number in range(count):
            control.check()
            share = STAGES["turntable"] + (1 - STAGES["turntable"]) * number / count
            bar.show("turntable", number, count, share)
            yield _frame(trainer, job.config, views[number : number + 1])

    pictures.write_turntable(job, frames())
    bar.end("turntable", count)


def _frame(trainer: Trainer, config: Config, view: Views) -> Pixels:
    samples = config.render.picture_samples
    return pictures.take_picture(trainer.field, trainer.occupancy, view, TURNTABLE_RESOLUTION, samples).rgb
