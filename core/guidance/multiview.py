"""A UNet that draws several views of one object at once: MVDream (arXiv 2308.16512), in diffusers' classes.

It is Stable Diffusion's UNet with two changes (section 3.1): self-attention runs over the tokens of all views
together, and the camera, through two linear layers, is added to the time embedding. The latter is what diffusers calls
a class embedding of type "projection". The public weights have the layout of the latent diffusion code (LDM); they are
renamed when they are read.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import LDM_UNET_KEY, convert_ldm_unet_checkpoint
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from core.errors import InputError

VIEWS = 4  # of one object, in a row
_LDM_UNET = "MultiViewUNetModel"  # as the folders on the hub call it
_CAMERA = {"camera_embed.0.": "label_emb.0.0.", "camera_embed.2.": "label_emb.0.2."}  # LDM's own class embedding


class MultiViewAttention:
    """Self-attention over the tokens of `views` pictures that follow each other in the batch.

    As a diffusers attention processor: (B V, L, C) is seen as (B, V L, C).
    """

    def __init__(self, views: int = VIEWS) -> None:
        """`views` is V; 1 is plain self-attention."""
        self.views = views
        self._attend = AttnProcessor2_0()

    def __call__(self, attn: Attention, hidden_states: Tensor, *_args: Any, **_options: Any) -> Tensor:
        """The layer's output, (B V, L, C), of its input."""
        joined = hidden_states.reshape(len(hidden_states) // self.views, -1, hidden_states.shape[-1])
        result: Tensor = self._attend(attn, joined)
        return result.reshape(hidden_states.shape)


class MultiViewUNet(UNet2DConditionModel):  # type: ignore[misc]
    """The UNet; class_labels are the cameras, (B V, 16), as camera_matrices gives them."""

    @functools.wraps(UNet2DConditionModel.__init__)  # type: ignore[misc]  # diffusers reads the settings' names from the signature
    def __init__(self, *args: Any, **settings: Any) -> None:
        """Random weights; the settings are UNet2DConditionModel's."""
        super().__init__(*args, **settings)
        join_views(self, VIEWS)

    @classmethod
    def load_config(cls, path: Any, **options: Any) -> Any:
        """The settings in a folder, by diffusers' names."""
        loaded = super().load_config(path, **options)
        return unet_settings(loaded) if isinstance(loaded, dict) and loaded.get("_class_name") == _LDM_UNET else loaded

    @classmethod
    def from_pretrained(cls, path: Any, **options: Any) -> Any:
        """The UNet in a folder, of diffusers' layout or of the public weights'; `options` as diffusers takes them."""
        config = _read_settings(Path(path))
        if config.get("_class_name") != _LDM_UNET:
            return super().from_pretrained(path, **options)
        mark = f".{options['variant']}" if options.get("variant") else ""
        state = safetensors.torch.load_file(Path(path) / f"diffusion_pytorch_model{mark}.safetensors")
        unet = unet_from_ldm(state, config, options.get("dtype", torch.float32))
        return (unet, {"missing_keys": []}) if options.get("output_loading_info") else unet

    @classmethod
    def from_single_file(
        cls, checkpoint: dict[str, Tensor], *, config: str, subfolder: str, torch_dtype: torch.dtype, **_options: Any
    ) -> Any:
        """The UNet among the weights of a whole model in LDM's layout; `config` is the folder of its settings."""
        state = {
            name.removeprefix(LDM_UNET_KEY): tensor
            for name, tensor in checkpoint.items()
            if name.startswith(LDM_UNET_KEY)
        }
        return unet_from_ldm(state, _read_settings(Path(config, subfolder)), torch_dtype)


def _read_settings(folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return settings


def join_views(unet: UNet2DConditionModel, views: int) -> None:
    """Let the self-attention (attn1) of every transformer block run across `views` pictures."""
    processors = dict(unet.attn_processors)
    processors |= {name: MultiViewAttention(views) for name in processors if ".attn1." in name}
    unet.set_attn_processor(processors)


def unet_from_ldm(state: dict[str, Tensor], ldm: dict[str, Any], dtype: torch.dtype) -> MultiViewUNet:
    """The UNet of weights in LDM's layout, with LDM's settings. Raises RuntimeError where they do not fit."""
    with torch.device("meta"):
        unet: MultiViewUNet = MultiViewUNet(**unet_settings(ldm))
    named = {LDM_UNET_KEY + _camera_name(name): tensor.to(dtype) for name, tensor in state.items()}
    converted = convert_ldm_unet_checkpoint(named, dict(unet.config))
    if len(converted) != len(state):
        raise RuntimeError(f"{len(state) - len(converted)} weights have no place in this UNet")
    unet.load_state_dict(converted, strict=True, assign=True)
    return unet


def unet_settings(ldm: dict[str, Any]) -> dict[str, Any]:
    """UNet2DConditionModel's settings for those of LDM's UNet, by its names (model_channels, channel_mult, ...).

    Raises InputError where it is ImageDream's, which MVDream's pipeline reads too.
    """
    if ldm.get("ip_dim"):
        raise InputError("This model is ImageDream, which wants a picture beside the text: give MVDream.")
    channels = [ldm["model_channels"] * factor for factor in ldm["channel_mult"]]
    attends = [2**level in ldm["attention_resolutions"] for level in range(len(channels))]
    narrow = "num_head_channels" in ldm  # as in Stable Diffusion 2; 1 has a fixed number of heads
    heads = [width // ldm["num_head_channels"] for width in channels] if narrow else ldm["num_heads"]
    return {
        "sample_size": ldm["image_size"],
        "in_channels": ldm["in_channels"],
        "out_channels": ldm["out_channels"],
        "block_out_channels": tuple(channels),
        "layers_per_block": ldm["num_res_blocks"],
        "down_block_types": tuple("CrossAttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
        "up_block_types": tuple("CrossAttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)),
        "cross_attention_dim": ldm["context_dim"],
        "attention_head_dim": heads,  # so diffusers calls the number of heads
        "use_linear_projection": ldm.get("use_linear_in_transformer", narrow),
        "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": ldm["camera_dim"],
    }


def _camera_name(name: str) -> str:
    for theirs, ours in _CAMERA.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
