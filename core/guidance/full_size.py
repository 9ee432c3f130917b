"""Models in their real sizes but with random weights, built from settings alone: to measure speed and memory.

The settings, in core/guidance/configs, are those that the models are published with; texts, which a job encodes once,
are random too.
"""

from __future__ import annotations

from typing import Any

import torch

from core.errors import InputError
from core.guidance.conditioning import Conditioning
from core.guidance.families import TextParts
from core.guidance.layout import family_at
from core.guidance.loading import Parts, make_random, part_dtype
from core.guidance.single_file import CONFIGS

FULL_SIZE = {  # name -> folder in core/guidance/configs
    "sd15": "sd1",
    "sd21": "sd2",
    "sd21-v": "sd2-v",
    "sdxl": "sdxl",
    "if": "if",
    "sd35": "sd35",
    "mvdream": "mvdream",
}
TOKENS = 77  # of a text; Stable Diffusion 3 hears T5's 256 beside them


def random_parts(name: str, device: torch.device, dtype: torch.dtype) -> Parts:
    """A model of FULL_SIZE on its device, without texts; on the meta device without numbers too.

    An autoencoder that overflows in float16 (SDXL's) stays float32, as it does in a job. Raises InputError where there
    is no model of that name.
    """
    if name not in FULL_SIZE:
        raise InputError(f"Unknown family {name!r}: choose among {', '.join(FULL_SIZE)}.")
    folder = CONFIGS / FULL_SIZE[name]
    family, settings = family_at(folder)
    with torch.device(device):
        made = {
            part: make_random(family.parts[part], folder / part, part_dtype(folder, part, dtype))
            for part in family.parts
            if part in (family.denoiser, "vae")
        }
    scheduler = family.scheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    denoiser = made[family.denoiser]
    return Parts(family, TextParts((), (), settings, denoiser.config), made.get("vae"), denoiser, scheduler)


def random_texts(parts: Parts, count: int, device: torch.device) -> Conditioning:
    """`count` texts of the size that the model hears, random."""
    config = parts.unet.config
    flow = "joint_attention_dim" in config
    _, width = parts.family.takes(config)
    texts = Conditioning(torch.randn(count, TOKENS + 256 if flow else TOKENS, width, device=device))
    pooled = config.pooled_projection_dim if flow else _pooled_width(config)
    return texts.told(pooled=torch.randn(count, pooled, device=device)) if pooled else texts


def _pooled_width(config: Any) -> int:
    """Of SDXL: what is left of its added embedding beside six numbers of the picture's size."""
    if config.addition_embed_type != "text_time":
        return 0
    return int(config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim)
