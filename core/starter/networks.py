"""The starter model's parts, built untrained: small ones of the classes that Stable Diffusion is made of."""

from __future__ import annotations

from typing import Any

from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from core.camera import EMBEDDING_NUMBERS, PLANE_CHANNELS
from core.starter.captions import words
from core.starter.latents import CHANNELS, write_encoder
from core.starter.tokenizer import END, START, make_tokenizer

TEXT_WIDTH = 128


def make_vae() -> Any:
    """64x64 pictures <-> 32x32x6 latents; the encoder is complete, the decoder untrained."""
    vae = AutoencoderKL(
        sample_size=64,
        block_out_channels=(24, 48),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=8,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )
    write_encoder(vae)
    return vae


def make_unet() -> Any:
    """32x32x6 latents; text by cross-attention and, pooled, with the timestep; the camera twice (core.camera).

    What text, camera and timestep decide reaches every block as scale and shift of its features (Dhariwal and Nichol
    2021, AdaGN), from a wide embedding: it has to say what is to be drawn, the pictures being small.
    """
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=CHANNELS + PLANE_CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(48, 96, 160),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
        time_embedding_dim=512,
        resnet_time_scale_shift="scale_shift",
        class_embed_type="projection",
        projection_class_embeddings_input_dim=EMBEDDING_NUMBERS,
    )


def make_text_encoder(tokenizer: Any) -> Any:
    """Two layers of CLIP's text transformer."""
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in (("bos", START), ("eos", END))}
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=TEXT_WIDTH,
        bos_token_id=ids["bos"],
        eos_token_id=ids["eos"],
        pad_token_id=ids["eos"],
    )
    return CLIPTextModel(config)


def make_scheduler() -> Any:
    """Stable Diffusion's noise schedule, with v-prediction (Salimans and Ho 2022, section 4).

    Under heavy noise v is all but the clean picture, which is what text and camera decide; predicting the noise itself
    would weigh those timesteps next to nothing, and a small network would learn what its captions mean last.
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
    )


def make_pipeline() -> Any:
    """All parts in diffusers' Stable Diffusion pipeline."""
    tokenizer = make_tokenizer(words())
    return StableDiffusionPipeline(
        vae=make_vae(),
        text_encoder=make_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=make_unet(),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
