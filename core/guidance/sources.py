"""Where models come from: a folder in the diffusers layout, a single file, or the hub."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from core.config import DEFAULT_SD_VERSION
from core.errors import InputError
from core.guidance import hub, versions
from core.guidance.layout import check_files
from core.guidance.single_file import SUFFIXES

_LABELS = {"if": "DeepFloyd IF", "mvdream": "MVDream"}  # of versions that are not Stable Diffusion's
STARTER_FOLDER = Path(__file__).parents[1] / "starter" / "weights"


def find_model(
    sd_version: str | None = None,
    hf_key: str | None = None,
    fp16: bool = False,
    say: Callable[[str], None] = warnings.warn,
) -> Path:
    """The local folder or file of a model, downloaded where needed: `say` hears so.

    `hf_key` is a folder, a .safetensors or .ckpt file, or a hub name, and goes before `sd_version`, whose default is
    2.1. Raises InputError where there is no such model, DreamFusionError where it cannot be downloaded.
    """
    if hf_key is None:
        names, version = versions.model_names(), sd_version or DEFAULT_SD_VERSION
        if version not in names:
            raise InputError(f"Unknown sd_version {version!r}: choose one of {', '.join(names)}.")
        hf_key = names[version]
    path = Path(os.path.expanduser(hf_key))
    if path.is_dir() or (path.is_file() and path.suffix in SUFFIXES):
        return path
    if path.is_file():
        raise InputError(f"hf_key {hf_key!r} is no file of weights: its name must end in {' or '.join(SUFFIXES)}.")
    if hf_key.count("/") != 1 or hf_key.startswith((".", "/", "~")):
        example = versions.HUB_NAMES[DEFAULT_SD_VERSION]
        raise InputError(f"hf_key {hf_key!r} is neither a folder, a file nor a hub name such as {example}.")
    return hub.download(hf_key, fp16, say)


def models_found() -> dict[str, str]:
    """What `doctor` shows of each model this program knows by name: where it lies, or that it is missing."""
    found = {"starter": _state(STARTER_FOLDER)}
    try:
        names = versions.model_names()
    except InputError as error:
        return found | {"models.json": str(error)}
    for version, name in names.items():
        found[_LABELS.get(version, f"Stable Diffusion {version}")] = _place(name)
    there = "" if versions.table_file().is_file() else " (not there: the models are the usual ones)"
    return found | {"table of models": f"{versions.table_file()}{there}"}


def _place(name: str) -> str:
    path = Path(os.path.expanduser(name))
    if path.exists():
        return _state(path)
    folder = hub.cached_folder(name)
    return f"{name}: {_state(folder) if folder else 'not downloaded'}"


def _state(path: Path) -> str:
    try:
        if path.is_dir():
            check_files(path)
    except InputError as error:
        return str(error)
    return str(path)
