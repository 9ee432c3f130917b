"""The starter model's latent space, written down rather than learnt: full brightness, half-resolution colour.

A 2x2 block of pixels becomes six numbers, as in video with 4:2:0 chroma: its mean red, green and blue, and three Haar
details of its luma (left - right, top - bottom, diagonal). :func:`to_latents` is the definition.
:func:`write_encoder` sets the weights of an AutoencoderKL's encoder so that it computes the same: residual branches are
switched off, and its last GroupNorm and SiLU, which cannot be switched off, are held in their linear range. A linear,
almost orthogonal encoder passes guidance gradients on to the pixels undistorted. Only the decoder is trained.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHANNELS = 6
DETAIL_GAIN = 3.0  # brings the details' spread near that of the colours
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601

_HUGE = 30.0  # a constant pair +-HUGE in each group fixes the GroupNorm's statistics
_SHIFT = 12.0  # SiLU(x + 12) = x + 12 to within 2e-4
_NO_NOISE = -20.0  # log-variance of the posterior
_SIGNS = torch.tensor([[[1.0, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]])  # details of a 2x2 block


def kernels() -> Tensor:
    """The six linear maps of a 2x2 block, (6, 3, 2, 2)."""
    means = torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2) / 4
    details = torch.tensor(LUMA)[None, :, None, None] * _SIGNS[:, None] * (DETAIL_GAIN / 4)
    return torch.cat([means, details])


def to_latents(images: Tensor) -> Tensor:
    """Latents (B, 6, H/2, W/2) of pictures (B, 3, H, W) in [-1, 1]."""
    return F.conv2d(images, kernels().to(images), stride=2)


@torch.no_grad()
def write_encoder(vae: Any) -> None:
    """Make the encoder of a two-level AutoencoderKL compute :func:`to_latents`."""
    encoder, groups = vae.encoder, vae.config.norm_num_groups
    for parameter in [*encoder.parameters(), *vae.quant_conv.parameters()]:
        parameter.zero_()
    first, second = encoder.down_blocks
    for color in range(3):
        encoder.conv_in.weight[color, color, 1, 1] = 1
    first.downsamplers[0].conv.weight[:CHANNELS, :3, :2, :2] = kernels()
    widen = second.resnets[0].conv_shortcut
    per_group = widen.out_channels // groups
    deviation = (2 * _HUGE**2 / per_group) ** 0.5
    for channel in range(CHANNELS):
        signal, high, low, mirror = (per_group * channel + place for place in range(4))
        widen.weight[signal, channel], widen.weight[mirror, channel] = 1, -1  # the group's mean stays 0
        widen.bias[high], widen.bias[low] = _HUGE, -_HUGE
        encoder.conv_norm_out.weight[signal] = deviation
        encoder.conv_norm_out.bias[signal] = _SHIFT
        encoder.conv_out.weight[channel, signal, 1, 1] = 1
        encoder.conv_out.bias[channel] = -_SHIFT
    encoder.conv_out.bias[CHANNELS:] = _NO_NOISE
    vae.quant_conv.weight.copy_(torch.eye(2 * CHANNELS)[:, :, None, None])
