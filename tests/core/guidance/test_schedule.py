"""Noise schedules: rectified flow in the units of diffusion."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

from core.guidance import sds
from core.guidance.schedule import DiffusionSchedule, FlowSchedule

T = torch.tensor([0, 20, 500, 980, 999])


def normal(seed: int) -> torch.Tensor:
    return torch.randn(len(T), 4, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def per_picture(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


@pytest.fixture
def flow() -> FlowSchedule:
    return FlowSchedule(FlowMatchEulerDiscreteScheduler(shift=3.0)).double()


def test_sigmas_are_shifted_and_rise(flow):
    """sigma' = 3 sigma / (1 + 2 sigma) (arXiv 2403.03206, equation 23) of sigma = (t + 1) / 1000."""
    plain = torch.arange(1, 1001, dtype=torch.float64) / 1000
    torch.testing.assert_close(flow.sigmas, 3 * plain / (1 + 2 * plain), rtol=1e-6, atol=0)
    torch.testing.assert_close(flow.times, 1000 * flow.sigmas, rtol=1e-6, atol=0)


def test_the_signal_is_that_of_the_same_ratio(flow):
    """alpha_bar / (1 - alpha_bar) = (1 - sigma)^2 / sigma^2."""
    ratio = ((1 - flow.sigmas) / flow.sigmas) ** 2
    torch.testing.assert_close(flow.alphas / (1 - flow.alphas), ratio, rtol=1e-10, atol=0)
    assert (flow.alphas.diff() < 0).all()


def test_a_flow_model_is_given_its_own_mixture(flow):
    z, noise = normal(1), normal(2)
    given, times = flow.as_given(sds.add_noise(z, noise, flow.alphas[T]), T)
    sigma = per_picture(flow.sigmas[T])
    torch.testing.assert_close(given, (1 - sigma) * z + sigma * noise, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(times, flow.times[T])


def test_the_true_velocity_means_the_true_noise(flow):
    z, noise = normal(1), normal(2)
    noisy = sds.add_noise(z, noise, flow.alphas[T])
    torch.testing.assert_close(flow.noise(noise - z, noisy, T), noise, rtol=1e-10, atol=1e-12)


def test_the_gradient_in_both_forms(flow):
    """w (epsilon_hat - epsilon) = w_v (v_hat - (epsilon - z)), guided, with w_v as derived."""
    z, noise, uncond, text = (normal(seed) for seed in range(4))
    alpha_bar, sigma = flow.alphas[T], per_picture(flow.sigmas[T])
    noisy = sds.add_noise(z, noise, alpha_bar)
    gradient = sds.sds_gradient(flow.noise(uncond, noisy, T), flow.noise(text, noisy, T), noise, alpha_bar, 7.5)
    weight = sigma**2 * (1 - sigma) / ((1 - sigma) ** 2 + sigma**2)
    expected = weight * (uncond + 7.5 * (text - uncond) - (noise - z))
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_true_output_of_a_diffusion_model_means_the_true_noise(prediction):
    schedule = DiffusionSchedule(DDIMScheduler(prediction_type=prediction)).double()
    z, noise, signal = normal(1), normal(2), per_picture(schedule.alphas[T])
    noisy = sds.add_noise(z, noise, schedule.alphas[T])
    velocity = signal.sqrt() * noise - (1 - signal).sqrt() * z
    output = noise if prediction == "epsilon" else velocity
    torch.testing.assert_close(schedule.noise(output, noisy, T), noise, rtol=1e-10, atol=1e-12)
    assert schedule.as_given(noisy, T) == (noisy, T)
