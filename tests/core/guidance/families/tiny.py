"""Tiny random-weight pipelines of the real diffusers classes, one a family."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    IFPipeline,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from tests.core.guidance.conftest import MAX_TOKENS, write_tokenizer

LATENT_SIZE = 8  # pictures are twice as wide where there is an autoencoder
T5_WIDTH = 24


def t5_tokenizer() -> T5Tokenizer:
    """Letters, their capitals apart, and the mark of a word's beginning."""
    letters = ["▁", *string.ascii_letters, ","]
    return T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *((x, -2.0) for x in letters)])


def t5_encoder() -> T5EncoderModel:
    config = T5Config(vocab_size=200, d_model=T5_WIDTH, d_kv=4, d_ff=16, num_layers=2, num_heads=2)
    return T5EncoderModel(config)


def clip_encoder(kind: type, width: int) -> Any:
    config = CLIPTextConfig(
        vocab_size=59,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=width // 2,
        bos_token_id=57,
        eos_token_id=58,
    )
    return kind(config)


def unet(channels: int, text_width: int, **options: Any) -> UNet2DConditionModel:
    options = {"out_channels": channels, "cross_attention_dim": text_width} | options
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=channels,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=4,
        **options,
    )


def vae(channels: int = 4, **options: Any) -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(4, 8),
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=2 * LATENT_SIZE,
        **options,
    )


def ddim(**options: Any) -> DDIMScheduler:
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    return DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1, **betas | options)


def stable_diffusion(tokenizer: CLIPTokenizer, prediction_type: str = "epsilon") -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        tokenizer=tokenizer,
        text_encoder=clip_encoder(CLIPTextModel, 16),
        vae=vae(scaling_factor=0.7),
        unet=unet(4, 16),
        scheduler=ddim(prediction_type=prediction_type),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def velocity(tokenizer: CLIPTokenizer) -> StableDiffusionPipeline:
    return stable_diffusion(tokenizer, "v_prediction")


def sdxl(tokenizer: CLIPTokenizer) -> StableDiffusionXLPipeline:
    added = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
    return StableDiffusionXLPipeline(
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        text_encoder=clip_encoder(CLIPTextModel, 16),
        text_encoder_2=clip_encoder(CLIPTextModelWithProjection, 20),
        vae=vae(scaling_factor=0.13),
        unet=unet(4, 36, projection_class_embeddings_input_dim=6 * 8 + 10, **added),
        scheduler=ddim(),
        add_watermarker=False,
    )


def deepfloyd(_tokenizer: CLIPTokenizer) -> IFPipeline:
    return IFPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(),
        unet=unet(3, 16, out_channels=6, encoder_hid_dim=T5_WIDTH, encoder_hid_dim_type="text_proj"),
        scheduler=DDPMScheduler(
            beta_schedule="squaredcos_cap_v2", variance_type="learned_range", thresholding=True, sample_max_value=1.5
        ),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


def sd3(tokenizer: CLIPTokenizer, t5: bool = True) -> StableDiffusion3Pipeline:
    transformer = SD3Transformer2DModel(
        sample_size=LATENT_SIZE,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=T5_WIDTH,
        caption_projection_dim=16,
        pooled_projection_dim=14,
        pos_embed_max_size=16,
        qk_norm="rms_norm",
    )
    return StableDiffusion3Pipeline(
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        tokenizer_3=t5_tokenizer() if t5 else None,
        text_encoder=clip_encoder(CLIPTextModelWithProjection, 12),
        text_encoder_2=clip_encoder(CLIPTextModelWithProjection, 16),
        text_encoder_3=t5_encoder() if t5 else None,
        vae=vae(16, scaling_factor=1.5, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def sd3_without_t5(tokenizer: CLIPTokenizer) -> StableDiffusion3Pipeline:
    return sd3(tokenizer, t5=False)


FAMILIES: dict[str, Callable[[CLIPTokenizer], DiffusionPipeline]] = {
    "sd": stable_diffusion,
    "sd-v": velocity,
    "sdxl": sdxl,
    "if": deepfloyd,
    "sd3": sd3,
    "sd3-without-t5": sd3_without_t5,
}


def write(name: str, folder: Path) -> Path:
    """Save a family's pipeline; the same weights every time, unlike those of a fresh model none is zero."""
    torch.manual_seed(11)
    folder.mkdir(parents=True)
    write_tokenizer(folder / "clip")
    pipeline = FAMILIES[name](CLIPTokenizer.from_pretrained(folder / "clip"))
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            _fill_zeros(part)
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def _fill_zeros(module: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.normal_(std=0.05)
