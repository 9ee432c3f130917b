"""A whole model in one file, as A1111, ComfyUI and their users have them: Stable Diffusion 1.x, 2.x and XL, MVDream.

diffusers converts the names of the weights; the settings and CLIP's vocabulary, which such a file lacks, lie in
core/guidance/configs. Which model it is shows in the names. Nothing is read but tensors: a .ckpt or .pt file with
anything else in it is refused. Whatever is wrong ends as an InputError of one line.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import safetensors
import safetensors.torch
import torch
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from torch import Tensor

from core.device import is_out_of_memory
from core.errors import InputError
from core.guidance.layout import family_at, first_line
from core.guidance.loading import Parts, assemble, check_fit, outline, part_dtype
from core.guidance.versions import check_version, label
from core.model_files import UNET_MARK, kind_of

CONFIGS = Path(__file__).with_name("configs")
Checkpoint = Mapping[str, Tensor]

_VERSIONS = {"mvdream": ("mvdream",), "sdxl": ("xl",), "sd2": ("2.0", "2.1"), "sd2-v": ("2.1-v",), "sd1": ("1.5",)}
_UNET = "model.diffusion_model."
_PICTURE_INPUT = f"{_UNET}image_embed."  # how ImageDream's weights begin that MVDream does not have
_VELOCITY_MARK = f"{_UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
_VELOCITY_SPREAD = 0.09  # of that tensor: ComfyUI's rule, 0.03 of 2.x base and 0.7 of 768-v
_NESTED = 3  # how deep "state_dict" stands in "state_dict" at most
_BROKEN = (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError)


def load_file(path: Path, sd_version: str | None, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """Read a model, with `dtype` for vae and unet; a vae that overflows in half precision stays float32.

    `sd_version` is what the user asks for, None for whatever it is. Raises InputError where the file is broken, holds
    another model than that, or none that can guide.
    """
    checkpoint = read_checkpoint(path)

    def convert(reader: Any, configs: Path, part: str, dtype: torch.dtype) -> Any:
        return _convert(path, checkpoint, configs, part, reader, dtype)

    parts = _collect(find_kind(path, checkpoint, sd_version), dtype, text_dtype, convert)
    check_fit(path, parts)
    return parts


def outline_file(path: Path, sd_version: str | None, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """The parts as :func:`load_file` reads them, but without numbers: the weights lie on the meta device."""
    return _collect(find_kind(path, read_checkpoint(path), sd_version), dtype, text_dtype, outline)


def _collect(kind: str, dtype: torch.dtype, text_dtype: torch.dtype, make: Callable[..., Any]) -> Parts:
    """The parts of one of the folders in core/guidance/configs; `make` gives those that have weights."""
    configs = CONFIGS / kind
    family, settings = family_at(configs)
    loaded: dict[str, Any] = {}
    for part, reader in family.parts.items():
        if part.startswith("tokenizer"):
            loaded[part] = reader.from_pretrained(CONFIGS / "clip", pad_token=_pad_token(kind, part))
        else:
            wanted = text_dtype if part.startswith("text_encoder") else dtype
            loaded[part] = make(reader, configs, part, part_dtype(configs, part, wanted))
    loaded["scheduler"] = family.scheduler.from_pretrained(configs / "scheduler", local_files_only=True)
    return assemble(family, settings, loaded)


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors in a file by name. Raises InputError where it is broken or holds anything else."""
    try:
        read = safetensors.torch.load_file if path.suffix == ".safetensors" else _read_pickle
        checkpoint = read(path)
        for _ in range(_NESTED):
            if isinstance(checkpoint, dict) and "state_dict" in checkpoint:
                checkpoint = checkpoint["state_dict"]
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is refused: it holds more than weights, which could run a stranger's code, or is broken."
            " Take the model's .safetensors file."
        ) from error
    except (safetensors.SafetensorError, *_BROKEN) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path} is broken ({first_line(error)}): fetch the model again.") from error
    if not isinstance(checkpoint, dict):
        raise InputError(f"{path} holds no weights: give the file of a whole model.")
    return {name: tensor for name, tensor in checkpoint.items() if isinstance(tensor, Tensor)}


def _read_pickle(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle protocols: what cannot be read raises
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


def find_kind(path: Path, checkpoint: Checkpoint, sd_version: str | None) -> str:
    """Which of the folders in core/guidance/configs a file needs.

    Raises InputError where there is none, or `sd_version` asks for another. Whether a 2.x model predicts v cannot be
    read from the names: `sd_version` decides, or else the spread of one of its tensors.
    """
    kind, first = kind_of(checkpoint), checkpoint.get(UNET_MARK)
    hears_pictures = any(name.startswith(_PICTURE_INPUT) for name in checkpoint)
    if kind is None or first is None or first.shape[1] != 4 or hears_pictures:
        raise InputError(
            f"{path} holds no whole Stable Diffusion 1.x, 2.x or XL, or MVDream, that makes pictures from text:"
            " give such a file, or a folder in the diffusers layout."
        )
    if kind == "sd2" and sd_version not in _VERSIONS["sd2"]:
        mark = checkpoint.get(_VELOCITY_MARK)
        spread = 0.0 if mark is None else mark.float().std().item()
        kind = "sd2-v" if sd_version in _VERSIONS["sd2-v"] or spread > _VELOCITY_SPREAD else "sd2"
    check_version(path, label(_VERSIONS[kind][-1]), _VERSIONS[kind], sd_version)
    return kind


def _pad_token(kind: str, part: str) -> str:
    """CLIP's own encoder hears its end mark again and again, OpenCLIP's the token 0."""
    return "<|endoftext|>" if kind == "sd1" or (kind, part) == ("sdxl", "tokenizer") else "!"


def _convert(path: Path, checkpoint: Checkpoint, configs: Path, part: str, reader: Any, dtype: torch.dtype) -> Any:
    options = {"config": str(configs), "subfolder": part, "torch_dtype": dtype, "local_files_only": True}
    try:
        if part.startswith("text_encoder"):
            model = create_diffusers_clip_model_from_ldm(reader, checkpoint, **options)
        else:
            model = reader.from_single_file(dict(checkpoint), **options)
    except (diffusers.loaders.single_file_utils.SingleFileComponentError, KeyError, ValueError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"The {part} in {path} cannot be read ({first_line(error)}): fetch the model again."
        ) from error
    missing = [name for name, parameter in model.named_parameters() if parameter.is_meta]
    if missing:
        raise InputError(f"{path} lacks the weights of {part} ({min(missing)}): fetch the model again.")
    return model.eval().requires_grad_(False)
