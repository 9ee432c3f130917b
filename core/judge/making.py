"""Objects to judge, made as users make them: `python -m core generate` in a process of its own, timed and weighed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.config import Config
from core.errors import Cancelled, DreamFusionError, InputError
from core.export import load_npz
from core.files import write_atomic
from core.job import Job
from core.options import build_parser, generate_argv, make_config

COST_FILE = "cost.json"  # in the job's folder
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Cost:
    """What making an object took."""

    seconds: float
    peak_bytes: int  # of memory, the process and its children together, looked at every _POLL_SECONDS


def workspaces(prompts: Sequence[str], out: Path) -> list[Path]:
    """A folder for each prompt; where two would be the same, the later ones get a number."""
    names: list[str] = []
    for prompt in prompts:
        name = base = re.sub(r"[^a-z0-9]+", "_", prompt.lower()).strip("_")[:60] or "object"
        number = 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return [out / name for name in names]


def make(prompt: str, folder: Path, options: Mapping[str, Any]) -> tuple[Job, Cost | None]:
    """The finished job of a prompt in `folder`, made unless it is there, and what that took, where it is known.

    A job that was broken off is made anew, so that its time counts from the start. Raises InputError where the folder
    holds something else, Cancelled where the making was cancelled, DreamFusionError where it failed.
    """
    argv = generate_argv(prompt, str(folder), dict(options))
    config = make_config(build_parser().parse_args(argv))
    unfinished = _look(folder, config)
    if unfinished is not None:
        cost = _run([sys.executable, "-m", "core", *_overwriting(argv, unfinished)], prompt, folder)
        write_atomic(folder / COST_FILE, json.dumps(vars(cost)).encode())
    return Job.open(folder), read_cost(folder)


def _look(folder: Path, config: Config) -> bool | None:
    """None where the finished job is there, else whether an unfinished one of the same settings is in the way."""
    if not (folder / "job.json").exists():
        return False
    job = Job.open(folder)
    if job.config != config:
        raise InputError(f"{folder} holds {job.config.prompt!r} with other settings: choose another --out.")
    if job.state != "done":
        return True
    with contextlib.suppress(InputError):
        load_npz(job.mesh / "mesh.npz")
        return None
    return True


def _overwriting(argv: list[str], unfinished: bool) -> list[str]:
    return [argv[0], "--overwrite", *argv[1:]] if unfinished else argv


def read_cost(folder: Path) -> Cost | None:
    """What was noted when the object was made; None where somebody else made it."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Cost(**json.loads((folder / COST_FILE).read_bytes()))
    return None


def _run(command: list[str], prompt: str, folder: Path) -> Cost:
    """Run a generate command to its end; its progress is seen on this terminal."""
    start, peak = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_environment())
    try:
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_SECONDS)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    _check(process.returncode, prompt, folder)
    return Cost(time.monotonic() - start, peak)


def _check(code: int, prompt: str, folder: Path) -> None:
    """Raise what the exit code stands for, see core.errors; the process has said why on the terminal."""
    if code == Cancelled.exit_code:
        raise Cancelled("Cancelled: the same command goes on with the objects that are not made yet.")
    if code == InputError.exit_code:
        raise InputError(f"generate refused {prompt!r}: it says why above.")
    if code:
        reason = ""
        with contextlib.suppress(InputError):
            reason = str(Job.open(folder).record.get("error", ""))
        raise DreamFusionError(reason or f"generate ended with exit code {code}.")


def _environment() -> dict[str, str]:
    """This process' own, in which the same `core` is found from any folder."""
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def resident_bytes(pid: int) -> int:
    """Memory that a process and its descendants hold now; 0 once it is gone."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total
