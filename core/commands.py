"""What each command of the command line does. Whatever needs torch is imported where it is used."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import platform
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from core.console import Console, duration
from core.control import Control
from core.errors import Cancelled, DreamFusionError, InputError
from core.files import write_atomic
from core.job import Job
from core.launch import Run, explained, open_job, perform
from core.lockfile import is_locked
from core.options import make_config
from core.packages import install_command, installed_versions
from core.protocol import Log, Progress

_PICTURES = (".png", ".jpg", ".jpeg")


def make_object(args: argparse.Namespace, run: Run) -> None:
    """Generate or resume: run the job with a progress bar, and name the mesh."""
    control = Control()
    with open_job(args) as job:
        try:
            with _stop_signals(control), Console() as console:
                done = perform(job, console.emit, control, run)
        except Cancelled as error:
            if not job.resumable:
                raise
            folder = shlex.quote(args.workspace)
            raise Cancelled(f"{error} Go on with: python -m core resume {folder}") from error
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
    """Image: pictures of the prompt from the diffusion model, each with a seed of its own."""
    out = Path(args.out).expanduser().absolute()
    if out.suffix.lower() not in _PICTURES:
        raise InputError(f"--out {args.out} is no picture: let it end in {', '.join(_PICTURES)}.")
    _check_folder(out)
    config = make_config(args)

    import imageio.v3

    from core.device import memory_errors, pick_device
    from core.guidance.text_guidance import load_for_prompt

    device = pick_device(config.device)
    with memory_errors(config, device, "a smaller --H and --W"), Console() as console:

        @functools.cache  # once for all pictures
        def say(text: str) -> None:
            console.emit(Log(text))

        model = load_for_prompt(config, device, say)
        show = _picture_progress(console, args.count * args.steps)
        for number in range(args.count):
            pictures = model.prompt_to_img(
                config.prompt,
                config.negative,
                args.H,
                args.W,
                args.steps,
                guidance_scale=config.guidance.picture_scale,
                seed=config.seed + number,
                say=say,
                on_step=functools.partial(show, number * args.steps),
            )
            path = out.with_stem(f"{out.stem}_{number + 1}") if number else out
            write_atomic(path, imageio.v3.imwrite("<bytes>", pictures[0], extension=out.suffix.lower()))
            _print(str(path))


def _picture_progress(console: Console, steps: int) -> Callable[[int, int], None]:
    """What shows the steps of all pictures with the time left: those done before this picture, those of this one."""
    start = time.monotonic()

    def show(before: int, done: int) -> None:
        done += before
        left = (time.monotonic() - start) * (steps - done) / done
        console.emit(Progress("picture", done, steps, done / steps, left))

    return show


def export_mesh(args: argparse.Namespace) -> None:
    """Export: a finished job's mesh in another format."""
    job = Job.open(args.workspace)
    out = Path(args.out).expanduser().absolute()
    _check_folder(out)
    if out.suffix.lower() != f".{args.format}":
        raise InputError(f"--out {args.out} does not fit --format {args.format}: let it end in .{args.format}.")
    if not (job.mesh / "mesh.npz").exists():
        at_work = is_locked(job.folder)
        advice = "wait until its trainer is done" if at_work else "go on with resume, or generate it again"
        raise InputError(f"The job in {job.folder} has no mesh yet ({job.state}): {advice}.")

    from core.export import export, load_npz

    with explained(job):
        export(load_npz(job.mesh / "mesh.npz"), args.format, out)
    _print(str(out))


def evaluate_results(args: argparse.Namespace) -> None:
    """Evaluate: make objects of the catalogue, measure them, and name the report."""
    try:
        from core.evaluate import evaluate
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("core.judge"):
            raise
        raise InputError("The add-on's zip holds no judge: run evaluate from the program's source.") from error

    with _stop_signals(Control()), Console() as console:
        report = evaluate(args, console.emit)
    _print(str(report))


def bench(args: argparse.Namespace) -> None:
    """Bench: print a table of the speed of full-size models."""
    if args.out is not None:
        _check_folder(Path(args.out).expanduser().absolute())

    from core.bench import bench_guidance

    with Console() as console:
        table = bench_guidance(args, lambda text: console.emit(Log(text)))
    _print(table)


def doctor(_args: argparse.Namespace) -> None:
    """Doctor: versions, device, memory and the models found, a line each; then the first thing that is wrong."""
    packages = installed_versions()
    _table({"python": platform.python_version(), "system": platform.platform(terse=True)})
    _table({package: version or "missing" for package, version in packages.items()})
    if None in packages.values():
        raise DreamFusionError(f"Packages are missing: install them with {install_command()}")

    from core.device import check_device, device_facts, pick_device
    from core.guidance.layout import check_files
    from core.guidance.sources import STARTER_FOLDER, models_found

    device = pick_device()
    _table(device_facts(device) | models_found())
    check_device(device)
    try:
        check_files(STARTER_FOLDER)
    except InputError as error:
        raise DreamFusionError(f"The starter model is not whole: install the program again. {error}") from error


def _table(facts: Mapping[str, str]) -> None:
    for name, fact in facts.items():
        _print(f"{name:<22} {fact}")


def _check_folder(out: Path) -> None:
    if out.is_dir():
        raise InputError(f"--out {out} is a folder: name a file in it.")
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent}: make it, or choose another --out.")


def _print(text: str) -> None:
    """print(), but a reader that is gone changes nothing about what was done."""
    with contextlib.suppress(OSError):
        print(text, flush=True)
