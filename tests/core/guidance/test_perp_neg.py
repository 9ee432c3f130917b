"""Perp-Neg in float64: what is subtracted is perpendicular, and how much of it depends on the view."""

from __future__ import annotations

import math

import pytest
import torch

from core.camera import Views
from core.guidance import perp_neg, sds

SHAPE = (3, 4, 5, 6)


def pictures(seed: int) -> torch.Tensor:
    return torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def views(azimuth: float, elevation: float = 10.0) -> Views:
    one = torch.ones(1)
    return Views(azimuth * one, elevation * one, 3 * one, 40 * one)


def test_nothing_is_left_along_the_direction():
    vectors, direction = pictures(0), pictures(1)
    rest = perp_neg.perpendicular(vectors, direction)
    assert (rest * direction).sum((1, 2, 3)).abs().max() < 1e-10
    along = vectors - rest
    for b in range(SHAPE[0]):  # what was taken away is a multiple of the direction
        ratio = along[b] / direction[b]
        torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio), rtol=1e-10, atol=1e-10)


def test_without_a_direction_all_is_perpendicular():
    torch.testing.assert_close(perp_neg.perpendicular(pictures(0), torch.zeros(SHAPE)), pictures(0))


def test_the_formula_number_by_number():
    """epsilon_u + s (d + sum_i w_i (d_i - <d_i, d> / <d, d> d)), over lists of plain numbers."""
    uncond, text, front, side = (pictures(seed) for seed in range(4))
    weights = torch.tensor([[-2.0, 0.0, -0.3], [-1.0, -0.5, 0.0]], dtype=torch.float64)
    result = perp_neg.perp_neg_noise(uncond, text, torch.stack([front, side]), weights, 7.5)
    for b in range(SHAPE[0]):
        u, d = uncond[b].flatten().tolist(), (text - uncond)[b].flatten().tolist()
        total, square = list(d), sum(x * x for x in d)
        for weight, eps in zip(weights[:, b].tolist(), (front, side), strict=True):
            d_i = (eps - uncond)[b].flatten().tolist()
            along = sum(x * y for x, y in zip(d_i, d, strict=True)) / square
            total = [x + weight * (y - along * z) for x, y, z in zip(total, d_i, d, strict=True)]
        expected = [x + 7.5 * y for x, y in zip(u, total, strict=True)]
        assert result[b].flatten().tolist() == pytest.approx(expected, abs=1e-10)


def test_the_positive_direction_is_as_strong_as_without():
    """Whatever the negatives are, the component along d_text is that of plain guidance."""
    uncond, text = pictures(0), pictures(1)
    negatives = torch.stack([pictures(2), pictures(3)])
    guided = perp_neg.perp_neg_noise(uncond, text, negatives, torch.full((2, 3), -2.0), 10.0)
    plain = sds.guided_noise(uncond, text, 10.0)
    assert ((guided - plain) * (text - uncond)).sum((1, 2, 3)).abs().max() < 1e-10 * 10 * SHAPE[1] * SHAPE[2] * SHAPE[3]
    assert (guided - plain).abs().max() > 1


def test_a_negative_that_is_the_positive_takes_nothing_away():
    uncond, text = pictures(0), pictures(1)
    guided = perp_neg.perp_neg_noise(uncond, text, text[None], torch.full((1, 3), -2.0), 10.0)
    torch.testing.assert_close(guided, sds.guided_noise(uncond, text, 10.0), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("azimuth", "front", "side"),
    [
        (0, 0.0, -2.0),
        (9, 0.0, -2 * math.exp(-10 * 0.1)),
        (45, -2 * math.exp(-2 * 0.5), -2 * math.exp(-10 * 0.5)),
        (-45, -2 * math.exp(-2 * 0.5), -2 * math.exp(-10 * 0.5)),
        (81, -2 * math.exp(-2 * 0.1), 0.0),
        (90, -2.0, 0.0),
        (99, -2.0, 0.0),
        (135, -2.0, -math.exp(-10 * 0.5)),
        (225, -2.0, -math.exp(-10 * 0.5)),
        (180, -2.0, -1.0),
        (-180, -2.0, -1.0),
    ],
)
def test_weights_are_those_of_stable_dreamfusion(azimuth, front, side):
    weights = perp_neg.negative_weights(views(azimuth), -2.0)
    assert weights.flatten().tolist() == pytest.approx([front, side], abs=1e-6)
    half = perp_neg.negative_weights(views(azimuth), -1.0)
    torch.testing.assert_close(2 * half, weights)


def test_nothing_is_subtracted_from_above():
    assert perp_neg.negative_weights(views(135, 61), -2.0).abs().sum() == 0
