"""Where models come from: a folder in the diffusers layout, a single file, or the hub."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from core.config import DEFAULT_SD_VERSION
from core.errors import InputError
from core.guidance import hub, versions
from core.guidance.layout import check_files, family_at
from core.guidance.loading import Parts, load_parts, outline_parts
from core.guidance.single_file import load_file, outline_file
from core.model_files import SUFFIXES

STARTER_FOLDER = Path(__file__).parents[1] / "starter" / "weights"


def find_model(
    sd_version: str | None = None,
    hf_key: str | None = None,
    fp16: bool = False,
    say: Callable[[str], None] = warnings.warn,
) -> Path:
    """The local folder or file of a model, downloaded where needed: `say` hears so.

    `hf_key` is a folder, a file (one of SUFFIXES) or a hub name, and goes before `sd_version`, whose default is 2.1.
    Raises InputError where there is no such model, DreamFusionError where it cannot be downloaded.
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
        raise InputError(f"hf_key {hf_key!r} is no file of weights: its name must end in {', '.join(SUFFIXES)}.")
    if hf_key.count("/") != 1 or hf_key.startswith((".", "/", "~")):
        example = versions.HUB_NAMES[DEFAULT_SD_VERSION]
        raise InputError(f"hf_key {hf_key!r} is neither a folder, a file nor a hub name such as {example}.")
    return hub.download(hf_key, sd_version, fp16, say)


def load_model(path: Path, sd_version: str | None, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """Read what :func:`find_model` found, as core.guidance.loading and core.guidance.single_file do.

    Raises InputError where it is broken, cannot guide, or is not the version asked for; None asks for none.
    """
    if path.is_file():
        return load_file(path, sd_version, dtype, text_dtype)
    _check_version(path, sd_version)
    return load_parts(path, dtype, text_dtype)


def outline_model(path: Path, sd_version: str | None, dtype: torch.dtype) -> Parts:
    """The parts that :func:`load_model` reads, but without numbers: the weights lie on the meta device."""
    if path.is_file():
        return outline_file(path, sd_version, dtype, dtype)
    _check_version(path, sd_version)
    return outline_parts(path, dtype, dtype)


def _check_version(folder: Path, sd_version: str | None) -> None:
    family, _ = family_at(folder)
    versions.check_version(folder, family.label, family.versions, sd_version)


def models_found() -> dict[str, str]:
    """What `doctor` shows of each model this program knows by name: where it lies, or that it is missing."""
    found = {"starter": _state(STARTER_FOLDER)}
    try:
        names = versions.model_names()
    except InputError as error:
        return found | {"models.json": str(error)}
    for version, name in names.items():
        found[versions.label(version)] = _place(name)
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
