"""From what a diffusion model predicts to the gradient of the latents: SDS and its successors, as pure functions.

Each compares two predictions of noise at noisy latents z_t. They differ only in where z_t comes from, and in what is
subtracted:

    grad = w(t) (epsilon_hat(z_t) - reference)

    method  z_t                                     reference                                source
    sds     random noise added to z                 that noise                               arXiv 2209.14988, (3)
    vsd     random noise added to z                 what a score of the renders predicts     arXiv 2305.16213, (9)
    ism     z inverted to s < t, one step on to t   the unconditional prediction at z_s      arXiv 2311.11284, sec. 3
    sdi     z inverted to t                         the noise that inversion put in z_t      arXiv 2405.15891, sec. 5

    z              latents    what the diffusion model sees, (B, C, h, w)
    t              t          timesteps, (B,) integers
    alpha_bar      alphas     share of signal power at each timestep, (T,)
    epsilon_hat               the prediction under guidance, see :func:`guided_prediction`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.config import DistillationConfig
from core.guidance import sds
from core.guidance.perp_neg import perp_neg_noise

Predict = Callable[[Tensor, Tensor], Tensor]  # z_t (B, C, h, w) and t (B,) -> the noise seen in it (B, C, h, w)
PredictTexts = Callable[[Tensor, Tensor, int], Tensor]
"""z_t, t and a number N of texts -> the noise seen in it (N, B, C, h, w): by no text, the prompt, each negative."""


@dataclass(frozen=True)
class Comparison:
    """Where a method asks for the guided prediction, and what it subtracts from it, both (B, C, h, w)."""

    noisy: Tensor
    reference: Tensor


@dataclass(frozen=True)
class Scores:
    """What there is to ask: the diffusion model, told the texts and cameras of one step, and the score of VSD."""

    predict: PredictTexts
    alphas: Tensor  # alpha_bar, (T,)
    learned: Predict | None = None  # with VSD

    def unconditional(self, noisy: Tensor, t: Tensor) -> Tensor:
        """The noise (B, C, h, w) by no text."""
        return self.predict(noisy, t, 1)[0]

    def guided(self, noisy: Tensor, t: Tensor, scale: float) -> Tensor:
        """The noise (B, C, h, w) under classifier-free guidance alone."""
        uncond, text = self.predict(noisy, t, 2)
        return sds.guided_noise(uncond, text, scale)


@dataclass(frozen=True)
class Recipe:
    """One step's distillation: the settings of the job, and what changes from step to step."""

    scale: float  # of the guidance
    config: DistillationConfig = field(default_factory=DistillationConfig)
    negative_weights: Tensor | None = None  # (N, B), of Perp-Neg; None without


def sds_comparison(latents: Tensor, t: Tensor, noise: Tensor, alphas: Tensor) -> Comparison:
    """DreamFusion: the noise that was added is the reference. It is the score of a single picture, hence no spread."""
    return Comparison(sds.add_noise(latents, noise, alphas[t]), noise)


def vsd_comparison(latents: Tensor, t: Tensor, noise: Tensor, alphas: Tensor, learned: Predict) -> Comparison:
    """ProlificDreamer: a score that is learnt of the renders (core.guidance.learned_score) is the reference."""
    noisy = sds.add_noise(latents, noise, alphas[t])
    return Comparison(noisy, learned(noisy, t))


def ism_comparison(
    latents: Tensor, t: Tensor, alphas: Tensor, unconditional: Predict, interval: int, steps: int
) -> Comparison:
    """LucidDreamer: the unconditional prediction `interval` timesteps earlier on the inverted path is the reference.

    Nothing is random: z is inverted in `steps` steps to s = max(t - interval, 1), and from there in one step to t.
    """
    earlier = (t - interval).clamp(min=1)  # at 0 a model of rectified flow knows no noise at all
    start = sds.add_noise(latents, inverted_noise(latents, earlier, alphas, unconditional, steps), alphas[earlier])
    reference = unconditional(start, earlier)
    return Comparison(ddim_step(start, reference, alphas[earlier], alphas[t]), reference)


def sdi_comparison(latents: Tensor, t: Tensor, alphas: Tensor, predict: Predict, steps: int) -> Comparison:
    """Score Distillation via Inversion: the noise that inverting z to t puts into it is the reference.

    `predict` is the prediction with the guidance scale's sign turned, as in the paper.
    """
    noise = inverted_noise(latents, t, alphas, predict, steps)
    return Comparison(sds.add_noise(latents, noise, alphas[t]), noise)


def inverted_noise(latents: Tensor, t: Tensor, alphas: Tensor, predict: Predict, steps: int) -> Tensor:
    """The noise (B, C, h, w) that DDIM inversion puts into noise-free latents, in `steps` equal steps from 0 to t.

    With sigma = sqrt((1 - alpha_bar) / alpha_bar), y = z_t / sqrt(alpha_bar) follows dy = epsilon(z_t) dsigma from
    y = z (arXiv 2010.02502, equation 14). So y = z + sum of epsilon dsigma, and its noise is that sum over sigma_t.
    """
    noisy, added, sigma = latents, torch.zeros_like(latents), torch.zeros_like(sds.per_picture(alphas[t]))
    for step in range(steps):
        now, then = (torch.round(t * (share / steps)).long() for share in (step, step + 1))
        target = sds.x0_weight(alphas[then])
        added = added + (target - sigma) * predict(noisy, now)
        noisy, sigma = sds.per_picture(alphas[then]).sqrt() * (latents + added), target
    return added / sigma


def ddim_step(noisy: Tensor, eps: Tensor, alpha_bar: Tensor, target: Tensor) -> Tensor:
    """Noisy latents at the level alpha_bar (B,), taken along predicted noise to the level `target` (B,).

    DDIM (arXiv 2010.02502), equation 12 with sigma = 0.
    """
    return sds.add_noise(sds.predicted_latents(eps, noisy, alpha_bar), eps, target)


def guided_prediction(scores: Scores, noisy: Tensor, t: Tensor, recipe: Recipe) -> Tensor:
    """epsilon_hat (B, C, h, w): classifier-free guidance, with Perp-Neg and rescaled where the recipe says so."""
    weights, share = recipe.negative_weights, recipe.config.cfg_rescale
    uncond, text, *negatives = scores.predict(noisy, t, 2 if weights is None else 2 + len(weights))
    if weights is None:
        eps = sds.guided_noise(uncond, text, recipe.scale)
    else:
        eps = perp_neg_noise(uncond, text, torch.stack(negatives), weights, recipe.scale)
    return sds.rescale_guidance(eps, text, noisy, scores.alphas[t], share) if share else eps


def compare(scores: Scores, latents: Tensor, t: Tensor, noise: Tensor, recipe: Recipe) -> Comparison:
    """The comparison of the recipe's method. Raises ValueError for VSD without a learnt score."""
    config, alphas = recipe.config, scores.alphas
    if config.method == "ism":
        interval = round(config.interval * len(alphas))
        return ism_comparison(latents, t, alphas, scores.unconditional, interval, config.inversion_steps)
    if config.method == "sdi":
        return sdi_comparison(
            latents, t, alphas, lambda noisy, at: scores.guided(noisy, at, -recipe.scale), config.inversion_steps
        )
    if config.method == "vsd":
        if scores.learned is None:
            raise ValueError("VSD compares with a learnt score: give one, see core.guidance.learned_score.")
        return vsd_comparison(latents, t, noise, alphas, scores.learned)
    return sds_comparison(latents, t, noise, alphas)


@torch.no_grad()
def mean_gradient(scores: Scores, latents: Tensor, draw: Callable[[], tuple[Tensor, Tensor]], recipe: Recipe) -> Tensor:
    """The mean of :func:`gradient` over the recipe's number of draws; `draw` gives timesteps (B,) and noise each."""
    draws = recipe.config.draws
    total = torch.zeros_like(latents)
    for _ in range(draws):
        t, noise = draw()
        total += gradient(scores, latents, t, noise, recipe)
    return total / draws


def gradient(scores: Scores, latents: Tensor, t: Tensor, noise: Tensor, recipe: Recipe) -> Tensor:
    """The gradient of the latents (B, C, h, w) for one draw of timesteps (B,) and noise (B, C, h, w), clamped."""
    config, alpha_bar = recipe.config, scores.alphas[t]
    comparison = compare(scores, latents, t, noise, recipe)
    eps = guided_prediction(scores, comparison.noisy, t, recipe)
    weight = sds.x0_weight if config.weighting == "x0" else sds.noise_weight
    grad = weight(alpha_bar) * (eps - comparison.reference)
    if config.grad_clip_pixel:
        grad = sds.clamp_pixels(grad, config.grad_clip_pixel)
    return sds.clamp_values(grad, config.grad_clip) if config.grad_clip else grad
