"""Every object: where it is, that it is whole, that no two are alike, and where its front is."""

import pytest
import torch
from scipy import ndimage

from core.camera import Views
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Draw
from core.starter.patterns import MATERIALS, PATTERNS
from core.starter.shapes import Points
from core.starter.truth import BOUND, trace_layers

SIDE, REACH = 64, 1.1


def parts_of(concept, count, seed=0):
    return concept.parts(Draw(count, torch.Generator().manual_seed(seed)))


def grid(count):
    axis = torch.linspace(-REACH, REACH, SIDE)
    return Points(*(v.reshape(1, -1).expand(count, -1) for v in torch.meshgrid(axis, axis, axis, indexing="ij")))


def solid(concept, count):
    """Which places of the grid are in each of `count` objects, "count SIDE SIDE SIDE"."""
    points = grid(count)
    nearest = torch.stack([part.shape(points) for part in parts_of(concept, count)]).amin(0)
    return (nearest < 0).view(count, SIDE, SIDE, SIDE)


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.noun)
def test_every_concept_is_one_piece_that_fills_its_frame(concept):
    first, second = solid(concept, 2)
    for one in (first, second):
        assert ndimage.label(one.numpy())[1] == 1
        x, y, z = (one.nonzero() / (SIDE - 1) * 2 - 1).mul(REACH).T
        assert (x.square() + y.square() + z.square()).max() < BOUND**2
        extents = [(axis.max() - axis.min()).item() for axis in (x, y, z)]
        assert 1.15 < max(extents) < 1.8
        assert min(extents) > 0.2
        assert abs(x.max() + x.min()) < 0.3
        assert abs(y.max() + y.min()) < 0.4
        assert abs(z.max() + z.min()) < 0.4
    assert (first ^ second).any()


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.noun)
def test_no_concept_has_holes_in_its_picture(concept):
    """Sphere tracing meets what tiny steps along each ray meet, but for rays that graze a rim."""
    views = Views(*(torch.tensor([value]) for value in (35.0, 15.0, 2.9, 40.0)))
    traced = trace_layers(parts_of(concept, 1), views, views.directions(), 24, supersample=1).values[0, -1].flatten()
    rays = views.cameras(24, 24).rays()
    t = torch.linspace(1.8, 4.0, 250)[:, None, None]
    places = (rays.origins + t * rays.directions).reshape(1, -1, 3)
    nearest = torch.stack([part.shape(Points(*places.unbind(-1))) for part in parts_of(concept, 1)]).amin(0)
    met = (nearest.view(250, -1) < 0).any(0)
    assert (met & (traced == 0)).sum() <= 1
    assert (~met & (traced > 0)).sum() <= 8


@pytest.mark.parametrize(
    ("noun", "part"),
    [
        *[("car", 4), ("bus", 3), ("train", 4), ("airplane", 4), ("rocket", 2)],
        *[("house", 2), ("tower", 2), ("lighthouse", 5), ("windmill", 2), ("flower", 1)],
        *[("snowman", 2), ("robot", 2), ("teddy bear", 2), ("treasure chest", 2), ("guitar", 1)],
        *[("duck", 1), ("cat", 3), ("dog", 4), ("pig", 1), ("rabbit", 3), ("penguin", 1), ("fish", 2)],
        *[("turtle", 3), ("elephant", 3)],
    ],
)
def test_what_marks_the_front_faces_minus_y(noun, part):
    concept = next(c for c in CONCEPTS if c.noun == noun)
    points = grid(1)
    assert points.y[parts_of(concept, 1)[part].shape(points) < 0].mean() < -0.08
    assert concept.has_front


def test_the_catalogue_is_as_large_as_promised():
    assert len(CONCEPTS) >= 40
    assert len(COLORS) == 11


def test_patterns_and_materials_are_on_parts_in_the_main_colour():
    for concept in CONCEPTS:
        assert set(concept.patterns) <= set(PATTERNS)
        assert set(concept.materials) <= set(MATERIALS)
        main = any(part.color is None for part in parts_of(concept, 1))
        assert main or not (concept.takes_color or concept.patterns or concept.materials), concept.noun


def test_named_colours_differ_enough_to_tell_them_apart():
    values = torch.tensor(list(COLORS.values()))
    assert (torch.cdist(values, values) + torch.eye(len(values))).min() > 0.3
