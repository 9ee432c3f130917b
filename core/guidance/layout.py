"""What lies in the folder of a diffusers model, and whether all of it does.

A model is a folder with model_index.json, which names its pipeline, and a folder for each part of that family. Weights
are safetensors files, whole or in shards with an index, plain or in half precision (".fp16" in their names).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors

from core.errors import InputError
from core.guidance.families import Family, family_of, pipelines

_SPIECE_READERS = ("sentencepiece", "google.protobuf")  # what transformers reads a spiece.model with
_VOCABULARIES = (("vocab.json", "merges.txt"), ("tokenizer.json",), ("spiece.model",))  # any of these will do


def family_at(folder: Path) -> tuple[Family, dict[str, Any]]:
    """The family of the model in a folder and its pipeline's settings. Raises InputError where it cannot guide."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise InputError(f"{folder} holds no diffusers model: model_index.json is missing.")
    settings = read_json(index)
    kind = settings.get("_class_name")
    family = family_of(str(kind))
    if family is None:
        raise InputError(f"{folder} holds a {kind}, but only these can guide: {', '.join(pipelines())}.")
    return family, settings


def check_files(folder: Path) -> None:
    """Raise InputError where a file of the model is missing or broken, or it is another kind of model."""
    family, settings = family_at(folder)
    for part in (*family.parts, "scheduler"):
        if has_part(family, settings, part):
            _check_part(folder, part)


def has_part(family: Family, settings: Mapping[str, Any], part: str) -> bool:
    """False for an optional part that the model was saved without."""
    return part not in family.optional or (settings.get(part) or [None])[-1] is not None


def is_weighted(part: str) -> bool:
    """Whether a part has weights: all but tokenizers and scheduler."""
    return not part.startswith(("tokenizer", "scheduler"))


def settings_file(part: str) -> str:
    """The name of the file with a part's settings."""
    if part.startswith("tokenizer"):
        return "tokenizer_config.json"
    return "scheduler_config.json" if part == "scheduler" else "config.json"


def weights_stem(part: str) -> str:
    """How the names of a part's weight files begin: transformers' way or diffusers'."""
    return "model" if part.startswith("text_encoder") else "diffusion_pytorch_model"


def variants(fp16: bool) -> tuple[str, str]:
    """Marks in the names of weight files, the wanted one first."""
    return (".fp16", "") if fp16 else ("", ".fp16")


def variant_at(folder: Path, part: str, fp16: bool) -> str:
    """The mark of the weight files that are there, the wanted one if both are. Raises InputError where none is."""
    stem = weights_stem(part)
    for variant in variants(fp16):
        if any((folder / part / name).is_file() for name in _entries(stem, variant)):
            return variant
    raise InputError(f"The model in {folder} is incomplete: {part}/{stem}.safetensors is missing.")


def weight_files(folder: Path, part: str, variant: str) -> list[Path]:
    """The weight files of a part that must be there: one, or the shards that its index names."""
    whole, index = (folder / part / name for name in _entries(weights_stem(part), variant))
    if whole.is_file():
        return [whole]
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError(f"{index} is broken (it names no files): fetch the model again.")
    return [folder / part / str(name) for name in sorted(set(shards.values()))]


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InputError where there is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is broken ({first_line(error)}): fetch the model again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} is broken (no JSON object): fetch the model again.")
    return data


def first_line(error: BaseException) -> str:
    """What an error says, fit to be quoted."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _entries(stem: str, variant: str) -> tuple[str, str]:
    """The names of a whole file of weights and of the index of shards."""
    return f"{stem}{variant}.safetensors", f"{stem}.safetensors.index{variant}.json"


def _check_part(folder: Path, part: str) -> None:
    """Find missing and truncated files before the libraries do: some of them would go on with random weights."""
    config = folder / part / settings_file(part)
    if not config.is_file():
        raise InputError(f"The model in {folder} is incomplete: {part}/{config.name} is missing.")
    read_json(config)
    if part.startswith("tokenizer"):
        _check_vocabulary(folder, part)
    if is_weighted(part):
        for path in weight_files(folder, part, variant_at(folder, part, fp16=False)):
            _check_weights(folder, path)


def _check_vocabulary(folder: Path, part: str) -> None:
    def missing(names: tuple[str, ...]) -> list[str]:
        return [name for name in names if not (folder / part / name).is_file()]

    if all(missing(names) for names in _VOCABULARIES):
        raise InputError(f"The model in {folder} is incomplete: {part}/{missing(_VOCABULARIES[0])[0]} is missing.")
    if all(missing(names) for names in _VOCABULARIES[:-1]) and not all(map(_is_installed, _SPIECE_READERS)):
        command = f"{sys.executable} -m pip install sentencepiece protobuf"
        raise InputError(
            f"{folder / part / 'spiece.model'} needs two more Python packages: install them with {command}"
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def _check_weights(folder: Path, path: Path) -> None:
    if not path.is_file():
        raise InputError(f"The model in {folder} is incomplete: {path.relative_to(folder).as_posix()} is missing.")
    try:
        with safetensors.safe_open(path, framework="pt"):
            pass
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"{path} is broken ({first_line(error)}): fetch the model again.") from error
