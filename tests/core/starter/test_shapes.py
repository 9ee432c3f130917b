"""The shapes that are put together from others, against the same solids said in another way."""

import math

import pytest
import torch

from core.starter.shapes import (
    Points,
    arc,
    both,
    box,
    cylinder,
    lathe,
    limb,
    move,
    row,
    scale,
    sphere,
    taper,
    torus,
    union,
    wedge,
)


def cloud(count=4000, reach=1.2):
    return Points(*((torch.rand(3, 1, count, generator=torch.Generator().manual_seed(0)) * 2 - 1) * reach))


def same(first, second):
    at = cloud()
    return torch.allclose(first(at), second(at), atol=1e-5)


def volume(shape, reach=1.2):
    return (shape(cloud(200_000, reach)) < 0).float().mean().item() * (2 * reach) ** 3


def test_a_row_is_the_union_of_its_copies():
    ball = sphere(0.15)
    assert same(row(ball, 3, 0.5, "y"), union(*(move(ball, y=y) for y in (-0.5, 0.0, 0.5))))
    assert same(row(ball, 2, 0.5, "z"), union(move(ball, z=-0.25), move(ball, z=0.25)))


def test_scaling_is_exact():
    assert same(scale(box(0.4, 0.2, 0.3, 0.1), 1.5), box(0.6, 0.3, 0.45, 0.15))


def test_a_limb_is_a_capsule():
    assert volume(limb((-0.4, 0.0, 0.0), (0.4, 0.0, 0.0), 0.3)) == pytest.approx(
        math.pi * 0.3**2 * 0.8 + 4 / 3 * math.pi * 0.3**3, rel=0.03
    )
    at = Points(*torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.0]]).T[:, None])
    reach = limb((0.0, 0.0, -0.5), (0.0, 0.0, 0.5), 0.1, 0.3)(at)[0]
    assert reach.tolist() == pytest.approx([0.4, 0.2, 0.3])


def test_a_whole_arc_is_a_torus_and_half_of_it_is_half():
    assert same(arc(0.6, 0.2, 180.0), torus(0.6, 0.2, "y"))
    assert same(arc(0.6, 0.2, 180.0, axis="x"), torus(0.6, 0.2, "x"))
    half = 0.5 * 2 * math.pi**2 * 0.6 * 0.2**2 + 4 / 3 * math.pi * 0.2**3  # with two half balls at its ends
    assert volume(arc(0.6, 0.2, 90.0)) == pytest.approx(half, rel=0.03)


def test_a_lathe_with_one_radius_is_a_cylinder():
    assert same(lathe(0.6, 0.3, 0.3, 0.3), cylinder(0.3, 0.6, 0.0))


def test_a_lathe_runs_smoothly_from_radius_to_radius():
    """A straight row of radii makes a truncated cone, but for its ends."""
    frustum = math.pi / 3 * 1.2 * (0.2**2 + 0.2 * 0.5 + 0.5**2)
    assert volume(lathe(0.6, 0.2, 0.3, 0.4, 0.5)) == pytest.approx(frustum, rel=0.03)
    edge = Points(*torch.tensor([[0.35, 0.0, 0.0]]).T[:, None])
    assert lathe(0.6, 0.2, 0.3, 0.4, 0.5)(edge).item() == pytest.approx(0, abs=1e-4)


def test_a_taper_widens_with_the_height():
    cube = taper(box(0.4, 0.4, 0.5, 0.0), 0.5)
    assert volume(cube) == pytest.approx(0.8**2 * (1 + 0.5**2 * 0.5**2 / 3), rel=0.03)


def test_a_wedge_cuts_its_share_of_a_disc():
    assert volume(both(cylinder(1.0, 0.5, 0.0), wedge(27.0))) == pytest.approx(math.pi * 54 / 360, rel=0.03)
    at = Points(*torch.tensor([[0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]]).T[:, None])
    inside, outside = wedge(27.0)(at)[0].tolist()
    assert inside < 0 < outside
