"""A job is a folder: paths and states.

Everything that outlives the trainer's process lies in the job's folder, so a front end that dies reads it again::

    job.json      config, versions, seed, state, error, times, progress
    job.lock      held while a trainer is at work, see core.lock
    log.txt       what the trainer printed, from the first job in this folder on
    trainer.log   what it printed before it opened the job, where a front end started it
    preview.png   the newest view; preview_depth.png and preview_normal.png the same
    sketch.npz    the newest coarse mesh, where a front end asked for it
    validation/   df_epXXXX_000N_{rgb,depth}.png and contact sheets
    checkpoints/  the newest two
    mesh/         mesh.npz, mesh.glb, mesh.obj + mesh.mtl, albedo.png, normal.png
    results/      the turntable video

A file is replaced whole or not at all; a job that is overwritten goes only once the new one has started.
"""

from __future__ import annotations

import contextlib
import json
import platform
import time
from pathlib import Path
from typing import Any

import core
from core import config as settings
from core import replaced
from core.config import Config
from core.errors import InputError
from core.files import write_atomic
from core.lock import make_folder
from core.packages import installed_versions

STATES = ("queued", "running", "paused", "done", "failed", "cancelled")
_VIEW = ("preview.png", "preview_depth.png", "preview_normal.png")
_FOLDERS = ("validation", "checkpoints", "mesh", "results")
_CONTENTS = (*_VIEW, "sketch.npz", *_FOLDERS, "job.json")  # and log.txt, which goes on


class Job:
    """The folder of one job and what its job.json says.

    Made by :meth:`create` or :meth:`open`. Attributes: `folder` (absolute), `config`, `record` (job.json's content).
    """

    def __init__(self, folder: Path, config: Config, record: dict[str, Any]) -> None:
        """Take what create() or open() found; writes nothing."""
        self.folder = folder
        self.config = config
        self.record = record

    @classmethod
    def create(cls, folder: str | Path, config: Config, overwrite: bool = False) -> Job:
        """Make the folder and a queued job in it.

        Raises InputError where the folder holds another job (unless `overwrite`: the old job's files are set aside, see
        core.replaced, or it came to nothing), holds files of that name that are no job's, or cannot be written.
        """
        path = make_folder(folder)
        if (path / "job.json").exists():
            _make_room(path, config, overwrite)
        else:
            _refuse_foreign_files(path)
        job = cls(path, config, _new_record(config))
        job._save()
        for part in (job.validation, job.checkpoints, job.mesh, job.results):
            part.mkdir(exist_ok=True)
        return job

    @classmethod
    def open(cls, folder: str | Path) -> Job:
        """Read the job in `folder`. Raises InputError where there is none or job.json is damaged."""
        path = Path(folder).expanduser().absolute()
        try:
            record = json.loads((path / "job.json").read_bytes())
            config = settings.from_json(record["config"])
            if record["state"] not in STATES:
                raise ValueError(f"unknown state {record['state']!r}")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"There is no job in {path}: give the folder that generate wrote to.") from error
        except OSError as error:
            raise InputError(f"Cannot read {path / 'job.json'}: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path / 'job.json'} is damaged ({error}): generate again with --overwrite.") from error
        return cls(path, config, record)

    @property
    def state_file(self) -> Path:
        """Config, state and progress as JSON."""
        return self.folder / "job.json"

    @property
    def log(self) -> Path:
        """What the trainer printed."""
        return self.folder / "log.txt"

    @property
    def preview(self) -> Path:
        """The newest view, replaced whole."""
        return self.folder / "preview.png"

    @property
    def preview_depth(self) -> Path:
        """Its depth."""
        return self.folder / "preview_depth.png"

    @property
    def preview_normal(self) -> Path:
        """Its normals."""
        return self.folder / "preview_normal.png"

    @property
    def sketch(self) -> Path:
        """The newest coarse mesh, replaced whole."""
        return self.folder / "sketch.npz"

    @property
    def validation(self) -> Path:
        """Folder of the validation pictures."""
        return self.folder / "validation"

    @property
    def checkpoints(self) -> Path:
        """Folder of the newest two checkpoints."""
        return self.folder / "checkpoints"

    @property
    def mesh(self) -> Path:
        """Folder of the mesh in every format."""
        return self.folder / "mesh"

    @property
    def results(self) -> Path:
        """Folder of the turntable video."""
        return self.folder / "results"

    @property
    def state(self) -> str:
        """One of STATES. "running" is also what a killed trainer leaves behind: see core.lock."""
        return str(self.record["state"])

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return any(self.checkpoints.glob("*.json"))

    @property
    def resumable(self) -> bool:
        """Whether the job is unfinished and has a checkpoint to go on from."""
        return self.state != "done" and self.has_checkpoint

    def start(self) -> None:
        """The job is past what may be a mistake of the user: delete the job that it replaces."""
        replaced.drop(self.folder)

    def set_state(self, state: str, error: str = "") -> None:
        """Record a new state, when it began by the clock on the wall, and why where it failed."""
        if state not in STATES:
            raise ValueError(f"unknown job state {state!r}")
        self.record["times"][state] = time.time()
        self.record.update(state=state, error=error)
        self._save()

    def set_done(self, seconds: float) -> None:
        """Record that it is done, and how many seconds it took, pauses included; 0 if it was not made in one go."""
        self.record["seconds"] = seconds
        self.set_state("done")

    def set_epochs(self, epochs: int) -> None:
        """Let the job train for so many epochs in all, from now on."""
        self.config = settings.override(self.config, training={"epochs": epochs})
        self.record["config"] = settings.to_json(self.config)
        self._save()

    def set_progress(self, stage: str, step: int, steps: int, fraction: float) -> None:
        """Record how far the job is: `step` of `steps` in `stage`, `fraction` (0 to 1) of the whole job."""
        self.record["progress"] = {"stage": stage, "step": step, "steps": steps, "fraction": fraction}
        self._save()

    def append_log(self, text: str) -> None:
        """Add text to log.txt, ended by a newline; a log that cannot be written never stops a job."""
        with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text if text.endswith("\n") else text + "\n")

    def _save(self) -> None:
        self.record["times"]["updated"] = time.time()
        write_atomic(self.state_file, json.dumps(self.record, indent=2).encode())


def _make_room(path: Path, config: Config, overwrite: bool) -> None:
    """Take the old job out of the way. Raises InputError where it must stay or cannot be moved."""
    try:
        if _came_to_nothing(path):
            for name in _CONTENTS:
                replaced.remove(path / name)
        elif overwrite:
            replaced.set_aside(path, _CONTENTS)
        else:
            raise InputError(_refusal(Job.open(path), config))
    except OSError as error:
        raise InputError(f"Cannot delete the old job in {path} ({error.strerror}): choose another folder.") from error


def _came_to_nothing(path: Path) -> bool:
    """Whether the job there ended before its first checkpoint and without a mesh: there is nothing to lose."""
    try:
        old = Job.open(path)
    except InputError:
        return False
    return not any(name.exists() and any(name.iterdir()) for name in (old.checkpoints, old.mesh))


def _refusal(old: Job, config: Config) -> str:
    """Why create() does not touch the job that is there, and what to do."""
    path = old.folder
    if old.config.prompt != config.prompt:
        return f"{path} holds another prompt ({old.config.prompt!r}): choose another folder or add --overwrite."
    if old.config != config:
        return f"{path} holds {old.config.prompt!r} with other settings: choose another folder or add --overwrite."
    if old.state != "done":
        return f"{path} holds this job, unfinished: go on with resume, or start again with --overwrite."
    return f"{path} holds this job, done: choose another folder or make it again with --overwrite."


def _refuse_foreign_files(path: Path) -> None:
    taken = [name for name in (*_CONTENTS, "log.txt") if (path / name).exists()]
    if taken:
        raise InputError(f"{path} holds {', '.join(taken)} but no job: choose another folder, so that nothing is lost.")


def _new_record(config: Config) -> dict[str, Any]:
    return {
        "config": settings.to_json(config),
        "versions": _versions(),
        "seed": config.seed,
        "state": "queued",
        "error": "",
        "times": {"queued": time.time()},
        "progress": {"stage": "", "step": 0, "steps": 0, "fraction": 0.0},
    }


def _versions() -> dict[str, str]:
    versions = {"dreamfusion": core.__version__, "python": platform.python_version()}
    return versions | {package: version for package, version in installed_versions().items() if version}
