"""Analytic fields: an independent truth for what is made out of a field."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AnalyticField(nn.Module):
    """density = peak inside, falling to 0 across the surface of a signed-distance function within about `width`."""

    def __init__(self, distance, peak: float = 200.0, width: float = 0.002, color=None):
        super().__init__()
        self.distance, self.peak, self.width = distance, peak, width
        self.color = color or waves

    def density(self, x: Tensor) -> Tensor:
        return self.peak * torch.sigmoid(-self.distance(x) / self.width)

    def query(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.density(x), self.color(x)

    def normal(self, x: Tensor) -> Tensor:
        return torch.nn.functional.normalize(x, dim=-1)


def waves(x: Tensor) -> Tensor:
    """A different colour everywhere."""
    return 0.5 + 0.45 * torch.sin(5 * x + torch.tensor([0.0, 1.0, 2.0]))


def ball(radius: float, center=(0.0, 0.0, 0.0)):
    return lambda x: (x - torch.tensor(center)).norm(dim=-1) - radius


def torus(radius: float, tube: float):
    """Around Z."""
    return lambda x: torch.hypot(x[:, :2].norm(dim=-1) - radius, x[:, 2]) - tube


def union(*shapes):
    return lambda x: torch.stack([shape(x) for shape in shapes]).amin(0)


def cut(shape, hole):
    return lambda x: torch.maximum(shape(x), -hole(x))
