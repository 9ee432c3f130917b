"""What a plausible object looks like, as losses: opaque or empty, facing us, smooth. Each is a scalar."""

from __future__ import annotations

import torch
from torch import Tensor


def opacity_entropy(opacity: Tensor) -> Tensor:
    """Mean entropy, in bits, of rays' opacities (R,): 0 where each is opaque or empty, 1 where all are one half."""
    p = opacity.clamp(1e-4, 1 - 1e-4)
    return -(p * p.log2() + (1 - p) * (1 - p).log2()).mean()


def orientation(weights: Tensor, normals: Tensor, directions: Tensor) -> Tensor:
    """Penalty on visible surface that faces away: weighted mean of max(0, n . d)^2 (Ref-NeRF, equation 11).

    For samples with weights (K,), unit normals (K, 3) and unit view directions (K, 3). Detach the weights to turn
    surfaces round without thinning them out.
    """
    facing_away = (normals * directions).sum(-1).clamp(min=0)
    return (weights * facing_away**2).sum() / weights.sum().clamp(min=1e-6)


def normal_smoothness(normals: Tensor, nearby: Tensor) -> Tensor:
    """Mean squared distance between unit normals (K, 3) and those of points nearby: 0 on a plane, at most 4."""
    return (normals - nearby).square().sum(-1).sum() / max(len(normals), 1)


def nearby_points(positions: Tensor, spread: float, generator: torch.Generator) -> Tensor:
    """Positions (K, 3), each moved by a normally distributed step of `spread` along every axis."""
    step = torch.randn(positions.shape, generator=generator, device=generator.device, dtype=positions.dtype)
    return positions + spread * step.to(positions.device)
