"""Score Distillation Sampling as pure functions of tensors.

    symbol        here          meaning
    z             latents       what the diffusion model sees, (B, C, h, w)
    t             timesteps     noise level, an integer in [0, T)
    alpha_bar_t   alpha_bar     share of signal power left at t, (B,)
    epsilon       noise         the noise that was added
    s             scale         classifier-free guidance scale

    z_t  = sqrt(alpha_bar_t) z + sqrt(1 - alpha_bar_t) epsilon
    grad = w(t) (epsilon_hat - epsilon),   w(t) = 1 - alpha_bar_t            (DreamFusion, arXiv 2209.14988, equation 3)
    epsilon_hat = epsilon_uncond + s (epsilon_text - epsilon_uncond)         (Ho and Salimans, arXiv 2207.12598)

Nothing here replaces values that are not finite: they reach the loss, where the training loop sees and skips them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def sds_gradient(eps_uncond: Tensor, eps_text: Tensor, noise: Tensor, alpha_bar: Tensor, scale: float) -> Tensor:
    """The gradient that SDS assigns to the latents, w(t) (epsilon_hat - epsilon).

    All pictures are (B, C, h, w), `alpha_bar` is (B,). A scale of 1 is the text prediction, 0 the unconditional one.
    """
    eps = eps_uncond + scale * (eps_text - eps_uncond)
    return _per_picture(1 - alpha_bar) * (eps - noise)


def sds_loss(latents: Tensor, grad: Tensor) -> Tensor:
    """A scalar whose derivative with respect to `latents` is grad / B; its value is |grad|^2 / (2 B).

    The target latents - grad is held fixed, so the diffusion model is not differentiated.
    """
    targets = (latents - grad).detach()
    return 0.5 * (latents - targets).square().sum() / latents.shape[0]


def add_noise(latents: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """z_t: the latents (B, C, h, w) at the noise level alpha_bar (B,) (DDPM, arXiv 2006.11239, equation 4)."""
    signal = _per_picture(alpha_bar)
    return signal.sqrt() * latents + (1 - signal).sqrt() * noise


def epsilon_from_v(velocity: Tensor, noisy: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise that a v-prediction means: sqrt(alpha_bar) v + sqrt(1 - alpha_bar) z_t.

    Follows from v = sqrt(alpha_bar) epsilon - sqrt(1 - alpha_bar) z (arXiv 2202.00512, appendix D).
    """
    signal = _per_picture(alpha_bar)
    return signal.sqrt() * velocity + (1 - signal).sqrt() * noisy


def draw_timesteps(count: int, min_step: int, max_step: int, generator: torch.Generator | None = None) -> Tensor:
    """`count` timesteps, uniform over min_step to max_step, both included; on the generator's device."""
    device = generator.device if generator is not None else None
    return torch.randint(min_step, max_step + 1, (count,), generator=generator, device=device)


def anneal_t_max(t_range: tuple[float, float], t_max_end: float, progress: float) -> float:
    """The upper end of t_range at a progress of 0 to 1: falls linearly from t_range[1] to t_max_end.

    Coarse shape first, detail later (as in DreamGaussian, arXiv 2309.16653). Never falls below t_range[0].
    """
    t_min, t_max = t_range
    return max(t_min, t_max + (t_max_end - t_max) * progress)


def _per_picture(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
