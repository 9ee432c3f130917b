"""Stable Diffusion 3 and 3.5 (arXiv 2403.03206): rectified flow, a transformer, two CLIP encoders and T5.

The SDS form for rectified flow is derived in core/guidance/schedule.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel
from torch import Tensor
from transformers import CLIPTextModelWithProjection, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from core.guidance.conditioning import Conditioning
from core.guidance.families import TextParts, clip
from core.guidance.families.base import TextOnly

T5_TOKENS = 256


class SD3Family(TextOnly):
    """diffusers' StableDiffusion3Pipeline. Extra: "pooled" (N, P), both CLIP encoders' projected texts side by side.

    T5 is by far the largest part and may be missing: its embeddings are zeros then, as the model was trained for.
    """

    label: ClassVar[str] = "Stable Diffusion 3"
    versions: ClassVar[Sequence[str]] = ("3.5",)
    parts: ClassVar[Mapping[str, Any]] = {
        "tokenizer": CLIPTokenizer,
        "tokenizer_2": CLIPTokenizer,
        "tokenizer_3": T5Tokenizer,
        "text_encoder": CLIPTextModelWithProjection,
        "text_encoder_2": CLIPTextModelWithProjection,
        "text_encoder_3": T5EncoderModel,
        "vae": AutoencoderKL,
        "transformer": SD3Transformer2DModel,
    }
    optional: ClassVar[Sequence[str]] = ("tokenizer_3", "text_encoder_3")
    scheduler: ClassVar[Any] = FlowMatchEulerDiscreteScheduler
    denoiser: ClassVar[str] = "transformer"

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels and text width."""
        return config.in_channels, config.joint_attention_dim

    def text_width(self, text: TextParts) -> int:
        """T5's; CLIP's are padded to it with zeros."""
        t5 = text.encoders[2]
        return int(text.denoiser_config.joint_attention_dim if t5 is None else t5.config.d_model)

    def max_tokens(self, text: TextParts) -> int:
        """CLIP's, so that all encoders hear the same; T5 would read on."""
        return min(map(clip.token_limit, text.tokenizers[:2], text.encoders[:2]))

    def encode(self, text: TextParts, texts: list[str], device: torch.device) -> Conditioning:
        """CLIP's tokens and then T5's."""
        length, width = self.max_tokens(text), self.text_width(text)
        first, second = (
            clip.encode_penultimate(tokenizer, encoder, texts, length, device)
            for tokenizer, encoder in zip(text.tokenizers[:2], text.encoders[:2], strict=True)
        )
        tokens = torch.cat([first[0], second[0]], dim=-1)
        tokens = F.pad(tokens, (0, width - tokens.shape[-1]))
        t5 = self._encode_t5(text, texts, device).to(tokens.dtype)
        return Conditioning(torch.cat([tokens, t5], dim=1), {"pooled": torch.cat([first[1], second[1]], dim=-1)})

    def _encode_t5(self, text: TextParts, texts: list[str], device: torch.device) -> Tensor:
        tokenizer, encoder = text.tokenizers[2], text.encoders[2]
        if tokenizer is None or encoder is None:
            return torch.zeros(len(texts), T5_TOKENS, self.text_width(text), device=device)
        output: Tensor = encoder(clip.tokenize(tokenizer, texts, T5_TOKENS, device).input_ids)[0]
        return output

    def denoise(self, denoiser: Any, noisy: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        """The transformer's velocity."""
        output: Tensor = denoiser(
            hidden_states=noisy,
            timestep=t,
            encoder_hidden_states=text.embeddings,
            pooled_projections=text.extras["pooled"],
            return_dict=False,
        )[0]
        return output
