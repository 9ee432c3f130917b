"""The parts of a text-to-image model, read from a folder in the layout of a diffusers pipeline.

Everything is read locally, and only from safetensors. Whatever is wrong with a model ends as an InputError of one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from core.device import is_out_of_memory
from core.errors import InputError
from core.guidance.families import Family, TextParts
from core.guidance.layout import (
    check_files,
    family_at,
    first_line,
    has_part,
    is_weighted,
    read_json,
    settings_file,
    variant_at,
)

PIXEL_CHANNELS = 3  # of models without autoencoder
MakeWeighted = Callable[[Any, Path, str, torch.dtype, bool], Any]  # class, folder, part, type, whether fp16 is wanted


@dataclass(frozen=True)
class Parts:
    """A loaded model, on the CPU, in evaluation mode and without gradients."""

    family: Family
    text: TextParts
    vae: Any  # None for a model that works on pixels
    unet: Any  # the denoiser: a transformer in some families
    scheduler: Any

    @property
    def channels(self) -> int:
        """Of latents, or of pixels."""
        return PIXEL_CHANNELS if self.vae is None else int(self.vae.config.latent_channels)


def load_parts(folder: Path, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """Read a model, with `dtype` for vae and unet; a vae that overflows in float16 (force_upcast) stays float32.

    Raises InputError where a file is missing or broken, or the folder holds another kind of model.
    """
    check_files(folder)
    transformers.utils.logging.disable_progress_bar()  # it would break into the trainer's own
    parts = collect_parts(folder, dtype, text_dtype, _load_weights)
    check_fit(folder, parts)
    return parts


def outline_parts(folder: Path, dtype: torch.dtype, text_dtype: torch.dtype) -> Parts:
    """The parts as :func:`load_parts` reads them, but without numbers: the weights lie on the meta device.

    Of the weights no file is looked at. Raises InputError where another file is missing or broken.
    """
    return collect_parts(folder, dtype, text_dtype, outline)


def collect_parts(folder: Path, dtype: torch.dtype, text_dtype: torch.dtype, make: MakeWeighted) -> Parts:
    """The parts that the folder's settings name; `make` gives those that have weights."""
    family, settings = family_at(folder)
    loaded: dict[str, Any] = {}
    for part, kind in family.parts.items():
        if not has_part(family, settings, part):
            loaded[part] = None
        elif is_weighted(part):
            wanted = text_dtype if part.startswith("text_encoder") else dtype
            loaded[part] = make(kind, folder, part, part_dtype(folder, part, wanted), dtype == torch.float16)
        else:
            loaded[part] = _guarded(folder / part, kind.from_pretrained)
    _check_noise(folder)
    loaded["scheduler"] = _guarded(folder / "scheduler", family.scheduler.from_pretrained)
    return assemble(family, settings, loaded)


def _check_noise(folder: Path) -> None:
    """Models of EDM's noise (arXiv 2206.00364) have their family's layout, but their outputs mean something else."""
    kind = str(read_json(folder / "scheduler" / settings_file("scheduler")).get("_class_name"))
    if kind.startswith("EDM"):
        raise InputError(f"{folder} was trained with EDM's noise ({kind}), which cannot guide: choose another model.")


def assemble(family: Family, settings: dict[str, Any], loaded: dict[str, Any]) -> Parts:
    """Sort the loaded parts of a pipeline."""

    def those(prefix: str) -> tuple[Any, ...]:
        return tuple(part for name, part in loaded.items() if name.startswith(prefix))

    denoiser = loaded[family.denoiser]
    text = TextParts(those("tokenizer"), those("text_encoder"), settings, denoiser.config)
    return Parts(family, text, loaded.get("vae"), denoiser, loaded["scheduler"])


def part_dtype(folder: Path, part: str, wanted: torch.dtype) -> torch.dtype:
    """The precision of a part: float32 for an autoencoder that says it overflows in float16, else `wanted`."""
    overflows = part == "vae" and read_json(folder / "vae" / "config.json").get("force_upcast", False)
    return torch.float32 if overflows and wanted == torch.float16 else wanted


def _load_weights(kind: Any, folder: Path, part: str, dtype: torch.dtype, fp16: bool) -> Any:
    model, info = _guarded(
        folder / part,
        kind.from_pretrained,
        dtype=dtype,
        variant=variant_at(folder, part, fp16).lstrip(".") or None,
        use_safetensors=True,
        output_loading_info=True,
    )
    if info["missing_keys"]:
        raise InputError(f"{folder / part} lacks the weights of {min(info['missing_keys'])}: fetch the model again.")
    return model.eval().requires_grad_(False)


def outline(kind: Any, folder: Path, part: str, dtype: torch.dtype, _fp16: bool = False) -> Any:
    """A part on the meta device, with shapes but without numbers."""
    with torch.device("meta"):
        return make_random(kind, folder / part, dtype)


def make_random(kind: Any, path: Path, dtype: torch.dtype) -> Any:
    """A part with the settings in its folder and random weights, on torch's default device."""
    if hasattr(kind, "config_class"):  # transformers' way
        model = kind(_guarded(path, kind.config_class.from_pretrained))
    else:
        model = kind.from_config(_guarded(path, kind.load_config))
    return nn.Module.to(model, dtype).eval().requires_grad_(False)  # diffusers warns in its own to(), of nothing


def _guarded(path: Path, load: Callable[..., Any], **options: Any) -> Any:
    try:
        return load(path, local_files_only=True, **options)
    except InputError:  # it says what is wrong already
        raise
    except Exception as error:  # the tokenizers library raises plain Exception
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path} cannot be read ({first_line(error)}): fetch the model again.") from error


def check_fit(folder: Path, parts: Parts) -> None:
    """Raise InputError where the parts of a model do not fit together, or it predicts what is not known."""
    channels, width = parts.family.takes(parts.unet.config)
    given = parts.family.text_width(parts.text)
    if (channels, width) != (parts.channels, given):
        raise InputError(
            f"The parts in {folder} do not fit: the unet takes {channels} channels and text of width {width},"
            f" but vae and text_encoder give {parts.channels} and {given}."
        )
    prediction = parts.scheduler.config.get("prediction_type", "epsilon")
    if prediction not in ("epsilon", "v_prediction"):
        raise InputError(f"{folder} predicts {prediction!r}: only epsilon and v_prediction work.")
