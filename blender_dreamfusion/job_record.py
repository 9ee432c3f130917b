"""What a job's folder tells of it: for the list of jobs after a restart, and what is needed to make it again. No bpy.

Beside the trainer's job.json (see core/job.py) lies request.json, written by the front end before the trainer starts:
what was asked for, under the command line's names. So a job that never came to its turn is not lost either.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import json_file, workspaces
from .core_files import lockfile

REQUEST = "request.json"


class State(enum.Enum):
    """Where a job stands."""

    WAITING = "waiting"  # for its turn
    STARTING = "starting"  # the process was started and has not connected yet
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # unfinished, and no trainer is at work on it
    ELSEWHERE = "elsewhere"  # another program's trainer is at work on it


class JobGone(Exception):
    """There is no readable job in a folder any more; the message says what to do."""


_ENDS = {"done": State.DONE, "failed": State.FAILED, "cancelled": State.CANCELLED}


@dataclass(frozen=True)
class Record:
    """What the folder tells.

    `state` is one of the ends, INTERRUPTED or ELSEWHERE; `fraction` of the work is done; `epochs` and `seconds` (what
    the job took) are 0 where nobody knows; `created` is a Unix time; `started` says whether there is a job.json;
    `request` is what :func:`read_request` gives; `stamp` that of :func:`stamp` when it was read.
    """

    prompt: str
    seed: int
    state: State
    created: float
    started: bool = False
    error: str = ""
    fraction: float = 0.0
    epochs: int = 0
    seconds: float = 0.0
    has_mesh: bool = False
    has_checkpoint: bool = False
    request: dict[str, Any] | None = None
    stamp: int = 0


def read(folder: Path) -> Record | None:
    """What the folder tells, or None where it holds no readable job."""
    request, when = read_request(folder), stamp(folder)
    try:
        job = json.loads((folder / "job.json").read_bytes())
        return _started(folder, job, request, when)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _not_started(folder, request) if request is not None else None


def stamp(folder: Path) -> int:
    """A number that is another one after a trainer has written to the job; 0 where none has."""
    try:
        return (folder / "job.json").stat().st_mtime_ns
    except OSError:
        return 0


def _started(folder: Path, job: dict[str, Any], request: dict[str, Any] | None, when: int) -> Record:
    state = _ENDS.get(job["state"], State.INTERRUPTED)
    if state is not State.DONE and lockfile.is_locked(folder):
        state = State.ELSEWHERE
    return Record(
        prompt=str(job["config"]["prompt"]),
        seed=int(job["config"]["seed"]),
        state=state,
        created=float(job["times"]["queued"]),
        started=True,
        error=str(job["error"]) if state is State.FAILED else "",
        fraction=float(job["progress"]["fraction"]),
        epochs=int(job["config"]["training"]["epochs"]),
        seconds=_duration(job),
        has_mesh=workspaces.mesh_path(folder).is_file(),
        has_checkpoint=any((folder / "checkpoints").glob("*.json")),
        request=request,
        stamp=when,
    )


def _duration(job: dict[str, Any]) -> float:
    """Seconds that it took, or 0 for a job that was not made in one go."""
    in_one_go = set(job["times"]) == {"queued", "running", "done", "updated"}
    return float(job.get("seconds", job["times"]["done"] - job["times"]["running"])) if in_one_go else 0.0


def _not_started(folder: Path, request: dict[str, Any]) -> Record | None:
    try:
        created = (folder / REQUEST).stat().st_mtime
        state = State.ELSEWHERE if lockfile.is_locked(folder) else State.INTERRUPTED
        return Record(str(request["prompt"]), int(request.get("seed", 0)), state, created, request=request)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_request(folder: Path) -> dict[str, Any] | None:
    """What the job was asked for: the prompt, and the options of a protocol.Generate. None where nobody knows."""
    return json_file.read(folder / REQUEST)


def write_request(folder: Path, prompt: str, options: dict[str, Any]) -> None:
    """Make the folder and note in it what is asked for. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    json_file.write(folder / REQUEST, {"prompt": prompt, **options})
