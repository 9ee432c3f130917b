"""A tiny MVDream with random weights, and its public layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import safetensors.torch
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from core.guidance.multiview import MultiViewUNet, unet_settings
from tests.core.guidance import ldm
from tests.core.guidance.conftest import LATENT_SIZE, TEXT_WIDTH

SETTINGS = {  # of a tiny UNet, by LDM's names
    "_class_name": "MultiViewUNetModel",
    "image_size": LATENT_SIZE,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "attention_resolutions": [2],
    "num_res_blocks": 1,
    "channel_mult": [1, 2],
    "num_head_channels": 16,
    "context_dim": TEXT_WIDTH,
    "camera_dim": 16,
}


def public_state(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """Its weights under the names of the public ones."""
    state = {name.removeprefix(ldm.UNET): tensor for name, tensor in ldm.unet(unet).items()}
    names = {"class_embedding.linear_1": "camera_embed.0", "class_embedding.linear_2": "camera_embed.2"}
    for theirs, public in names.items():
        state |= {f"{public}.{kind}": state.pop(f"{theirs}.{kind}") for kind in ("weight", "bias")}
    return state


def tiny() -> MultiViewUNet:
    torch.manual_seed(2)
    return MultiViewUNet(**unet_settings(SETTINGS)).eval().requires_grad_(False)


def write_public(unet: MultiViewUNet, folder: Path) -> None:
    """Make the Stable Diffusion in a folder the MVDream of this UNet."""
    shutil.rmtree(folder / "unet")
    (folder / "unet").mkdir()
    (folder / "unet" / "config.json").write_text(json.dumps(SETTINGS))
    safetensors.torch.save_file(public_state(unet), folder / "unet" / "diffusion_pytorch_model.safetensors")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "MVDreamPipeline"}))
