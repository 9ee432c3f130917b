"""Runs one job with its states, errors and log: what the command line and the worker share."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
import traceback
from collections.abc import Callable, Iterator

from core import replaced
from core.config import override
from core.control import Control, Emit
from core.errors import Cancelled, DreamFusionError, InputError
from core.files import folder_is_gone, is_disk_full
from core.job import Job
from core.lock import exclusive
from core.model_files import is_multiview
from core.options import make_config
from core.packages import install_command
from core.protocol import Done, FromTrainer, Log, Progress

Run = Callable[[Job, Emit, Control], Done]
_LONGEST = 500  # characters of a foreign error message
_RECORD_SECONDS = 2.0  # how often progress goes to job.json


def share_processor() -> None:
    """Let threads that wait for each other sleep soon. Before torch is loaded; a setting of the user's stays.

    GNU OpenMP lets them spin for long: beside two busy programs on two cores that made training ten times slower.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def generate(job: Job, emit: Emit, control: Control) -> Done:
    """The job's real body, imported late: it brings torch along."""
    from core.generate import generate as run

    return run(job, emit, control)


@contextlib.contextmanager
def open_job(args: argparse.Namespace) -> Iterator[Job]:
    """The job that a generate or resume command means, locked for this process.

    Mistakes are found before anything is written; a job that is overwritten is back in its place unless the new one
    has started. Raises InputError.
    """
    if args.command == "generate":
        config = make_config(args)
        with _alone(args.workspace):
            yield Job.create(args.workspace, config, args.overwrite)
        return
    Job.open(args.workspace)
    with _alone(args.workspace):
        job = Job.open(args.workspace)
        _lengthen(job, args.epochs or job.config.training.epochs)
        if args.device is not None:
            job.config = override(job.config, device=args.device)
        _name_multiview(job)
        yield job


def _name_multiview(job: Job) -> None:
    """Jobs of before this had to be named did not say that their model is MVDream."""
    guidance = job.config.guidance
    if guidance.hf_key and guidance.sd_version is None and is_multiview(guidance.hf_key):
        job.config = override(job.config, guidance={"sd_version": "mvdream"})


@contextlib.contextmanager
def _alone(workspace: str) -> Iterator[None]:
    with exclusive(workspace) as folder:
        replaced.put_back(folder)  # after a trainer that was killed while its job loaded
        try:
            yield
        finally:
            replaced.put_back(folder)


def _lengthen(job: Job, epochs: int) -> None:
    """Let the job train for so many epochs in all. Raises InputError where there is nothing left to do."""
    planned = job.config.training.epochs
    if epochs < planned:
        raise InputError(f"The job in {job.folder} has {planned} epochs: give more with --epochs, or leave it out.")
    if epochs == planned:
        if job.state == "done" and _has_whole_mesh(job):
            raise InputError(
                f"The job in {job.folder} is done: its mesh lies in {job.mesh}."
                f" Train it longer with --epochs, more than its {planned}."
            )
    elif job.state == "done" and not job.has_checkpoint:
        raise InputError(f"The job in {job.folder} has no checkpoint to go on from: generate it again.")
    else:
        job.set_epochs(epochs)


def _has_whole_mesh(job: Job) -> bool:
    from core.export import load_npz  # brings numpy along

    try:
        load_npz(job.mesh / "mesh.npz")
    except InputError:
        return False
    return True


def perform(job: Job, emit: Emit, control: Control, run: Run) -> Done:
    """Run the job to its end and keep its state.

    Whatever ends it early leaves the state "failed" or "cancelled" with the reason, and is raised as a
    DreamFusionError whose message is for the user; what is unexpected goes to the log with its traceback.
    """
    start, fresh = time.monotonic(), not job.has_checkpoint  # the clock on the wall may be set meanwhile
    job.set_state("running")
    control.on_start = job.start
    control.on_pause = lambda paused: job.set_state("paused" if paused else "running")
    try:
        done = run(job, _recorder(job, emit), control)
    except (Exception, KeyboardInterrupt) as error:
        reason = explain(error, job)
        if isinstance(reason, Cancelled) and job.resumable:
            reason = Cancelled(f"{reason} The checkpoint is kept.")
        with contextlib.suppress(DreamFusionError):  # a full disk may be the very reason
            job.set_state("cancelled" if isinstance(reason, Cancelled) else "failed", str(reason))
        raise reason from error
    job.start()
    job.set_done(time.monotonic() - start if fresh else 0.0)
    return done


@contextlib.contextmanager
def explained(job: Job) -> Iterator[None]:
    """Turn any error in the block into what :func:`explain` says of it."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        raise explain(error, job) from error


def explain(error: BaseException, job: Job | None = None) -> DreamFusionError:
    """What to tell the user about any error: one line; the traceback of an unexpected one goes to the job's log."""
    if isinstance(error, DreamFusionError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Cancelled("Cancelled.")
    if is_disk_full(error):
        where = f" for {error.filename}" if isinstance(error, OSError) and error.filename else ""
        advice = "free some" if job is None else "free some and resume; what was saved before is whole"
        return DreamFusionError(f"No space left on the disk{where}: {advice}.")
    if job is not None and not job.folder.is_dir():
        return DreamFusionError(folder_is_gone(job.folder))
    where = ""
    if job is not None:
        job.append_log("".join(traceback.format_exception(error)))
        where = f" The details are in {job.log}."
    if isinstance(error, ModuleNotFoundError):
        return DreamFusionError(f"The Python package {error.name} is missing: install it with {install_command()}")
    first_line = (str(error).strip().splitlines() or ["no message"])[0][:_LONGEST]
    return DreamFusionError(f"Unexpected {type(error).__name__}: {first_line}.{where}")


def _recorder(job: Job, emit: Emit) -> Emit:
    """An emit that also keeps log lines in log.txt and, every two seconds or at a new stage, progress in job.json."""
    last_time, last_stage = float("-inf"), ""

    def record(message: FromTrainer) -> None:
        nonlocal last_time, last_stage
        if isinstance(message, Progress):
            now = time.monotonic()
            if message.stage != last_stage or now - last_time >= _RECORD_SECONDS:
                last_time, last_stage = now, message.stage
                job.set_progress(message.stage, message.step, message.steps, message.fraction)
        elif isinstance(message, Log):
            job.append_log(message.text)
        emit(message)

    return record
