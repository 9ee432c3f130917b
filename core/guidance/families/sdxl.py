"""Stable Diffusion XL (arXiv 2307.01952): two CLIP encoders, a pooled text, and the picture's size as a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from core.guidance.conditioning import Conditioning
from core.guidance.families import Pictures, TextParts, clip
from core.guidance.families.base import UNetFamily


class SDXLFamily(UNetFamily):
    """diffusers' StableDiffusionXLPipeline. Extras: "pooled" (N, P), the second encoder's projected text;
    "time_ids" (N, 6), the size of the uncropped picture, where the crop begins (0, 0), and the size wanted.
    """

    label: ClassVar[str] = "Stable Diffusion XL"
    versions: ClassVar[Sequence[str]] = ("xl",)
    parts: ClassVar[Mapping[str, Any]] = {
        "tokenizer": CLIPTokenizer,
        "tokenizer_2": CLIPTokenizer,
        "text_encoder": CLIPTextModel,
        "text_encoder_2": CLIPTextModelWithProjection,
        "vae": AutoencoderKL,
        "unet": UNet2DConditionModel,
    }

    def text_width(self, text: TextParts) -> int:
        """Both encoders side by side."""
        return sum(encoder.config.hidden_size for encoder in text.encoders)

    def max_tokens(self, text: TextParts) -> int:
        """The shorter of the two."""
        return min(map(clip.token_limit, text.tokenizers, text.encoders))

    def encode(self, text: TextParts, texts: list[str], device: torch.device) -> Conditioning:
        """Both encoders' last layer but one, side by side.

        An empty text is all zeros where the model was trained so (force_zeros_for_empty_prompt).
        """
        length = self.max_tokens(text)
        first, second = (
            clip.encode_penultimate(tokenizer, encoder, texts, length, device)
            for tokenizer, encoder in zip(text.tokenizers, text.encoders, strict=True)
        )
        encoded = Conditioning(torch.cat([first[0], second[0]], dim=-1), {"pooled": second[1]})
        if not text.settings.get("force_zeros_for_empty_prompt", True):
            return encoded
        empty = torch.tensor([not words.strip() for words in texts], device=device)
        return encoded.map(lambda tensor: tensor.masked_fill(empty.view(-1, *[1] * (tensor.ndim - 1)), 0))

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:  # noqa: ARG002
        """The pictures' size, uncropped."""
        time_ids = text.embeddings.new_tensor([*pictures.pixels, 0, 0, *pictures.pixels])
        return text.told(time_ids=time_ids.expand(len(text), -1))

    def denoise(self, denoiser: Any, noisy: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        """The UNet's output."""
        added = {"text_embeds": text.extras["pooled"], "time_ids": text.extras["time_ids"]}
        output: Tensor = denoiser(noisy, t, text.embeddings, added_cond_kwargs=added, return_dict=False)[0]
        return output
