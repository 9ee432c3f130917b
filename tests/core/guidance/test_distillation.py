"""Each method of distillation, where theory says what it must do: models whose score is known exactly, in float64.

All descend dz/dtau = -grad with the exact score, so that nothing but the method decides where pictures go.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.config import DistillationConfig
from core.guidance import sds
from core.guidance.distillation import Recipe, Scores, ddim_step, gradient, inverted_noise, mean_gradient
from tests.core.guidance.known_scores import ALPHAS, gaussian, scores, two_gaussians

SHAPE = (2, 2, 2)
METHODS_WITHOUT_LEARNING = ("sds", "ism", "sdi")


def recipe(method: str, scale: float = 1.0, **settings) -> Recipe:
    return Recipe(scale, DistillationConfig(method=method, **settings))


def normal(count: int, seed: int) -> Tensor:
    return torch.randn(count, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def picture() -> Tensor:
    """Some picture, (1, 2, 2, 2) with values in [-1, 1]."""
    return torch.rand(1, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(9)) * 2 - 1


def descend(
    model: Scores, plan: Recipe, latents: Tensor, steps: int, t_range=(20, 980), rate: float = 1.0, anneal: bool = False
) -> Tensor:
    """Gradient descent; the rate falls to nothing, or with `anneal` the timesteps fall from the upper end."""
    generator = torch.Generator().manual_seed(3)
    for step in range(steps):
        left = 1 - step / steps
        if anneal:
            t = torch.full((len(latents),), round(t_range[0] + (t_range[1] - t_range[0]) * left))
        else:
            t = torch.randint(t_range[0], t_range[1] + 1, (len(latents),), generator=generator)
        noise = torch.randn(latents.shape, dtype=torch.float64, generator=generator)
        latents = latents - (rate if anneal else rate * left) * gradient(model, latents, t, noise, plan)
    return latents


# A single Gaussian about a picture


@pytest.mark.parametrize("method", METHODS_WITHOUT_LEARNING)
@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_they_find_the_picture_that_the_model_knows(method, scale):
    """All pictures lie about one. Of SDS the mean gradient is w(t) sqrt(a (1 - a)) / v (z - picture); of ISM and SDI,
    where inversion follows the exact path z_t = sqrt(a) picture + sqrt(v) / s (z - picture) of the Gaussian, it is a
    positive multiple of z - picture without any chance in it: each has its only fixed point at the picture."""
    target = picture()
    rate = 20.0 if method == "ism" else 1.0
    latents = descend(scores(gaussian(target, 0.3)), recipe(method, scale), 2 * normal(8, 0), 400, rate=rate)
    assert (latents - target).abs().max() < 0.05


@pytest.mark.parametrize("method", ["ism", "sdi"])
def test_inversion_leaves_nothing_to_chance(method):
    model, latents, t = scores(gaussian(picture(), 0.3)), normal(2, 1), torch.tensor([400, 700])
    first, second = (gradient(model, latents, t, normal(2, seed), recipe(method)) for seed in (2, 3))
    assert torch.equal(first, second)
    draws = [gradient(model, latents, t, normal(2, seed), recipe("sds")) for seed in (2, 3)]
    assert (draws[0] - draws[1]).abs().max() > 0.01


@pytest.mark.parametrize("method", ["ism", "sdi"])
def test_inversion_in_small_steps_follows_the_exact_path(method):
    """N(m, s^2) is transported by the probability flow as z_t - sqrt(a) m = sqrt(v_t) / s (z - m), v_t = a s^2 + 1 - a.

    There epsilon(z_t) = sqrt(1 - a) / sqrt(v_t) (z - m) / s. ISM's gradient is the difference of that between t and s;
    SDI's, by the noise kappa = (z_t - sqrt(a) z) / sqrt(1 - a) that inversion put in."""
    target, s, latents, t = picture(), 0.5, normal(3, 1), torch.tensor([200, 500, 800])
    found = gradient(scores(gaussian(target, s)), latents, t, normal(3, 2), recipe(method, inversion_steps=800))

    def path(at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a = ALPHAS[at].view(-1, 1, 1, 1)
        v = a * s**2 + 1 - a
        return (
            a,
            a.sqrt() * target + v.sqrt() / s * (latents - target),
            (1 - a).sqrt() / v.sqrt() * (latents - target) / s,
        )

    a, z_t, eps = path(t)
    reference = path(t - 50)[2] if method == "ism" else (z_t - a.sqrt() * latents) / (1 - a).sqrt()
    expected = (1 - a) * (eps - reference)
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.02 * expected.abs().max().item())


@pytest.mark.parametrize("method", ["ism", "sdi"])
def test_with_guidance_they_find_the_prompts_picture_among_all(method):
    """Without text pictures are N(0, 1), with it they lie about one. Guidance overshoots at a high t, where both scores
    differ; the fixed point comes to the picture as t falls."""
    model = scores(gaussian(0.0, 1.0), gaussian(picture(), 0.3))
    found = [
        descend(model, recipe(method, 7.5, weighting="x0"), 0.5 * normal(4, 0), 200, (low, 500), 0.3, anneal=True)
        for low in (200, 5)
    ]
    far, near = ((latents - picture()).abs().max() for latents in found)
    assert near < 0.12
    assert far > 2 * near


# Two pictures


def test_sds_seeks_the_mean_picture_under_much_noise_and_one_of_both_under_little():
    """SDS descends the divergence of N(sqrt(a) z, 1 - a) from p_t. Where the noise is greater than the distance of the
    two pictures, p_t has one mode, between them; where it is less, each picture is one."""
    target = torch.ones(1, *SHAPE, dtype=torch.float64)
    model, start = scores(two_gaussians(target, 0.1)), 0.4 * target.expand(16, -1, -1, -1)
    blurred = descend(model, recipe("sds"), start, 1500, (940, 980))
    assert blurred.mean(0).abs().max() < 0.1
    sharp = descend(model, recipe("sds"), start, 300, (20, 300))
    assert (sharp - target).abs().max() < 0.1


@pytest.mark.parametrize("method", ["ism", "sdi"])
@pytest.mark.parametrize("sign", [1, -1])
def test_inversion_seeks_the_picture_that_it_starts_near(method, sign):
    """Within its spread each picture draws the path of the inversion alone, as if there were no other."""
    target = torch.ones(1, *SHAPE, dtype=torch.float64)
    start = sign * 0.8 * target + 0.05 * normal(4, 0)
    found = descend(scores(two_gaussians(target, 0.4)), recipe(method), start, 300, (20, 300), 5.0)
    assert (found - sign * target).abs().max() < 0.05


# VSD


def particle_score(particles: Tensor):
    """The exact noise prediction of particles that are spread normally, each number by itself."""
    return gaussian(particles.mean(0, keepdim=True), particles.std(0, keepdim=True, correction=0))


def spread_after(method: str, target: Tensor, deviation: float) -> Tensor:
    particles, generator = 0.8 * normal(400, 0), torch.Generator().manual_seed(3)
    for step in range(400):
        model = scores(gaussian(target, deviation), learned=particle_score(particles) if method == "vsd" else None)
        t = torch.randint(20, 980, (len(particles),), generator=generator)
        noise = torch.randn(particles.shape, dtype=torch.float64, generator=generator)
        particles = particles - (1 - step / 400) * gradient(model, particles, t, noise, recipe(method))
    return particles


def test_vsd_matches_the_spread_that_sds_destroys():
    """VSD descends the divergence of the particles' distribution from the model's (ProlificDreamer, theorem 1): at its
    only minimum both are the same, mean and deviation. SDS treats each particle by itself: all go to the mean."""
    target = picture()
    vsd, plain = (spread_after(method, target, 0.4) for method in ("vsd", "sds"))
    assert (vsd.mean(0) - target[0]).abs().max() < 0.05
    assert (vsd.std(0) / 0.4 - 1).abs().max() < 0.08
    assert (plain.mean(0) - target[0]).abs().max() < 0.05
    assert plain.std(0).max() < 0.25 * 0.4


def test_vsd_fills_both_pictures_of_a_mixture_as_the_model_does():
    """The particles start as a mixture of two of another place and spread, whose score is known as long as the halves
    stay apart. At the only minimum they are the model's own mixture; SDS draws each half together."""
    target, deviation = torch.ones(1, *SHAPE, dtype=torch.float64), 0.3
    found = {}
    for method in ("vsd", "sds"):
        particles, generator = 0.7 * target * halves(200) + 0.5 * normal(200, 0), torch.Generator().manual_seed(3)
        for step in range(300):
            folded = particles * halves(200)
            mean = folded.mean(0, keepdim=True)
            learned = two_gaussians(mean, (folded - mean).square().mean().sqrt().item()) if method == "vsd" else None
            t = torch.randint(20, 300, (200,), generator=generator)
            noise = torch.randn(particles.shape, dtype=torch.float64, generator=generator)
            model = scores(two_gaussians(target, deviation), learned=learned)
            particles = particles - 2 * (1 - step / 300) * gradient(model, particles, t, noise, recipe(method))
        found[method] = particles * halves(200)
    for folded in found.values():
        assert (folded.mean(0) - target[0]).abs().max() < 0.06
    assert found["vsd"].std() == pytest.approx(deviation, rel=0.1)
    assert found["sds"].std() < 0.6 * deviation  # and not zero, by the chance of its last steps


def halves(count: int) -> Tensor:
    """1 for one half of `count` particles, -1 for the other, (count, 1, 1, 1)."""
    return (1 - 2 * (torch.arange(count) % 2)).double().view(-1, 1, 1, 1)


def test_vsd_of_a_single_picture_is_sds():
    """The score of one picture z says epsilon = (z_t - sqrt(a) z) / sqrt(1 - a), the very noise that was added."""
    latents, noise, t = normal(3, 1), normal(3, 2), torch.tensor([100, 500, 900])
    known = scores(gaussian(0.0, 1.0), gaussian(picture(), 0.2), learned=gaussian(latents, 0.0))
    plain = scores(gaussian(0.0, 1.0), gaussian(picture(), 0.2))
    vsd, sds_ = (
        gradient(model, latents, t, noise, recipe(name, 7.5)) for model, name in ((known, "vsd"), (plain, "sds"))
    )
    torch.testing.assert_close(vsd, sds_, rtol=0, atol=1e-10)


def test_vsd_stands_still_where_renders_are_what_the_model_draws():
    model = gaussian(picture(), 0.3)
    known = scores(model, learned=model)
    grad = gradient(known, normal(2, 0), torch.tensor([300, 600]), normal(2, 1), recipe("vsd"))
    assert grad.abs().max() == 0


def test_vsd_without_a_learnt_score_is_refused():
    with pytest.raises(ValueError, match="VSD compares with a learnt score"):
        gradient(scores(gaussian(0.0, 1.0)), normal(1, 0), torch.tensor([500]), normal(1, 1), recipe("vsd"))


# What they share


def test_sds_is_the_seeds_gradient():
    uncond, text, latents, noise, t = (
        gaussian(0.0, 1.0),
        gaussian(picture(), 0.2),
        normal(2, 0),
        normal(2, 1),
        torch.tensor([50, 950]),
    )
    noisy = sds.add_noise(latents, noise, ALPHAS[t])
    expected = sds.sds_gradient(uncond(noisy, t), text(noisy, t), noise, ALPHAS[t], 7.5)
    assert torch.equal(gradient(scores(uncond, text), latents, t, noise, recipe("sds", 7.5)), expected)


def test_options_act_on_every_method():
    """With all of them, the gradient is that of the parts put together by hand."""
    texts = [gaussian(0.0, 1.0), gaussian(picture(), 0.2), gaussian(-picture(), 0.5), gaussian(2 * picture(), 0.3)]
    latents, noise, t = normal(2, 0), normal(2, 1), torch.tensor([300, 700])
    weights = torch.tensor([[-2.0, -0.5], [0.0, -1.0]], dtype=torch.float64)
    settings = DistillationConfig(weighting="x0", cfg_rescale=0.5, grad_clip_pixel=0.9, grad_clip=0.7)
    found = gradient(scores(*texts), latents, t, noise, Recipe(20.0, settings, weights))
    alpha_bar = ALPHAS[t]
    noisy = sds.add_noise(latents, noise, alpha_bar)
    uncond, text, *negatives = (one(noisy, t) for one in texts)
    direction = text - uncond
    total = direction.clone()
    for weight, eps in zip(weights, negatives, strict=True):
        for b in range(2):
            vector, along = (eps - uncond)[b].flatten(), direction[b].flatten()
            rest = vector - vector.dot(along) / along.dot(along) * along
            total[b] += weight[b] * rest.view(SHAPE)
    eps = sds.rescale_guidance(uncond + 20 * total, text, noisy, alpha_bar, 0.5)
    grad = latents - sds.predicted_latents(eps, noisy, alpha_bar)
    expected = sds.clamp_values(sds.clamp_pixels(grad, 0.9), 0.7)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    assert found.abs().max() <= 0.7


def test_ddim_moves_along_the_noise():
    """With the true noise, every level of the same picture is reached exactly."""
    latents, noise, low, high = normal(2, 0), normal(2, 1), ALPHAS[[900, 500]], ALPHAS[[100, 0]]
    moved = ddim_step(sds.add_noise(latents, noise, low), noise, low, high)
    torch.testing.assert_close(moved, sds.add_noise(latents, noise, high), rtol=0, atol=1e-10)


def test_inversion_asks_at_equal_steps_from_the_picture():
    asked: list[list[int]] = []

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        asked.append(t.tolist())
        return torch.ones_like(noisy)

    noise = inverted_noise(normal(2, 0), torch.tensor([400, 3]), ALPHAS, predict, 4)
    assert asked == [[0, 0], [100, 1], [200, 2], [300, 2]]
    torch.testing.assert_close(noise, torch.ones_like(noise), rtol=0, atol=1e-10)


def test_draws_are_averaged():
    """Several draws equal the mean of as many single ones."""
    model, latents = scores(gaussian(0.0, 1.0), gaussian(picture(), 0.2)), normal(2, 0)
    drawn = [(torch.tensor([100 * k, 900 - k]), normal(2, k)) for k in range(1, 6)]
    singles = [gradient(model, latents, t, noise, recipe("sds", 7.5)) for t, noise in drawn]
    several = mean_gradient(model, latents, iter(drawn).__next__, recipe("sds", 7.5, draws=5))
    torch.testing.assert_close(several, torch.stack(singles).mean(0), rtol=0, atol=1e-10)
