"""How fast a training step with a full-size model is on this machine: ``python -m core bench guidance``.

The weights are random, so nothing is downloaded; sizes and arithmetic are those of the real models. A step is timed
twice: as it is, for iterations a second, and with a halt after each part, to see where the time goes.

    rate     what a product of two large matrices reaches in the same precision, in TFLOP/s
    share    of that rate, what a step reaches: its counted arithmetic by its time (without what vram_O does twice)
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from core import config as settings
from core.camera import Views
from core.config import Config
from core.device import GIB, device_facts, is_out_of_memory, keep_freed_memory, pick_device, pick_precision
from core.files import write_atomic
from core.guidance.conditioning import Conditioning
from core.guidance.full_size import random_parts, random_texts
from core.guidance.loading import Parts
from core.guidance.stable_diffusion import StableDiffusion
from core.guidance.text_guidance import quicken
from core.train import Trainer

META = torch.device("meta")
PARTS = ("render", "encode", "denoise", "loss", "backward")  # of a step; backward: with regularisers and optimizer
WARM_UP = 3  # steps that are not timed: kernels are chosen, networks compiled
MATRIX = {"cuda": 8192, "mps": 4096, "cpu": 1024}  # numbers along a side
_HEADINGS = ("model", "precision", "options", *(f"{part}, ms" for part in PARTS), "it/s", "peak, GiB", "rate", "share")


@dataclass(frozen=True)
class Speed:
    """What was measured of one model."""

    family: str
    precision: str
    options: str
    milliseconds: dict[str, float]  # of each of PARTS
    iterations_per_second: float
    peak_bytes: int  # of the device's memory; on a CPU of this process
    flop: int  # counted arithmetic of a step
    rate: float  # FLOP/s of a product of matrices

    @property
    def share(self) -> float:
        """Of the rate, 0 to 1."""
        return self.flop * self.iterations_per_second / self.rate

    def row(self) -> str:
        """A line of a Markdown table under :func:`heading`."""
        times = (f"{self.milliseconds[part]:.1f}" for part in PARTS)
        numbers = (f"{self.iterations_per_second:.2f}", f"{self.peak_bytes / GIB:.2f}", f"{self.rate / 1e12:.2f}")
        return _line([self.family, self.precision, self.options, *times, *numbers, f"{self.share:.0%}"])


class Laps:
    """Seconds by name since the lap before; waits until the device is done."""

    def __init__(self, device: torch.device) -> None:
        """The first lap begins at once."""
        self.device, self.seconds = device, defaultdict[str, float](float)
        self.last = time.perf_counter()

    def __call__(self, name: str) -> None:
        """A lap ends."""
        finish(self.device)
        now = time.perf_counter()
        self.seconds[name] += now - self.last
        self.last = now

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, as a lap of its own; what was before it belongs to the loss."""

        def timed(*args: Any, **options: Any) -> Any:
            self("loss")
            result = call(*args, **options)
            self(name)
            return result

        return timed


class RandomGuidance:
    """A Guidance with a full-size model and random texts."""

    def __init__(self, model: StableDiffusion, texts: Conditioning, scale: float) -> None:
        """`texts` are of one picture, or of one ring of them; the unconditional ones first."""
        self.model, self.texts, self.scale = model, texts, scale
        self.ring = model.family.ring
        self.on_rendered: Callable[[str], None] = lambda _name: None
        self.on_loss: Callable[[str], None] = lambda _name: None

    def loss(self, image: Tensor, views: Views, progress: float, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """The SDS loss."""
        self.on_rendered("render")
        loss = self.model.train_step(self.texts, image, self.scale, views=views, generator=generator)
        self.on_loss("loss")
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Nothing is learnt."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing was learnt."""


def bench_guidance(args: argparse.Namespace, say: Callable[[str], None]) -> str:
    """Measure the models that are asked for; `say` hears of those that do not fit. Returns a Markdown table.

    With ``--out`` the table goes to a file .md too, and the numbers to one .json beside it.
    Raises InputError where a model is not known.
    """
    keep_freed_memory()
    device = pick_device(args.device)
    dtype = pick_precision(args.fp16, args.bf16, device, say)
    speeds = []
    for name in args.family.split(","):
        random_parts(name, META, dtype)  # a mistake is found before hours of work
    for name in args.family.split(","):
        try:
            speeds.append(_bench_family(name, args, device, dtype, say))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            say(f"{name} does not fit into the memory: try it with --vram_O, --fp16 or --bf16.")
    facts = device_facts(device)
    title = f"{facts['device']}, {facts['processor']}, torch {torch.__version__}\n"
    table = "\n".join([title, heading(), *(speed.row() for speed in speeds)])
    if args.out is not None:
        _write(Path(args.out), table, facts, speeds)
    return table


def heading() -> str:
    """The first two lines of a Markdown table of speeds."""
    return f"{_line(_HEADINGS)}\n{_line(['---'] * len(_HEADINGS))}"


def matrix_rate(device: torch.device, dtype: torch.dtype, size: int, repeats: int = 10) -> float:
    """FLOP/s of a product of two square matrices: 2 size^3 operations each."""
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    for _ in range(3):
        a @ b
    finish(device)
    start = time.perf_counter()
    for _ in range(repeats):
        a @ b
    finish(device)
    return 2.0 * size**3 * repeats / (time.perf_counter() - start)


def count_flop(parts: Parts, picture_size: int) -> int:
    """Operations of matrix products and convolutions in a step, forwards and backwards; `parts` hold no numbers."""
    model = StableDiffusion.from_parts(parts, META)
    ring = parts.family.ring
    pictures = torch.zeros(ring, 3, picture_size, picture_size, device=META, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        loss = model.train_step(random_texts(parts, 2 * ring, META), pictures, generator=torch.Generator())
        loss.backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops())


def measure(guidance: RandomGuidance, config: Config, steps: int) -> tuple[float, dict[str, float], int]:
    """Seconds of a step; milliseconds of each of its PARTS; bytes of memory at the peak."""
    model = guidance.model
    device = model.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    trainer = Trainer(config, guidance, device)
    for _ in range(min(WARM_UP, steps)):
        trainer.iterate()
    finish(device)
    start = time.perf_counter()
    for _ in range(steps):
        trainer.iterate()
    finish(device)
    seconds = (time.perf_counter() - start) / steps
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else psutil.Process().memory_info().rss
    return seconds, _split(trainer, guidance, steps), int(peak)


def finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _split(trainer: Trainer, guidance: RandomGuidance, steps: int) -> dict[str, float]:
    """Milliseconds of each of PARTS in a step."""
    laps, model = Laps(trainer.device), guidance.model
    model.encode_imgs = laps.around("encode", model.encode_imgs)  # type: ignore[method-assign]
    model._predict = laps.around("denoise", model._predict)  # type: ignore[method-assign]
    guidance.on_rendered = guidance.on_loss = laps
    for _ in range(steps):
        trainer.iterate()
        laps("backward")
    return {part: 1000 * laps.seconds[part] / steps for part in PARTS}


def _bench_family(
    name: str, args: argparse.Namespace, device: torch.device, dtype: torch.dtype, say: Callable[[str], None]
) -> Speed:
    say(f"Measuring {name}.")
    config = settings.preset("standard", "speed", "sd")
    parts = random_parts(name, device, dtype)
    model = StableDiffusion.from_parts(parts, device, args.vram_O)
    quicken(model, args.compile, say)
    texts = random_texts(parts, 2 * parts.family.ring, device)
    guidance = RandomGuidance(model, texts, config.guidance.guidance_scale)
    seconds, split, peak = measure(guidance, config, args.steps)
    options = " ".join(f"--{option}" for option in ("compile", "vram_O") if getattr(args, option))
    flop = count_flop(random_parts(name, META, dtype), config.render.resolution)
    precision = model.unet.dtype
    rate = matrix_rate(device, precision, MATRIX[device.type])
    return Speed(name, str(precision).removeprefix("torch."), options, split, 1 / seconds, peak, flop, rate)


def _write(out: Path, table: str, facts: dict[str, str], speeds: list[Speed]) -> None:
    rows = [dataclasses.asdict(speed) | {"share": speed.share} for speed in speeds]
    data = {"device": facts, "torch": torch.__version__, "speeds": rows}
    write_atomic(out.with_suffix(".json"), (json.dumps(data, indent=2) + "\n").encode())
    write_atomic(out.with_suffix(".md"), (table + "\n").encode())


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
