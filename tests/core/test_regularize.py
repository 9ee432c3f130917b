import math

import pytest
import torch

from core.regularize import nearby_points, normal_smoothness, opacity_entropy, orientation


def test_entropy():
    assert opacity_entropy(torch.full((4,), 0.5)) == pytest.approx(1.0)
    assert opacity_entropy(torch.tensor([0.0, 1.0])) < 0.002
    quarter = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    assert opacity_entropy(torch.tensor([0.25, 0.75])) == pytest.approx(quarter)


def test_entropy_pushes_away_from_one_half():
    opacity = torch.tensor([0.3, 0.7, 0.0, 1.0], requires_grad=True)
    opacity_entropy(opacity).backward()
    assert opacity.grad[0] > 0
    assert opacity.grad[1] < 0
    assert opacity.grad.isfinite().all()


def test_orientation():
    ahead = torch.tensor([[0.0, 1.0, 0.0]]).expand(3, 3)
    normals = torch.tensor([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8]])
    loss = orientation(torch.tensor([0.9, 0.5, 0.25]), normals, ahead)
    assert loss == pytest.approx((0.5 * 1 + 0.25 * 0.36) / (0.9 + 0.5 + 0.25))


def test_smoothness():
    axes = torch.eye(3)
    assert normal_smoothness(axes, axes) == 0
    assert normal_smoothness(axes, -axes) == pytest.approx(4)
    assert normal_smoothness(axes, axes.roll(1, 0)) == pytest.approx(2)


def test_without_surface_they_vanish():
    nothing = torch.zeros(0, 3)
    assert normal_smoothness(nothing, nothing) == 0
    assert orientation(torch.zeros(0), nothing, nothing) == 0


def test_nearby_points():
    moved = nearby_points(torch.zeros(4000, 3), 0.02, torch.Generator().manual_seed(0))
    assert moved.std() == pytest.approx(0.02, rel=0.05)
    torch.testing.assert_close(moved, nearby_points(torch.zeros(4000, 3), 0.02, torch.Generator().manual_seed(0)))
