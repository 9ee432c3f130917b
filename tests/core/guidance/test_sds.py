"""The mathematics of SDS, in float64, against the formulas written out number by number."""

from __future__ import annotations

import math

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


def test_timesteps_are_uniform_and_include_both_ends():
    drawn = sds.draw_timesteps(70_000, 20, 26, torch.Generator().manual_seed(1))
    counts = torch.bincount(drawn, minlength=28).tolist()
    assert sum(counts[20:27]) == 70_000
    chi_square = sum((count - 10_000) ** 2 / 10_000 for count in counts[20:27])
    assert chi_square < 22.5  # 6 degrees of freedom: exceeded once in 1000


def test_timesteps_follow_the_generator():
    first, second = (sds.draw_timesteps(9, 0, 999, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, second)
    assert sds.draw_timesteps(3, 7, 7).tolist() == [7, 7, 7]


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 0.98), (0.5, 0.74), (1.0, 0.5)])
def test_annealing_is_linear(progress, expected):
    assert sds.anneal_t_max((0.02, 0.98), 0.5, progress) == pytest.approx(expected, abs=1e-12)


def test_annealing_never_crosses_the_lower_end():
    assert sds.anneal_t_max((0.3, 0.9), 0.1, 1.0) == 0.3
