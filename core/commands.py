"""What each command of the command line does. Whatever needs torch is imported where it is used."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

from core.console import Console, duration
from core.control import Control
from core.errors import InputError
from core.job import Job, write_atomic
from core.launch import Run, explained, open_job, perform
from core.options import make_config

_PICTURES = (".png", ".jpg", ".jpeg")


def make_object(args: argparse.Namespace, run: Run) -> None:
    """Generate or resume: run the job with a progress bar, and name the mesh."""
    control = Control()
    with open_job(args) as job, _stop_signals(control), Console() as console:
        done = perform(job, console.emit, control, run)
    _print(f"Done in {duration(done.seconds)}: {Path(done.mesh).parent}")


@contextlib.contextmanager
def _stop_signals(control: Control) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a lost terminal cancel the job at its next step.

    Before its first step, when nothing can be lost, and the second time, they stop it at once.
    Signals that the caller ignores (nohup) stay ignored.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        if control.cancelled or not control.checked:
            raise KeyboardInterrupt
        control.cancel("Cancelled.")
        with contextlib.suppress(OSError):  # the terminal may be gone; print() is not safe in here
            os.write(2, b"\nStopping at the next step; once more stops at once.\n")

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_picture(args: argparse.Namespace) -> None:
    """Image: one picture of the prompt from the diffusion model."""
    out = Path(args.out).expanduser().absolute()
    if out.suffix.lower() not in _PICTURES:
        raise InputError(f"--out {args.out} is no picture: let it end in {', '.join(_PICTURES)}.")
    _check_folder(out)
    config = make_config(args)

    import imageio.v3

    from core.device import memory_errors, pick_device
    from core.guidance.text_guidance import load_model

    device = pick_device(config.device)
    with memory_errors(config, device):
        model = load_model(config.guidance, device, _say)
        pictures = model.prompt_to_img(
            config.prompt, config.negative, args.H, args.W, args.steps, seed=config.seed, say=_say
        )
    write_atomic(out, imageio.v3.imwrite("<bytes>", pictures[0], extension=out.suffix.lower()))
    _print(str(out))


def export_mesh(args: argparse.Namespace) -> None:
    """Export: a finished job's mesh in another format."""
    job = Job.open(args.workspace)
    out = Path(args.out).expanduser().absolute()
    _check_folder(out)
    if out.suffix.lower() != f".{args.format}":
        raise InputError(f"--out {args.out} does not fit --format {args.format}: let it end in .{args.format}.")
    if not (job.mesh / "mesh.npz").exists():
        raise InputError(f"The job in {job.folder} has no mesh (it is {job.state}): make it with resume.")

    from core.export import export, load_npz

    with explained(job):
        export(load_npz(job.mesh / "mesh.npz"), args.format, out)
    _print(str(out))


def doctor(_args: argparse.Namespace) -> None:
    """Doctor: device, versions, memory and the models found, a line each."""
    from core.device import device_facts, pick_device
    from core.guidance.loading import models_found

    for name, fact in {**device_facts(pick_device()), **models_found()}.items():
        _print(f"{name:<22} {fact}")


def _check_folder(out: Path) -> None:
    if out.is_dir():
        raise InputError(f"--out {out} is a folder: name a file in it.")
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent}: make it, or choose another --out.")


def _print(text: str, file: TextIO | None = None) -> None:
    """print(), but a reader that is gone changes nothing about what was done."""
    with contextlib.suppress(OSError):
        print(text, file=file, flush=True)


def _say(text: str) -> None:
    _print(text, sys.stderr)
