"""A tiny model as one file in the names of its first implementation (CompVis latent-diffusion, OpenCLIP).

The inverse of what diffusers does on reading, written down from the layout of those files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]
UNET = "model.diffusion_model."
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def _renamed(name: str, table: dict[str, str]) -> str:
    for here, there in table.items():
        if name.startswith(f"{here}."):
            return there + name.removeprefix(here)
    return name


def unet(model: Any) -> State:
    """A UNet2DConditionModel with one or two layers a block."""
    layers, state = model.config.layers_per_block, {}
    for name, tensor in model.state_dict().items():
        kind, *rest = name.split(".")
        if kind not in ("down_blocks", "mid_block", "up_blocks"):
            state[_renamed(name, _UNET)] = tensor
            continue
        block = 0 if kind == "mid_block" else int(rest.pop(0))
        member, index, tail = rest[0], int(rest[1]), ".".join(rest[2:])
        if member == "resnets":
            tail = _renamed(tail, _RESNET)
        if kind == "mid_block":
            place = f"middle_block.{2 * index if member == 'resnets' else 1}"
        elif kind == "down_blocks" and member == "downsamplers":
            place, tail = f"input_blocks.{(block + 1) * (layers + 1)}.0.op", tail.removeprefix("conv.")
        elif kind == "down_blocks":
            place = f"input_blocks.{1 + block * (layers + 1) + index}.{0 if member == 'resnets' else 1}"
        elif member == "upsamplers":
            attended = hasattr(model.up_blocks[block], "attentions")
            place = f"output_blocks.{block * (layers + 1) + layers}.{2 if attended else 1}"
        else:
            place = f"output_blocks.{block * (layers + 1) + index}.{0 if member == 'resnets' else 1}"
        state[f"{place}.{tail}"] = tensor
    return {UNET + name: tensor for name, tensor in state.items()}


def vae(model: Any) -> State:
    """An AutoencoderKL; its attention was made of convolutions then."""
    count, state = len(model.config.block_out_channels), {}
    for name, tensor in model.state_dict().items():
        name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        for index in range(count):
            name = name.replace(f"down_blocks.{index}.", f"down.{index}.")
            name = name.replace(f"up_blocks.{index}.", f"up.{count - 1 - index}.")
        name = name.replace("resnets", "block")
        name = name.replace("downsamplers.0", "downsample").replace("upsamplers.0", "upsample")
        if "mid_block.attentions.0" in name:
            name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            for here, there in (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
                name = name.replace(here, there)
            tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        state[f"first_stage_model.{name}"] = tensor
    return state


def clip(model: Any, prefix: str) -> State:
    """A CLIPTextModel under the names of transformers."""
    return {f"{prefix}text_model.{name.removeprefix('text_model.')}": t for name, t in model.state_dict().items()}


def open_clip(model: Any, prefix: str) -> State:
    """A CLIP text encoder under the names of OpenCLIP, which keeps query, key and value in one."""
    source = {name.removeprefix("text_model."): tensor for name, tensor in model.state_dict().items()}
    state = {
        "positional_embedding": source.pop("embeddings.position_embedding.weight"),
        "token_embedding.weight": source.pop("embeddings.token_embedding.weight"),
        "ln_final.weight": source.pop("final_layer_norm.weight"),
        "ln_final.bias": source.pop("final_layer_norm.bias"),
    }
    if "text_projection.weight" in source:
        state["text_projection"] = source.pop("text_projection.weight").T
    for layer in range(model.config.num_hidden_layers):
        start, place = f"encoder.layers.{layer}.", f"transformer.resblocks.{layer}."
        for kind in ("weight", "bias"):
            three = [source.pop(f"{start}self_attn.{part}_proj.{kind}") for part in "qkv"]
            state[f"{place}attn.in_proj_{kind}"] = torch.cat(three)
        for name in [name for name in source if name.startswith(start)]:
            state[place + _renamed(name.removeprefix(start), _OPEN_CLIP)] = source.pop(name)
    assert set(source) <= {"embeddings.position_ids"}
    return {prefix + name: tensor for name, tensor in state.items()}
