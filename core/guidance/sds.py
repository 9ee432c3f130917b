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

_PICTURE = (1, 2, 3)  # the dimensions of one picture in a batch


def sds_gradient(eps_uncond: Tensor, eps_text: Tensor, noise: Tensor, alpha_bar: Tensor, scale: float) -> Tensor:
    """The gradient that SDS assigns to the latents, w(t) (epsilon_hat - epsilon).

    All pictures are (B, C, h, w), `alpha_bar` is (B,). A scale of 1 is the text prediction, 0 the unconditional one.
    """
    return noise_weight(alpha_bar) * (guided_noise(eps_uncond, eps_text, scale) - noise)


def sds_loss(latents: Tensor, grad: Tensor) -> Tensor:
    """A scalar whose derivative with respect to `latents` is grad / B; its value is |grad|^2 / (2 B).

    The target latents - grad is held fixed, so the diffusion model is not differentiated.
    """
    targets = (latents - grad).detach()
    return 0.5 * (latents - targets).square().sum() / latents.shape[0]


def guided_noise(eps_uncond: Tensor, eps_text: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance, epsilon_uncond + s (epsilon_text - epsilon_uncond), all (B, C, h, w)."""
    return eps_uncond + scale * (eps_text - eps_uncond)


def noise_weight(alpha_bar: Tensor) -> Tensor:
    """w(t) = 1 - alpha_bar of SDS, (B, 1, 1, 1)."""
    return 1 - per_picture(alpha_bar)


def x0_weight(alpha_bar: Tensor) -> Tensor:
    """w(t) = sqrt((1 - alpha_bar) / alpha_bar), (B, 1, 1, 1): with it the gradient of SDS is z - z0_hat.

    MVDream's x0 reconstruction (arXiv 2308.16512, section 3.3), and the weight of LucidDreamer (arXiv 2311.11284).
    """
    signal = per_picture(alpha_bar)
    return ((1 - signal) / signal).sqrt()


def predicted_latents(eps: Tensor, noisy: Tensor, alpha_bar: Tensor) -> Tensor:
    """z0_hat, the latents in z_t by a prediction of its noise: (z_t - sqrt(1 - alpha_bar) eps) / sqrt(alpha_bar).

    All pictures are (B, C, h, w), `alpha_bar` is (B,) (DDIM, arXiv 2010.02502, equation 9).
    """
    signal = per_picture(alpha_bar)
    return (noisy - (1 - signal).sqrt() * eps) / signal.sqrt()


def rescale_guidance(eps: Tensor, eps_text: Tensor, noisy: Tensor, alpha_bar: Tensor, share: float) -> Tensor:
    """Guided noise whose latents are no more colourful than those of the text alone: less saturated pictures.

        z0'  = z0_hat * std(z0_text) / std(z0_hat)           (Lin et al., arXiv 2305.08891, equation 15)
        z0'' = share * z0' + (1 - share) * z0_hat            (equation 16)

    As MVDream does (arXiv 2308.16512, section 3.3), the predicted latents are rescaled, not the noise. Standard
    deviations are of one picture. `eps` is the guided prediction, `eps_text` the plain one, both (B, C, h, w).
    """
    latents, text = predicted_latents(eps, noisy, alpha_bar), predicted_latents(eps_text, noisy, alpha_bar)
    ratio = text.std(_PICTURE, keepdim=True) / latents.std(_PICTURE, keepdim=True)
    signal = per_picture(alpha_bar)
    rescaled = latents * (share * ratio + 1 - share)
    return (noisy - signal.sqrt() * rescaled) / (1 - signal).sqrt()


def clamp_values(grad: Tensor, limit: float) -> Tensor:
    """Each finite number of a gradient kept within -limit to limit (threestudio's grad_clip)."""
    return grad.clamp(-limit, limit).where(grad.isfinite(), grad)


def clamp_pixels(grad: Tensor, limit: float) -> Tensor:
    """Each pixel's vector of a gradient (B, C, h, w) made no longer than limit (threestudio's grad_clip_pixel)."""
    length = grad.norm(dim=1, keepdim=True)
    shorter: Tensor = limit / length.clamp(min=limit)
    return grad * shorter


def add_noise(latents: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """z_t: the latents (B, C, h, w) at the noise level alpha_bar (B,) (DDPM, arXiv 2006.11239, equation 4)."""
    signal = per_picture(alpha_bar)
    return signal.sqrt() * latents + (1 - signal).sqrt() * noise


def epsilon_from_v(velocity: Tensor, noisy: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise that a v-prediction means: sqrt(alpha_bar) v + sqrt(1 - alpha_bar) z_t.

    Follows from v = sqrt(alpha_bar) epsilon - sqrt(1 - alpha_bar) z (arXiv 2202.00512, appendix D).
    """
    signal = per_picture(alpha_bar)
    return signal.sqrt() * velocity + (1 - signal).sqrt() * noisy


def per_picture(values: Tensor) -> Tensor:
    """One number a picture, (B,), shaped (B, 1, 1, 1) to multiply pictures with."""
    return values.view(-1, 1, 1, 1)


def whole(tensor: Tensor) -> Tensor:
    """The same in float32 where it was less, so that nothing is computed in half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
