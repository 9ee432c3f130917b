"""The training loop: DreamFusion, from a soft ball to a learnt field.

One iteration: draw cameras, render them with random shading and background, ask the guidance for a loss, add
what a plausible object looks like, step. An epoch is EPOCH iterations and ends with validation pictures.
All randomness comes from one generator whose state is part of the checkpoint, so on a CPU a resumed run equals an
uninterrupted one bit for bit.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from core import pictures, regularize
from core.camera import Views, sample_views
from core.checkpoint import Checkpoint, load_newest, save
from core.config import EPOCH, Config, RenderConfig
from core.control import Control, Emit
from core.errors import DreamFusionError
from core.field import Field, make_field
from core.finite import step_if_finite
from core.guidance import Guidance
from core.job import Job
from core.occupancy import OccupancyGrid
from core.protocol import Log, Preview, Progress, Sketch
from core.render import Rendering, Shading, render
from core.sketch import write_sketch

SHOW_SECONDS = 3.0  # between two previews, and between two sketches, at least
SHOW_SHARE = 0.05  # of the time, that either may take
WARM_UP = 5  # steps before the time left is guessed: the first are slow
MAX_SKIPPED = 20  # non-finite steps in a row before giving up
LIGHT_SPREAD = 0.5  # standard deviation of the light's direction about the camera's
REGULARIZED = 512  # visible samples a step whose normals are looked at
SMOOTH_DISTANCE = 0.03  # world units between the normals that should agree


class Trainer:
    """A field in training: everything that a checkpoint holds, and one iteration."""

    def __init__(self, config: Config, guidance: Guidance, device: torch.device) -> None:
        """Start from the seed."""
        torch.manual_seed(config.seed)
        self.config, self.guidance, self.device = config, guidance, device
        self.field = make_field(config.field).to(device)
        self.occupancy = OccupancyGrid(config.render.occupancy_resolution).to(device)
        groups = self.field.parameter_groups(config.training.lr_encoding, config.training.lr_network)
        self.optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.step = 0
        self.skipped = 0  # non-finite steps in a row
        self.skipped_in_all = 0  # since the job began

    @property
    def progress(self) -> float:
        """Share of training that is done."""
        return self.step / self.config.iterations

    def iterate(self) -> None:
        """One iteration. Raises DreamFusionError, with the iteration done, after too many non-finite ones in a row."""
        self.optimizer.zero_grad(set_to_none=True)  # first, so that the guidance has their memory
        self.occupancy.update(self.field.density, self.step, self.generator)
        batch, ring = self.config.training.batch, self.guidance.ring
        views = sample_views(self.config.camera, batch, self.generator, ring).to(self.device)
        rendering = self._render(views)
        loss = self.guidance.loss(rendering.image(), views, self.progress, self.generator)
        loss = loss + self._regularize(rendering)
        loss.backward()  # type: ignore[no-untyped-call]
        self._descend(loss)
        self.step += 1
        if self.skipped >= MAX_SKIPPED:
            self.skipped = 0  # a resumed job may skip as many again
            raise DreamFusionError(
                f"{MAX_SKIPPED} steps in a row gave no finite number:"
                " generate again without --fp16 or with another --seed."
            )

    def _render(self, views: Views) -> Rendering:
        config, generator = self.config.render, self.generator
        shading, ambient = draw_shading(config, self.progress, generator)
        noise = torch.randn(len(views.radius), 3, generator=generator).to(self.device)
        return render(
            self.field,
            self.occupancy,
            views.cameras(config.resolution, config.resolution),
            samples=config.samples,
            background=torch.rand(len(views.radius), 3, generator=generator).to(self.device),
            shading=shading,
            light=F.normalize(views.directions() + LIGHT_SPREAD * noise, dim=-1),
            ambient=ambient,
            generator=generator,
        )

    def _regularize(self, rendering: Rendering) -> Tensor:
        """Opaque or empty; and, at a random part of the visible samples, facing us and smooth."""
        weights, surface = self.config.training, rendering.surface
        some = torch.randperm(len(surface.weights), generator=self.generator)[:REGULARIZED].to(self.device)
        positions, visible = surface.positions[some], surface.weights[some].detach()
        nearby = regularize.nearby_points(positions, SMOOTH_DISTANCE, self.generator)
        normals, around = self.field.normal(torch.cat([positions, nearby])).chunk(2)
        facing = regularize.orientation(visible, normals, surface.directions[some])
        ramp = min(1.0, 2 * self.progress)
        return (
            weights.opacity_weight * ramp * regularize.opacity_entropy(rendering.opacity)
            + weights.orientation_weight * facing
            + weights.smoothness_weight * regularize.normal_smoothness(normals, around)
        )

    def _descend(self, loss: Tensor) -> None:
        """Step, or skip where the loss or a gradient is not finite."""
        if step_if_finite(self.optimizer, loss):
            self.skipped = 0
        else:
            self.skipped += 1
            self.skipped_in_all += 1

    def checkpoint(self) -> Checkpoint:
        """Everything that :meth:`restore` needs."""
        state = {name: getattr(self, name).state_dict() for name in ("field", "occupancy", "optimizer")}
        state |= {
            "guidance": self.guidance.state_dict(),
            "generator": self.generator.get_state(),
            "skipped": self.skipped,
            "skipped_in_all": self.skipped_in_all,
        }
        return Checkpoint.from_state(self.step, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; on a CPU bit for bit."""
        state = checkpoint.state()
        for name in ("field", "occupancy", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.guidance.load_state_dict(state.get("guidance", {}))  # records of older versions have none
        self.generator.set_state(state["generator"])
        self.step, self.skipped = checkpoint.step, state["skipped"]
        self.skipped_in_all = state.get("skipped_in_all", 0)  # checkpoints of before have none


def trained_field(config: Config, checkpoint: Checkpoint) -> tuple[Field, OccupancyGrid]:
    """What a checkpoint has learnt so far, on the CPU: to be looked at, not trained on."""
    state = checkpoint.state()
    field, occupancy = make_field(config.field), OccupancyGrid(config.render.occupancy_resolution)
    field.load_state_dict(state["field"])
    occupancy.load_state_dict(state["occupancy"])
    return field, occupancy


def draw_shading(config: RenderConfig, progress: float, generator: torch.Generator) -> tuple[Shading, float]:
    """A shading and its ambient share: albedo at first, later a random one (DreamFusion, section 3.2)."""
    draw, ambient = torch.rand(2, generator=generator).tolist()
    if progress < config.albedo_until:
        return "albedo", 1.0
    ambient = 0.3 + 0.5 * ambient
    if draw < config.lambertian_probability:
        return "lambertian", ambient
    textureless = draw < config.lambertian_probability + config.textureless_probability
    return ("textureless" if textureless else "albedo"), ambient


def train(config: Config, guidance: Guidance, job: Job, device: torch.device, emit: Emit, control: Control) -> Trainer:
    """Train to the end, from the job's newest checkpoint if there is one.

    Returns the trained field with its occupancy. Raises Cancelled, or DreamFusionError after too many steps without a
    finite number; both leave a checkpoint of the last step behind.
    """
    trainer = Trainer(config, guidance, device)
    if (checkpoint := load_newest(job.checkpoints, lambda text: emit(Log(text)))) is not None:
        trainer.restore(checkpoint)
        emit(Log(f"Resuming at iteration {trainer.step}."))
    show, saved = _Show(job, trainer, emit, control), trainer.step
    try:
        while trainer.step < config.iterations:
            control.check()
            show.begin_step()
            trainer.iterate()
            show.end_step()
            if trainer.step % EPOCH == 0:
                pictures.validate(job, trainer.field, trainer.occupancy, trainer.step // EPOCH)
            if trainer.step % config.training.checkpoint_every == 0 or trainer.step == config.iterations:
                save(job.checkpoints, trainer.checkpoint())
                saved = trainer.step
    except DreamFusionError:  # raised between steps; anything else may leave a step half done
        if trainer.step > saved:
            save(job.checkpoints, trainer.checkpoint())
        raise
    if trainer.skipped_in_all:
        emit(Log(f"{trainer.skipped_in_all} of {trainer.step} steps gave no finite number and were skipped."))
    return trainer


class _Show:
    """Tells the front end how training goes: progress at every step, previews, and sketches if they are wanted.

    The time left is judged by the last EPOCH steps alone, each from begin_step() to end_step(): pauses do not count.
    """

    def __init__(self, job: Job, trainer: Trainer, emit: Emit, control: Control) -> None:
        self.job, self.trainer, self.emit, self.control = job, trainer, emit, control
        self.begin = time.monotonic()
        self.previews, self.sketches = _Rhythm(self.preview), _Rhythm(self.sketch)
        self.seconds: deque[float] = deque(maxlen=EPOCH)  # of the last steps

    def begin_step(self) -> None:
        self.begin = time.monotonic()

    def end_step(self) -> None:
        trainer, total = self.trainer, self.trainer.config.iterations
        if trainer.step == total:
            self.preview()
        else:
            self.previews.beat()
            if self.control.grow:
                self.sketches.beat()
        self.seconds.append(time.monotonic() - self.begin)
        known = len(self.seconds) >= WARM_UP
        left = sum(self.seconds) / len(self.seconds) * (total - trainer.step) if known else -1.0
        self.emit(Progress("training", trainer.step, total, trainer.progress, left))

    def preview(self) -> None:
        pictures.write_preview(self.job, self.trainer.field, self.trainer.occupancy)
        self.emit(Preview(str(self.job.preview)))

    def sketch(self) -> None:
        trainer = self.trainer
        if write_sketch(self.job.sketch, trainer.field, trainer.occupancy, trainer.config.camera):
            self.emit(Sketch(str(self.job.sketch)))


class _Rhythm:
    """Does something every SHOW_SECONDS, or less often where it would take more than SHOW_SHARE of the time."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._next = time.monotonic() + SHOW_SECONDS

    def beat(self) -> None:
        begin = time.monotonic()
        if begin >= self._next:
            self._action()
            end = time.monotonic()
            self._next = end + max(SHOW_SECONDS, (end - begin) * (1 / SHOW_SHARE - 1))
