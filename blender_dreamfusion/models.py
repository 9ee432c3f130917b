"""Models on this computer that can guide: in the cache of Hugging Face, and in a folder of the user's. No bpy.

Whether a model is whole is the trainer's to check (core/guidance/loading.py); here one counts that has all its parts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PIPELINE = "StableDiffusionPipeline"
_WEIGHTS = {"text_encoder": "model", "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
_VARIANTS = ("", ".fp16")


@dataclass(frozen=True)
class Model:
    """A model: the name to show, what --hf_key takes, and the bytes of its weights."""

    name: str
    hf_key: str
    size: int


def hub_cache(environment: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps its downloads."""
    cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    home = environment.get("HF_HOME") or os.path.join(cache, "huggingface")
    return Path(environment.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()


def find_models(hub: Path, folder: Path | None) -> list[Model]:
    """Those in the cache `hub`, then those that are, or lie in, `folder`; each sorted by name."""
    found = _sorted(_cached(hub))
    if folder is not None:
        found += _sorted(_local(path) for path in (folder, *_folders(folder)))
    return found


def read_model(folder: Path, name: str, hf_key: str) -> Model | None:
    """The model in this folder, or None where it holds no pipeline that can guide."""
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
        if not isinstance(index, dict) or index.get("_class_name") != _PIPELINE:
            return None
        sizes = [_weight_size(folder / part, stem) for part, stem in _WEIGHTS.items()]
    except (OSError, ValueError):
        return None
    return Model(name, hf_key, sum(sizes))


def _weight_size(part: Path, stem: str) -> int:
    """Bytes of one part's weights. Raises FileNotFoundError."""
    paths = [part / f"{stem}{variant}.safetensors" for variant in _VARIANTS]
    return next((path for path in paths if path.is_file()), paths[0]).stat().st_size


def _cached(hub: Path) -> Iterator[Model | None]:
    """The models of models--OWNER--NAME/snapshots/COMMIT, where refs/main names the commit."""
    for folder in _folders(hub):
        kind, _, name = folder.name.partition("--")
        if kind == "models" and name.count("--") == 1:
            try:
                commit = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
            except (OSError, ValueError):
                continue
            owner, _, short = name.partition("--")
            yield read_model(folder / "snapshots" / commit, short, f"{owner}/{short}")


def _local(folder: Path) -> Model | None:
    return read_model(folder, folder.name, str(folder))


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _sorted(models: Iterator[Model | None]) -> list[Model]:
    return sorted((model for model in models if model is not None), key=lambda model: model.name.lower())
