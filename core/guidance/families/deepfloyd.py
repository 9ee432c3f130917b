"""DeepFloyd IF, stage one: a diffusion model of 64 x 64 pixels without autoencoder that hears T5 (as Imagen does)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import T5EncoderModel, T5Tokenizer

from core.guidance.conditioning import Conditioning
from core.guidance.families import TextParts, clip
from core.guidance.families.base import TextOnly, UNetFamily

MAX_TOKENS = 77  # what it was trained with


class DeepFloydFamily(TextOnly, UNetFamily):
    """diffusers' IFPipeline."""

    label: ClassVar[str] = "DeepFloyd IF"
    versions: ClassVar[Sequence[str]] = ("if",)
    parts: ClassVar[Mapping[str, Any]] = {
        "tokenizer": T5Tokenizer,
        "text_encoder": T5EncoderModel,
        "unet": UNet2DConditionModel,
    }

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels and text width, before the UNet's own projection of it if there is one."""
        return config.in_channels, config.encoder_hid_dim or config.cross_attention_dim

    def text_width(self, text: TextParts) -> int:
        """T5's."""
        return int(text.encoders[0].config.d_model)

    def max_tokens(self, text: TextParts) -> int:  # noqa: ARG002
        """77, with the mark of its end."""
        return MAX_TOKENS

    def encode(self, text: TextParts, texts: list[str], device: torch.device) -> Conditioning:
        """T5's last layer for the texts in lower case."""
        lower = [words.lower().strip() for words in texts]
        tokens = clip.tokenize(text.tokenizers[0], lower, MAX_TOKENS, device)
        return Conditioning(text.encoders[0](tokens.input_ids, attention_mask=tokens.attention_mask)[0])

    def denoise(self, denoiser: Any, noisy: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        """The UNet's noise; the variance that it predicts beside that is of no use to SDS."""
        output: Tensor = denoiser(noisy, t, text.embeddings, return_dict=False)[0]
        return output[:, : noisy.shape[1]]
