"""What differs between families of text-to-image models; everything else is told once, in stable_diffusion.py.

A family is stateless. It knows the parts of its diffusers pipeline and the classes that read them, turns texts into a
Conditioning exactly as the pipeline does, and calls the denoiser. The parts of a model are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from core.camera import Views
from core.guidance.conditioning import Conditioning
from core.model_files import MULTIVIEW_PIPELINE


@dataclass(frozen=True)
class TextParts:
    """What turns texts into embeddings; None for a text encoder that the model was saved without."""

    tokenizers: Sequence[Any]
    encoders: Sequence[Any]
    settings: Mapping[str, Any]  # of the pipeline, from model_index.json
    denoiser_config: Any  # where an encoder is missing, it tells how wide its embeddings would be


@dataclass(frozen=True)
class Pictures:
    """What is known of B noisy pictures beside their text."""

    size: tuple[int, int]  # height and width as the denoiser sees them
    pixels: tuple[int, int]  # height and width when they are decoded
    views: Views | None = None  # the B cameras


class Family(Protocol):
    """One kind of model."""

    label: ClassVar[str]  # for people
    versions: ClassVar[Sequence[str]]  # of config.SD_VERSIONS that are of this family
    parts: ClassVar[Mapping[str, Any]]  # part of the pipeline -> class that reads it
    optional: ClassVar[Sequence[str]]  # parts that a model may be saved without
    scheduler: ClassVar[Any]  # class: the noise schedule, and the sampler of pictures
    denoiser: ClassVar[str]  # which part predicts the noise
    ring: ClassVar[int]  # pictures of one object, at equal spacing around it, that the denoiser sees together

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels of the noisy picture and width of the text that a denoiser of this config takes."""

    def text_width(self, text: TextParts) -> int:
        """Width of the text that the encoders give."""

    def max_tokens(self, text: TextParts) -> int:
        """Longest text, with the marks of its start and end."""

    def encode(self, text: TextParts, texts: list[str], device: torch.device) -> Conditioning:
        """N texts as the denoiser hears them, on the encoders' `device`; what is over max_tokens is cut off."""

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:
        """`text` (K B), the B unconditional ones first, with what the denoiser is told of the B pictures."""

    def denoise(self, denoiser: Any, noisy: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        """The denoiser's output, (N, C, h, w), without a learned variance, for N noisy pictures at its times (N,)."""


def family_of(pipeline: str) -> Family | None:
    """The family of a diffusers pipeline's class name; None if it cannot guide."""
    return _families().get(pipeline)


def pipelines() -> list[str]:
    """The class names that :func:`family_of` knows."""
    return list(_families())


def _families() -> dict[str, Family]:
    from core.guidance.families.deepfloyd import DeepFloydFamily
    from core.guidance.families.mvdream import MVDreamFamily
    from core.guidance.families.sd3 import SD3Family
    from core.guidance.families.sdxl import SDXLFamily
    from core.guidance.families.stable_diffusion import StableDiffusionFamily

    return {
        "StableDiffusionPipeline": StableDiffusionFamily(),
        "StableDiffusionXLPipeline": SDXLFamily(),
        "IFPipeline": DeepFloydFamily(),
        "StableDiffusion3Pipeline": SD3Family(),
        MULTIVIEW_PIPELINE: MVDreamFamily(),
    }
