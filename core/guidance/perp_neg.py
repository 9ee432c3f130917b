"""Perp-Neg: negative prompts that cannot cancel the positive one (arXiv 2304.04968).

A view should not look like another side. Subtracting the noise of ", front view" would subtract the object too; so only
its component perpendicular to the positive direction is subtracted:

    d_i = epsilon_i - epsilon_uncond,   i = text, front, side
    epsilon_hat = epsilon_uncond + s (d_text + sum_i w_i perp(d_i, d_text)),   w_i <= 0
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.camera import Views
from core.prompt import azimuth_from_front, is_overhead

FRONT_DECAY, SIDE_DECAY = 2.0, 10.0  # stable-dreamfusion's front_decay_factor and side_decay_factor


def perpendicular(vectors: Tensor, direction: Tensor) -> Tensor:
    """The component of `vectors` that is perpendicular to `direction`, each picture (B, C, h, w) taken as one vector.

    Where the direction is zero, everything is perpendicular to it.
    """
    dims = (1, 2, 3)
    length = direction.square().sum(dims, keepdim=True)
    along = (vectors * direction).sum(dims, keepdim=True) / length.where(length > 0, 1)
    return vectors - along * direction


def perp_neg_noise(
    eps_uncond: Tensor, eps_text: Tensor, eps_negatives: Tensor, weights: Tensor, scale: float
) -> Tensor:
    """epsilon_hat (B, C, h, w) of the module's formula; `eps_negatives` is (N, B, C, h, w), `weights` (N, B)."""
    text = eps_text - eps_uncond
    total = text
    for eps, weight in zip(eps_negatives, weights, strict=True):
        total = total + weight.view(-1, 1, 1, 1) * perpendicular(eps - eps_uncond, text)
    return eps_uncond + scale * total


def negative_weights(views: Views, negative_w: float) -> Tensor:
    """Weights (2, B) of the negatives ", front view" and ", side view": 0, or of the sign of `negative_w`.

    stable-dreamfusion's, with r falling from 1 to 0 between the middles of two sides, and w = negative_w:

        from front to side    front = w e^(-2 r), 0 where r > 0.8;    side = w e^(-10 (1 - r)), 0 where r < 0.2
        from side to back     front = w;                              side = w / 2 e^(-10 r), 0 where r > 0.8

    From overhead nothing is subtracted.
    """
    angle = azimuth_from_front(views)
    r = 1 - torch.remainder(angle, 90) / 90
    r = r.where(angle < 180, 0.0)
    front, side = torch.exp(-FRONT_DECAY * r).where(r <= 0.8, 0), torch.exp(-SIDE_DECAY * (1 - r)).where(r >= 0.2, 0)
    behind = torch.exp(-SIDE_DECAY * r).where(r <= 0.8, 0) / 2
    before = angle < 90
    weights = torch.stack([front.where(before, 1.0), side.where(before, behind)])
    return negative_w * weights.where(~is_overhead(views), 0.0)
