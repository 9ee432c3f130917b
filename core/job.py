"""A job is a folder: paths, states, whole-file writes and a lock.

Everything that outlives the trainer's process lies in the job's folder, so a front end that dies reads it again::

    job.json      config, versions, seed, state, error, times, progress
    log.txt       what the trainer printed
    preview.png   the newest view
    validation/   df_epXXXX_000N_{rgb,depth}.png and contact sheets
    checkpoints/  the newest two
    mesh/         mesh.npz, mesh.glb, mesh.obj + mesh.mtl, albedo.png
    results/      the turntable video

A file is replaced whole or not at all; core.lock keeps a second trainer out.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import core
from core import config as settings
from core.config import Config
from core.errors import DreamFusionError, InputError
from core.lock import make_folder

STATES = ("queued", "running", "paused", "done", "failed", "cancelled")
_CONTENTS = ("job.json", "log.txt", "preview.png", "validation", "checkpoints", "mesh", "results")
_PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "scikit-image")
_DISK_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_REPLACE_TRIES = 20  # Windows refuses to replace a file while a reader has it open
_REPLACE_PAUSE = 0.05  # seconds


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

        Raises InputError where the folder holds another job (unless `overwrite`: the old job's files are deleted),
        holds files of that name that are no job's, or cannot be written.
        """
        path = make_folder(folder)
        if (path / "job.json").exists():
            if not overwrite:
                raise InputError(_refusal(path, config))
            _remove_contents(path)
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
    def error(self) -> str:
        """Why the job failed, or an empty string."""
        return str(self.record.get("error", ""))

    @property
    def resumable(self) -> bool:
        """Whether the job is unfinished and has a checkpoint to go on from."""
        return self.state != "done" and any(self.checkpoints.glob("*.json"))

    def set_state(self, state: str, error: str = "") -> None:
        """Record a new state, when it began, and why where it failed."""
        if state not in STATES:
            raise ValueError(f"unknown job state {state!r}")
        self.record["times"][state] = time.time()
        self.record.update(state=state, error=error)
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


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, or leave the old one whole.

    The data goes to a temporary name beside it, is flushed to the disk, and is then renamed. Raises
    DreamFusionError where the disk is full or refuses; the temporary file is removed.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        _write_flushed(temporary, data)
        _replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if error.errno in _DISK_FULL:
            text = f"No space left on the disk for {path}: free some and resume; what was saved before is whole."
            raise DreamFusionError(text) from error
        raise DreamFusionError(f"Cannot write {path}: {error.strerror or error}.") from error


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(source: Path, target: Path) -> None:
    for attempt in range(_REPLACE_TRIES):
        try:
            os.replace(source, target)
            break
        except PermissionError:
            if sys.platform != "win32" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(_REPLACE_PAUSE)
    if sys.platform != "win32":  # the new name itself must survive a power cut
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _refusal(path: Path, config: Config) -> str:
    """Why create() does not touch the job that is there, and what to do."""
    try:
        old = Job.open(path)
    except InputError as error:
        return str(error)
    if old.config.prompt != config.prompt:
        return f"{path} holds another prompt ({old.config.prompt!r}): choose another folder or add --overwrite."
    if old.config != config:
        return f"{path} holds {old.config.prompt!r} with other settings: choose another folder or add --overwrite."
    if old.state != "done":
        return f"{path} holds this job, unfinished: go on with resume, or start again with --overwrite."
    return f"{path} holds this job, done: choose another folder or make it again with --overwrite."


def _refuse_foreign_files(path: Path) -> None:
    taken = [name for name in _CONTENTS if (path / name).exists()]
    if taken:
        raise InputError(f"{path} holds {', '.join(taken)} but no job: choose another folder, so that nothing is lost.")


def _remove_contents(path: Path) -> None:
    """Delete an old job's own files, job.json last, and nothing else."""
    try:
        for name in reversed(_CONTENTS):
            part = path / name
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot delete the old job in {path} ({error.strerror}): choose another folder.") from error


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
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
