"""A tiny random-weight model of the real diffusers classes, saved as a folder in the layout of Stable Diffusion."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from core.camera import PLANE_CHANNELS
from core.guidance import text_guidance
from core.guidance.stable_diffusion import StableDiffusion

MAX_TOKENS = 24
TEXT_WIDTH = 16
LATENT_SIZE = 8  # pixels; pictures are twice as wide


def write_tokenizer(folder: Path) -> None:
    """A byte-pair vocabulary of single letters, commas and a few words' worth of merges."""
    letters = [*string.ascii_lowercase, ","]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "vi", "ew</w>", "view</w>"]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\nv i\ne w</w>\nvi ew</w>\n")
    config = {"model_max_length": MAX_TOKENS, "tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def tiny_unet(camera: bool) -> UNet2DConditionModel:
    options = {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 5} if camera else {}
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=4 + (PLANE_CHANNELS if camera else 0),
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=4,
        **options,
    )


def tiny_vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(4, 8),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=2 * LATENT_SIZE,
        scaling_factor=0.7,
    )


def tiny_text_encoder() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=59,
            hidden_size=TEXT_WIDTH,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=57,
            eos_token_id=58,
        )
    )


def write_model(folder: Path, *, camera: bool = False, prediction_type: str = "epsilon") -> Path:
    """Save the parts; the same weights for the same arguments."""
    torch.manual_seed(3)
    folder.mkdir()
    write_tokenizer(folder / "tokenizer")
    tiny_text_encoder().save_pretrained(folder / "text_encoder")
    tiny_vae().save_pretrained(folder / "vae")
    tiny_unet(camera).save_pretrained(folder / "unet")
    DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    ).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def load(folder: Path, **options) -> StableDiffusion:
    return StableDiffusion("cpu", False, options.pop("vram_O", False), hf_key=str(folder), **options)


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small lose time to threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def whole_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact tests: on processors with instructions for bfloat16 too, the starter's UNet stays in float32."""
    monkeypatch.setattr(text_guidance, "has_fast_bf16", lambda _device: False)


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predicts epsilon, takes no camera: the kind of Stable Diffusion."""
    return write_model(tmp_path_factory.mktemp("models") / "plain")


@pytest.fixture(scope="session")
def camera_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predicts epsilon, takes the camera: the kind of the starter model."""
    return write_model(tmp_path_factory.mktemp("models") / "camera", camera=True)


@pytest.fixture(scope="session")
def velocity_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predicts v: the kind of Stable Diffusion 2.1 at 768 pixels."""
    return write_model(tmp_path_factory.mktemp("models") / "velocity", prediction_type="v_prediction")


@pytest.fixture(scope="module")
def plain(plain_model) -> StableDiffusion:
    return load(plain_model)


@pytest.fixture(scope="module")
def camera_aware(camera_model) -> StableDiffusion:
    return load(camera_model)
