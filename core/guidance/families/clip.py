"""Texts through CLIP encoders, as several families need them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def token_limit(tokenizer: Any, encoder: Any) -> int:
    """Longest text that both can take, with the marks of its start and end: 77 for CLIP."""
    return int(min(tokenizer.model_max_length, encoder.config.max_position_embeddings))


def tokenize(tokenizer: Any, texts: list[str], length: int, device: torch.device) -> Any:
    """Token ids and mask, (N, length) each: padded or cut."""
    return tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").to(device)


def encode_penultimate(
    tokenizer: Any, encoder: Any, texts: list[str], length: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The last hidden layer but one (N, length, C), and the encoder's first output: the projected text (N, P).

    SDXL (arXiv 2307.01952, section 2.1) and Stable Diffusion 3 hear these. Of an encoder without projection the first
    output is the last hidden layer.
    """
    output = encoder(tokenize(tokenizer, texts, length, device).input_ids, output_hidden_states=True)
    return output.hidden_states[-2], output[0]
