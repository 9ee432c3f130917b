"""Which model a folder, a file or a hub name is, told without torch: the settings of a job depend on it.

Standard library only. Blender's Python reads it too, see blender_dreamfusion/core_files.py. Nothing is unpickled: of a
pickle the names of its tensors are looked for as they stand in it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

SUFFIXES = (".safetensors", ".ckpt", ".pt")
MARKS = {  # kind of a whole model in one file -> a tensor that none further down has
    "mvdream": "model.diffusion_model.camera_embed.0.weight",
    "sdxl": "conditioner.embedders.1.model.positional_embedding",
    "sd2": "cond_stage_model.model.positional_embedding",
    "sd1": "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight",
}
UNET_MARK = "model.diffusion_model.input_blocks.0.0.weight"  # all have this one too
MULTIVIEW_PIPELINE = "MVDreamPipeline"
_LARGEST_HEADER = 100_000_000  # bytes: the limit of the safetensors format


def is_multiview(hf_key: str) -> bool:
    """Whether --hf_key means MVDream, as far as can be told before it is downloaded; False where it cannot."""
    path = Path(os.path.expanduser(hf_key))
    try:
        if path.is_file():
            return kind_in(path) == "mvdream"
        folder = path if path.is_dir() else cached_folder(hub_cache(os.environ), hf_key)
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(index, dict) and index.get("_class_name") == MULTIVIEW_PIPELINE


def hub_cache(environment: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps its downloads."""
    caches = environment.get("XDG_CACHE_HOME") or "~/.cache"
    home = environment.get("HF_HOME") or os.path.join(caches, "huggingface")
    cache = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expanduser(os.path.expandvars(cache)))


def cached_folder(hub: Path, name: str) -> Path:
    """The newest download of a hub model: models--OWNER--NAME/snapshots/COMMIT, where refs/main names the commit.

    Raises OSError, ValueError where there is none.
    """
    folder = hub / f"models--{name.replace('/', '--')}"
    commit = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    return folder / "snapshots" / commit


def kind_in(path: Path) -> str | None:
    """Which of MARKS the names in a file tell of; None if none, or where a pickle is of the old format.

    Raises OSError, ValueError where the file is damaged.
    """
    try:
        return kind_of(read_header(path) if path.suffix == ".safetensors" else _pickled_names(path))
    except (RuntimeError, EOFError) as error:  # nested too deep, encrypted, too short
        raise ValueError(f"{path} is damaged") from error


def kind_of(names: Container[str]) -> str | None:
    """Which of MARKS these names of tensors tell of, or a text that they stand in."""
    return next((kind for kind, mark in MARKS.items() if mark in names), None)


def read_header(path: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors, by name. Raises OSError, ValueError where it is damaged."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length)) if length <= min(path.stat().st_size, _LARGEST_HEADER) else None
    if not isinstance(header, dict):
        raise ValueError(f"{path} has no header")
    return header


def _pickled_names(path: Path) -> str:
    """The pickle in a file of torch's, a zip; empty where it is none, as before torch 1.6."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
            first = entries[0] if entries else None
            if first is None or first.file_size > _LARGEST_HEADER or first.compress_type != zipfile.ZIP_STORED:
                return ""  # torch stores it as it is
            return archive.read(first).decode("latin-1")
    except zipfile.BadZipFile:
        return ""
