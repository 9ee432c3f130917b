"""Models on this computer that can guide: in the cache of Hugging Face, and in a folder of the user's. No bpy.

A model is a folder in the layout of diffusers, or one file as A1111 and ComfyUI have them. Whether it is sound is the
trainer's to check (core/guidance); here one counts that has all its parts.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import json_file, texts
from .core_files import model_files, model_table

PARTS = {  # pipeline of diffusers -> its parts that have weights
    "StableDiffusionPipeline": ("text_encoder", "vae", "unet"),
    "StableDiffusionXLPipeline": ("text_encoder", "text_encoder_2", "vae", "unet"),
    "MVDreamPipeline": ("text_encoder", "vae", "unet"),
    "IFPipeline": ("text_encoder", "unet"),
    "StableDiffusion3Pipeline": ("text_encoder", "text_encoder_2", "text_encoder_3", "vae", "transformer"),
}
OPTIONAL = ("text_encoder_3",)  # parts that a model may be saved without
_VARIANTS = ("", ".fp16")
_LEAST_CKPT = 1_000_000_000  # bytes: what is smaller holds a part of a model


@dataclass(frozen=True)
class Model:
    """A model: the name to show, what --hf_key takes, and the bytes of its weights."""

    name: str
    hf_key: str
    size: int


def user_table() -> dict[str, str]:
    """What the user's models.json says that some versions of Stable Diffusion stand for; the trainer checks it."""
    table = json_file.read(model_table.table_file()) or {}
    return {version: name for version, name in table.items() if version in texts.DOWNLOADS and isinstance(name, str)}


def find_models(hub: Path, folder: Path | None) -> list[Model]:
    """Those in the cache `hub`, then those that are, or lie in, `folder`; each sorted by name."""
    found = _sorted(_cached(hub))
    if folder is not None:
        found += _sorted(_in_folder(folder))
    return found


def read_model(path: Path) -> Model | None:
    """The model in this folder or file, or None where it holds none that can guide."""
    return _read_folder(path, path.name, str(path)) if path.is_dir() else _read_file(path)


def _in_folder(folder: Path) -> Iterator[Model | None]:
    """The folder itself, the models in it, and files one level further down: people sort theirs."""
    itself = read_model(folder)
    yield itself
    for path in _entries(folder) if itself is None else []:
        model = read_model(path)
        yield model
        if model is None and path.is_dir():
            yield from (_read_file(inner) for inner in _entries(path))


def _read_folder(folder: Path, name: str, hf_key: str) -> Model | None:
    index = json_file.read(folder / "model_index.json") or {}
    parts = PARTS.get(str(index.get("_class_name")))
    if parts is None:
        return None
    left_out = [part for part in OPTIONAL if index.get(part) in (None, [None, None])]
    try:
        return Model(name, hf_key, sum(_weight_size(folder / part) for part in parts if part not in left_out))
    except OSError:
        return None


def _weight_size(part: Path) -> int:
    """Bytes of one part's weights, whole or in shards. Raises OSError where they are not there."""
    stem = "model" if part.name.startswith("text_encoder") else "diffusion_pytorch_model"
    for variant in _VARIANTS:
        shards = json_file.read(part / f"{stem}.safetensors.index{variant}.json")
        whole = part / f"{stem}{variant}.safetensors"
        if whole.is_file():
            return whole.stat().st_size
        if shards is not None and isinstance(shards.get("weight_map"), dict):
            return sum((part / name).stat().st_size for name in {*map(str, shards["weight_map"].values())})
    raise FileNotFoundError(part)


def _read_file(path: Path) -> Model | None:
    try:
        state = path.stat()
        usable = (
            path.is_file() and path.suffix in model_files.SUFFIXES and _is_whole(path, state.st_size, state.st_mtime_ns)
        )
    except (OSError, ValueError):
        return None
    return Model(path.stem, str(path), state.st_size) if usable else None


@functools.lru_cache(maxsize=256)
def _is_whole(path: Path, size: int, changed_ns: int) -> bool:  # noqa: ARG001 - a file that changed is read again
    """Whether a file holds a whole model and not, say, a LoRA. Raises OSError, ValueError where it is damaged."""
    if path.suffix != ".safetensors":
        of_old = path.suffix == ".ckpt" and size >= _LEAST_CKPT and not zipfile.is_zipfile(path)
        return of_old or model_files.kind_in(path) is not None  # of the rest of it only the trainer can tell
    header = model_files.read_header(path)
    unet = header.get(model_files.UNET_MARK)  # of 4 channels: more are not made from text
    whole = isinstance(unet, dict) and list(unet.get("shape", []))[1:2] == [4]
    return whole and model_files.kind_of(header) is not None


def _cached(hub: Path) -> Iterator[Model | None]:
    """The newest download of each model."""
    for entry in _entries(hub):
        kind, _, name = entry.name.partition("--")
        if kind == "models" and name.count("--") == 1:
            owner, _, short = name.partition("--")
            try:
                folder = model_files.cached_folder(hub, f"{owner}/{short}")
            except (OSError, ValueError):
                continue
            yield _read_folder(folder, short, f"{owner}/{short}")


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _sorted(models: Iterable[Model | None]) -> list[Model]:
    return sorted((model for model in models if model is not None), key=lambda model: model.name.lower())
