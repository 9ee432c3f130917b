"""The mathematics of SDS, in float64, against the formulas written out number by number."""

from __future__ import annotations

import math
import statistics

import pytest
import torch

from core.guidance import sds

B, C, H, W = 2, 3, 4, 5


@pytest.fixture
def pictures() -> torch.Tensor:
    """Four batches of normal noise in float64, (4, B, C, H, W)."""
    return torch.randn(4, B, C, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def alpha_bar() -> torch.Tensor:
    return torch.tensor([0.9, 0.05], dtype=torch.float64)


def test_gradient_is_the_formula(pictures, alpha_bar):
    uncond, text, noise, _ = pictures
    grad = sds.sds_gradient(uncond, text, noise, alpha_bar, 7.5)
    for b, c, y, x in ((b, c, y, x) for b in range(B) for c in range(C) for y in range(H) for x in range(W)):
        at = (b, c, y, x)
        guided = float(uncond[at]) + 7.5 * (float(text[at]) - float(uncond[at]))
        assert float(grad[at]) == pytest.approx((1 - float(alpha_bar[b])) * (guided - float(noise[at])), abs=1e-10)


@pytest.mark.parametrize(("scale", "which"), [(0.0, 0), (1.0, 1)])
def test_scale_zero_is_unconditional_and_one_is_the_text(pictures, scale, which):
    noise = pictures[2]
    grad = sds.sds_gradient(pictures[0], pictures[1], noise, torch.zeros(B, dtype=torch.float64), scale)
    torch.testing.assert_close(grad, pictures[which] - noise, rtol=0, atol=1e-10)


def test_a_perfect_prediction_gives_no_gradient(pictures, alpha_bar):
    noise = pictures[2]
    assert sds.sds_gradient(noise, noise, noise, alpha_bar, 100.0).abs().max() == 0


def test_loss_and_its_derivative(pictures):
    latents, grad = pictures[0].clone().requires_grad_(), pictures[1]
    loss = sds.sds_loss(latents, grad)
    loss.backward()
    assert loss.item() == pytest.approx(sum(g * g for g in grad.flatten().tolist()) / 2 / B, abs=1e-10)
    torch.testing.assert_close(latents.grad, grad / B, rtol=0, atol=1e-10)


def test_the_target_is_held_fixed(pictures):
    """A gradient that itself depends on the latents is not differentiated."""
    latents = pictures[0].clone().requires_grad_()
    sds.sds_loss(latents, latents.square()).backward()
    torch.testing.assert_close(latents.grad, latents.detach().square() / B, rtol=0, atol=1e-10)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_reach_the_loss(pictures, alpha_bar, bad):
    uncond, text, noise, latents = pictures
    text[0, 0, 0, 0] = bad
    assert not sds.sds_loss(latents, sds.sds_gradient(uncond, text, noise, alpha_bar, 10.0)).isfinite()


def test_noise_is_added_by_the_formula(pictures, alpha_bar):
    noisy = sds.add_noise(pictures[0], pictures[1], alpha_bar)
    for b, signal in enumerate(alpha_bar.tolist()):
        expected = math.sqrt(signal) * pictures[0, b] + math.sqrt(1 - signal) * pictures[1, b]
        torch.testing.assert_close(noisy[b], expected, rtol=0, atol=1e-10)


def test_the_noise_comes_back_out_of_a_velocity(pictures, alpha_bar):
    latents, noise, *_ = pictures
    signal = alpha_bar[:, None, None, None]
    velocity = signal.sqrt() * noise - (1 - signal).sqrt() * latents
    recovered = sds.epsilon_from_v(velocity, sds.add_noise(latents, noise, alpha_bar), alpha_bar)
    torch.testing.assert_close(recovered, noise, rtol=0, atol=1e-10)


def test_predicted_latents_undo_the_noise(pictures, alpha_bar):
    latents, noise, *_ = pictures
    noisy = sds.add_noise(latents, noise, alpha_bar)
    torch.testing.assert_close(sds.predicted_latents(noise, noisy, alpha_bar), latents, rtol=0, atol=1e-10)


def test_with_its_weight_the_gradient_is_the_way_to_the_predicted_latents(pictures, alpha_bar):
    latents, noise, eps, _ = pictures
    noisy = sds.add_noise(latents, noise, alpha_bar)
    expected = latents - sds.predicted_latents(eps, noisy, alpha_bar)
    torch.testing.assert_close(sds.x0_weight(alpha_bar) * (eps - noise), expected, rtol=0, atol=1e-10)


# Rescaled guidance


def test_wholly_rescaled_guidance_is_as_colourful_as_the_text_alone(pictures, alpha_bar):
    uncond, text, noisy, _ = pictures
    eps = sds.rescale_guidance(sds.guided_noise(uncond, text, 50.0), text, noisy, alpha_bar, 1.0)
    latents, plain = (sds.predicted_latents(one, noisy, alpha_bar) for one in (eps, text))
    dims = (1, 2, 3)
    torch.testing.assert_close(latents.std(dims), plain.std(dims), rtol=1e-10, atol=0)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_rescaling_is_the_papers_formula(pictures, alpha_bar, share):
    """Equations 15 and 16 of arXiv 2305.08891 on the predicted latents, number by number."""
    uncond, text, noisy, _ = pictures
    guided = sds.guided_noise(uncond, text, 7.5)
    result = sds.rescale_guidance(guided, text, noisy, alpha_bar, share)
    for b, signal in enumerate(alpha_bar.tolist()):
        a, n = math.sqrt(signal), math.sqrt(1 - signal)
        noisy_b = noisy[b].flatten().tolist()
        x_cfg = [(z - n * e) / a for z, e in zip(noisy_b, guided[b].flatten().tolist(), strict=True)]
        x_pos = [(z - n * e) / a for z, e in zip(noisy_b, text[b].flatten().tolist(), strict=True)]
        ratio = statistics.stdev(x_pos) / statistics.stdev(x_cfg)
        final = [share * x * ratio + (1 - share) * x for x in x_cfg]
        expected = [(z - a * x) / n for z, x in zip(noisy_b, final, strict=True)]
        assert result[b].flatten().tolist() == pytest.approx(expected, rel=1e-10, abs=1e-10)


# Clamping


def test_clamped_values(pictures):
    grad = pictures[0]
    clamped = sds.clamp_values(grad, 0.5)
    assert clamped.flatten().tolist() == [min(0.5, max(-0.5, value)) for value in grad.flatten().tolist()]


def test_clamped_pixels_keep_their_direction(pictures):
    grad = pictures[0]
    clamped = sds.clamp_pixels(grad, 1.5)
    for b, y, x in ((b, y, x) for b in range(B) for y in range(H) for x in range(W)):
        vector = grad[b, :, y, x].tolist()
        length = math.sqrt(sum(value * value for value in vector))
        expected = [value * min(1.0, 1.5 / length) for value in vector]
        assert clamped[b, :, y, x].tolist() == pytest.approx(expected, abs=1e-12)
    assert sds.clamp_pixels(torch.zeros(1, 2, 3, 3), 1.0).abs().max() == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clamp", [sds.clamp_values, sds.clamp_pixels])
def test_clamping_hides_nothing_that_is_not_finite(pictures, clamp, bad):
    grad = pictures[0].clone()
    grad[0, 0, 0, 0] = bad
    assert not clamp(grad, 1.0)[0, 0, 0, 0].isfinite()
