"""How noise and signal mix at each timestep, and what a model's output says about the noise.

Everything outside of this module sees one kind of model, the variance-preserving diffusion of sds.py: noisy latents
z_t = sqrt(alpha_bar_t) z + sqrt(1 - alpha_bar_t) epsilon, and a prediction epsilon_hat of the noise in them.

    model            is given       says          epsilon_hat
    epsilon          z_t            epsilon       output
    v-prediction     z_t            v             sqrt(alpha_bar) v + sqrt(1 - alpha_bar) z_t
    rectified flow   c z_t          v             c z_t + (1 - sigma) v

Rectified flow (arXiv 2209.03003; Stable Diffusion 3, arXiv 2403.03206, section 2) mixes x_sigma = (1 - sigma) z +
sigma epsilon, and its velocity is v = dx/dsigma = epsilon - z. Divided by c = sqrt((1 - sigma)^2 + sigma^2) that is
z_t with

    alpha_bar = (1 - sigma)^2 / c^2,    1 - alpha_bar = sigma^2 / c^2:

the same picture with the same noise, in other units. From x_sigma and v_hat follow

    epsilon_hat = x_sigma + (1 - sigma) v_hat,    z_hat = x_sigma - sigma v_hat.

SDS for rectified flow. Its loss is w_v(t) |v_hat - (epsilon - z)|^2; leaving out the derivative of the model, as
DreamFusion does, gives the gradient w_v(t) (v_hat - (epsilon - z)) (up to sign and scale that of arXiv 2406.03293).
Since epsilon_hat - epsilon = (1 - sigma) (v_hat - (epsilon - z)), the noise form w(t) (epsilon_hat - epsilon) is the
velocity form with w_v = (1 - sigma) w, and DreamFusion's w = 1 - alpha_bar means w_v = sigma^2 (1 - sigma) / c^2.
Guidance is linear, so guiding v and guiding epsilon are the same. Therefore one sds_gradient serves all families.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from core.guidance import sds


class NoiseSchedule(Protocol):
    """What training needs to know of a model's noise; `t` are indices from 0 (little noise) to T - 1, (B,)."""

    @property
    def alphas(self) -> Tensor:
        """alpha_bar, (T,): the share of signal power at each timestep."""

    def as_given(self, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """What the model is given for z_t (B, C, h, w): its own noisy picture, and the time as it counts it (B,)."""

    def noise(self, output: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """epsilon_hat (B, C, h, w) of the model's output (B, C, h, w) for z_t."""


class DiffusionSchedule(nn.Module):
    """Models that predict epsilon or v, with the alphas_cumprod of a diffusers scheduler."""

    alphas: Tensor

    def __init__(self, scheduler: Any) -> None:
        """Take over the scheduler's table."""
        super().__init__()
        self.register_buffer("alphas", scheduler.alphas_cumprod, persistent=False)
        self.predicts_v = scheduler.config.prediction_type == "v_prediction"

    def as_given(self, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """As they are."""
        return noisy, t

    def noise(self, output: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """The output, or what it means."""
        return sds.epsilon_from_v(output, noisy, self.alphas[t]) if self.predicts_v else output


class FlowSchedule(nn.Module):
    """Models of rectified flow, with the (shifted) sigmas of diffusers' FlowMatchEulerDiscreteScheduler."""

    sigmas: Tensor
    times: Tensor

    def __init__(self, scheduler: Any) -> None:
        """Take over the scheduler's table, from little noise to much."""
        super().__init__()
        self.register_buffer("sigmas", scheduler.sigmas.flip(0), persistent=False)
        self.register_buffer("times", scheduler.timesteps.flip(0), persistent=False)

    @property
    def alphas(self) -> Tensor:
        """(1 - sigma)^2 / c^2."""
        return ((1 - self.sigmas) / self._length(self.sigmas)).square()

    def as_given(self, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """c z_t, and sigma times the number of timesteps."""
        return self._length(self._sigma(t)) * noisy, self.times[t]

    def noise(self, output: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """c z_t + (1 - sigma) v."""
        sigma = self._sigma(t)
        return self._length(sigma) * noisy + (1 - sigma) * output

    def _sigma(self, t: Tensor) -> Tensor:
        return self.sigmas[t].view(-1, 1, 1, 1)

    @staticmethod
    def _length(sigma: Tensor) -> Tensor:
        """c, the length of (1 - sigma, sigma)."""
        return torch.hypot(1 - sigma, sigma)
