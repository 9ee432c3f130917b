"""Diffusion models whose noise prediction is known exactly, in float64, on Stable Diffusion's noise schedule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.guidance.distillation import Scores

ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2, 0)
Prediction = Callable[[Tensor, Tensor], Tensor]


def gaussian(mean: Tensor | float, deviation: Tensor | float) -> Prediction:
    """The noise in z_t where pictures are spread normally about `mean`: -sqrt(1 - alpha_bar) times the score of
    N(sqrt(alpha_bar) mean, alpha_bar deviation^2 + 1 - alpha_bar)."""

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        signal = ALPHAS[t].view(-1, 1, 1, 1)
        return (1 - signal).sqrt() * (noisy - signal.sqrt() * mean) / (signal * deviation**2 + 1 - signal)

    return predict


def two_gaussians(mean: Tensor, deviation: float) -> Prediction:
    """The noise in z_t where half of the pictures lie about `mean`, the others about -mean."""

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        signal = ALPHAS[t].view(-1, 1, 1, 1)
        spread = signal * deviation**2 + 1 - signal
        towards = torch.tanh((noisy * signal.sqrt() * mean / spread).sum((1, 2, 3), keepdim=True))
        return (1 - signal).sqrt() * (noisy - signal.sqrt() * towards * mean) / spread

    return predict


def scores(*predictions: Prediction, learned: Prediction | None = None) -> Scores:
    """One prediction for each text: without text, the prompt, negatives. A single one serves for both of the first."""
    texts = predictions * 2 if len(predictions) == 1 else predictions

    def predict(noisy: Tensor, t: Tensor, count: int) -> Tensor:
        return torch.stack([text(noisy, t) for text in texts[:count]])

    return Scores(predict, ALPHAS, learned)
