import math

import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from core.starter.concept import Draw
from core.starter.patterns import MATERIALS, PATTERNS, dots, grain, make_pattern, plain, speckle, stripes
from core.starter.shapes import Points


class Mean:
    """A Draw without chance: every number is its mean."""

    def __call__(self, mean, spread=0.1):  # noqa: ARG002
        return torch.full((1, 1), mean)


def plane(normal, side=256, reach=3.0, height=0.4):
    """Points of a square piece of the plane across a vector, at a distance of the origin, and their normals."""
    normal = F.normalize(torch.tensor(normal), dim=0)
    first = F.normalize(torch.linalg.cross(normal, torch.tensor([0.3, 0.5, -0.8])), dim=0)
    second = torch.linalg.cross(normal, first)
    u, v = torch.meshgrid(*[torch.linspace(-reach, reach, side)] * 2, indexing="ij")
    places = height * normal + u.reshape(-1, 1) * first + v.reshape(-1, 1) * second
    return Points(*places.T[:, None]), normal.expand(1, side * side, 3)


@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.2, -0.5, 0.8)])
def test_dots_cover_their_analytic_share_of_every_plane(normal):
    """A slab as thick as the lattice is wide holds on average one centre for each square, however it is turned."""
    heights = torch.linspace(0, 7, 60).tolist()
    share = torch.stack([dots(Mean())(*plane(normal, 96, height=height)).mean() for height in heights]).mean().item()
    assert share == pytest.approx(math.pi * 0.30**2, rel=0.05)


def test_dots_are_round_and_alike():
    spots, count = ndimage.label(dots(Mean())(*plane((0.0, 0.0, 1.0), height=0.45)).view(256, 256).numpy() > 0.5)
    whole = [
        place for place in ndimage.find_objects(spots) if all(side.start > 0 and side.stop < 256 for side in place)
    ]
    assert count == pytest.approx((6 / 0.40) ** 2, rel=0.15)
    diameter = 2 * 0.30 * 0.40 * 255 / 6
    for place in whole:
        assert [side.stop - side.start for side in place] == pytest.approx([diameter, diameter], abs=1.5)


def test_stripes_follow_their_axis():
    ramp = torch.linspace(-1.6, 1.6, 1000)[None]
    flat = torch.zeros_like(ramp)
    along = stripes(Mean(), "y")(Points(flat, ramp, flat), None)[0]
    assert along.mean().item() == pytest.approx(0.5, abs=0.05)
    assert along.diff().abs().sum().item() == pytest.approx(2 * 3.2 / 0.34, abs=1)
    assert stripes(Mean(), "y")(Points(ramp, flat, ramp), None).unique().numel() == 1


@pytest.mark.parametrize("maker", [grain, speckle])
def test_materials_mix_both_their_colours_and_each_object_has_its_own(maker):
    points = Points(*(torch.rand(3, 1, 4000, generator=torch.Generator().manual_seed(0)) * 2 - 1).expand(3, 2, 4000))
    share = maker(Draw(2, torch.Generator().manual_seed(1)), "z")(points, None)
    assert share.min() >= 0
    assert share.max() <= 1
    assert 0.1 < share.std() < 0.4
    assert (share[0] - share[1]).abs().mean() > 0.1


def test_materials_have_no_seams():
    """A step of a thousandth changes little, at the borders of the noise's cells too."""
    ramp = torch.linspace(-1, 1, 2001)[None]
    for maker in (grain, speckle):
        share = maker(Mean(), "z")(Points(ramp, 0.3 * ramp, 0.5 * ramp), None)
        assert share.diff().abs().max() < 0.1


def test_every_finish_has_its_pattern():
    points, normals = plane((0.0, 0.0, 1.0), side=8)
    for finish in (*PATTERNS, *MATERIALS):
        assert make_pattern(finish, Draw(1, torch.Generator().manual_seed(0)), "x")(points, normals).shape == (1, 64)
    assert make_pattern("", None, "z") is plain
    assert plain(points, normals).tolist() == [[0.0] * 64]
