"""The folders of jobs: a name for a new one, and what job.json says of an old one. Writes nothing; no bpy.

Written by the trainer's core/job.py; anything unreadable counts as no job.
"""

from __future__ import annotations

import json
import re
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from .core_files import lockfile

_NAME_LENGTH = 24  # short, because Windows limits whole paths


@dataclass(frozen=True)
class Details:
    """What a job makes, from which settings, and how far it came.

    `state` is one of core.job.STATES, `version` that of the program that began the job.
    """

    prompt: str
    seed: int
    model: str
    state: str
    version: str = ""


def slug(prompt: str) -> str:
    """A file name for a prompt: "A red mug!" gives "a_red_mug"."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "_", plain).strip("_")[:_NAME_LENGTH].strip("_") or "object"


def new_workspace(jobs: Path, prompt: str) -> Path:
    """A folder in `jobs` that does not exist yet, such as a_red_mug_0314-153012. Makes nothing."""
    name = f"{slug(prompt)}_{time.strftime('%m%d-%H%M%S')}"
    path, number = jobs / name, 2
    while path.exists():
        path, number = jobs / f"{name}-{number}", number + 1
    return path


def read_details(workspace: Path) -> Details | None:
    """What the folder's job.json says, or None where there is no readable job."""
    try:
        record = json.loads((workspace / "job.json").read_bytes())
        config = record["config"]
        guidance = config["guidance"]
        model = guidance["hf_key"] or (guidance["model"] if guidance["model"] == "starter" else guidance["sd_version"])
        version = record.get("versions", {}).get("dreamfusion", "")
        return Details(str(config["prompt"]), int(config["seed"]), str(model), str(record["state"]), str(version))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def mesh_path(workspace: Path) -> Path:
    """Where a finished job's mesh lies."""
    return workspace / "mesh" / "mesh.npz"


def texture_path(workspace: Path) -> Path:
    """Where a finished job's texture lies."""
    return workspace / "mesh" / "albedo.png"


def normal_map_path(workspace: Path) -> Path:
    """Where a finished job's normal map lies, if it has one."""
    return workspace / "mesh" / "normal.png"


def picture_path(workspace: Path) -> Path:
    """Where a job's newest picture lies."""
    return workspace / "preview.png"


def view_paths(workspace: Path) -> tuple[Path, Path]:
    """Where depth and normals of that picture lie, since there is such a thing."""
    return workspace / "preview_depth.png", workspace / "preview_normal.png"


def sketch_path(workspace: Path) -> Path:
    """Where the newest coarse mesh of a job in training lies."""
    return workspace / "sketch.npz"


def is_interrupted(workspace: Path) -> bool:
    """Whether the job there is unfinished, has a checkpoint to go on from, and no trainer is at work on it."""
    details = read_details(workspace)
    if details is None or details.state == "done" or not any((workspace / "checkpoints").glob("*.json")):
        return False
    return not lockfile.is_locked(workspace)


def is_done(workspace: Path) -> bool:
    """Whether the job there brought a mesh."""
    details = read_details(workspace)
    return details is not None and details.state == "done" and mesh_path(workspace).is_file()
