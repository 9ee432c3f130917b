"""Models in their real sizes but with random weights, built from settings alone: to measure speed and memory.

The settings are those that the models are published with; texts, which a job encodes once, are random too.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel, UNet2DConditionModel
from torch import nn

from core.errors import InputError
from core.guidance.conditioning import Conditioning
from core.guidance.families import TextParts, family_of
from core.guidance.loading import Parts

TOKENS = 77  # of a text; Stable Diffusion 3 hears T5's 256 beside them
_CROSS, _PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
_UP_CROSS, _UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"
_SIMPLE, _UP_SIMPLE = "SimpleCrossAttnDownBlock2D", "SimpleCrossAttnUpBlock2D"
_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "force_upcast": False,
}
_SD15 = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
_SD21 = {
    "sample_size": 64,
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}
_SDXL = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": (_PLAIN, _CROSS, _CROSS),
    "up_block_types": (_UP_CROSS, _UP_CROSS, _UP_PLAIN),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_IF = {
    "sample_size": 64,
    "in_channels": 3,
    "out_channels": 6,
    "block_out_channels": (704, 1408, 2112, 2816),
    "layers_per_block": 3,
    "down_block_types": ("ResnetDownsampleBlock2D", _SIMPLE, _SIMPLE, _SIMPLE),
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": (_UP_SIMPLE, _UP_SIMPLE, _UP_SIMPLE, "ResnetUpsampleBlock2D"),
    "act_fn": "gelu",
    "attention_head_dim": 64,
    "cross_attention_dim": 2816,
    "cross_attention_norm": "group_norm",
    "encoder_hid_dim": 4096,
    "addition_embed_type": "text",
    "resnet_skip_time_act": True,
    "resnet_time_scale_shift": "scale_shift",
    "time_embedding_act_fn": "gelu",
}
_SD35 = {  # medium
    "sample_size": 128,
    "in_channels": 16,
    "out_channels": 16,
    "num_layers": 24,
    "num_attention_heads": 24,
    "caption_projection_dim": 1536,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 2048,
    "pos_embed_max_size": 384,
    "qk_norm": "rms_norm",
    "dual_attention_layers": tuple(range(13)),
}
_SD35_VAE = {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False, "shift_factor": 0.0609}

# name -> pipeline, denoiser's class and settings, the autoencoder's beside _VAE (None: there is none), the scheduler's
_MODELS: dict[str, tuple[str, Any, dict[str, Any], dict[str, Any] | None, dict[str, Any]]] = {
    "sd15": ("StableDiffusionPipeline", UNet2DConditionModel, _SD15, {"scaling_factor": 0.18215}, _DIFFUSION),
    "sd21": ("StableDiffusionPipeline", UNet2DConditionModel, _SD21, {"scaling_factor": 0.18215}, _DIFFUSION),
    "sdxl": ("StableDiffusionXLPipeline", UNet2DConditionModel, _SDXL, {"scaling_factor": 0.13025}, _DIFFUSION),
    "if": ("IFPipeline", UNet2DConditionModel, _IF, None, {"beta_schedule": "squaredcos_cap_v2"}),
    "sd35": (
        "StableDiffusion3Pipeline",
        SD3Transformer2DModel,
        _SD35,
        {"scaling_factor": 1.5305, **_SD35_VAE},
        {"shift": 3.0},
    ),
}
FULL_SIZE = tuple(_MODELS)


def random_parts(name: str, device: torch.device, dtype: torch.dtype) -> Parts:
    """A model of FULL_SIZE on its device, without texts; on the meta device without numbers too.

    An autoencoder that overflows in half precision (SDXL's) stays float32 there, as it does in a job.
    Raises InputError where there is no model of that name.
    """
    if name not in _MODELS:
        raise InputError(f"Unknown family {name!r}: choose among {', '.join(FULL_SIZE)}.")
    pipeline, kind, settings, vae_settings, schedule = _MODELS[name]
    family = family_of(pipeline)
    assert family is not None
    upcast = name == "sdxl" and dtype == torch.float16
    with torch.device(device):
        denoiser = _finished(kind(**settings), dtype)
        vae = None
        if vae_settings is not None:
            pixels = {"sample_size": 8 * settings["sample_size"]}  # greater pictures are tiled to save memory
            vae = _finished(AutoencoderKL(**(_VAE | pixels | vae_settings)), torch.float32 if upcast else dtype)
    return Parts(family, TextParts((), (), {}, denoiser.config), vae, denoiser, family.scheduler(**schedule))


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


def _finished(module: Any, dtype: torch.dtype) -> Any:
    return nn.Module.to(module, dtype).eval().requires_grad_(False)
