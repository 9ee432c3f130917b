import math

import pytest
import torch

from core.camera import Views, orbit_views
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Draw, Part
from core.starter.shapes import box, cut, cylinder, ellipsoid, move, sphere, torus
from core.starter.truth import Points, surface_normals, trace_layers

RED = torch.tensor([COLORS["red"]])


def points(*rows):
    return Points(*torch.tensor(rows, dtype=torch.float32).T[:, None])


def front_view(elevation=0.0):
    return orbit_views(1, elevation, 3.0, 40.0)


def picture(parts, views=None, ambient=1.0, resolution=32):
    views = views or front_view()
    layers = trace_layers(parts, views, views.directions(), resolution)
    count = len(views.radius)
    return layers.compose(RED.expand(count, 3), torch.full((count,), ambient), torch.ones(count, 3))


def test_distances_of_simple_shapes():
    at = points((0, 0, 0), (2, 0, 0), (0, 0, 1))
    assert sphere(0.5)(at)[0].tolist() == pytest.approx([-0.5, 1.5, 0.5])
    assert box(0.5, 1.0, 0.25)(at)[0].tolist() == pytest.approx([-0.25, 1.5, 0.75], abs=1e-6)
    assert cylinder(0.5, 0.25)(at)[0].tolist() == pytest.approx([-0.25, 1.5, 0.75], abs=1e-6)
    assert torus(1.0, 0.25)(at)[0].tolist() == pytest.approx([0.75, 0.75, math.sqrt(2) - 0.25])
    assert ellipsoid(0.5, 0.5, 0.5)(at)[0, 1].item() == pytest.approx(1.5)
    assert move(sphere(0.5), x=2.0)(at)[0, 1].item() == pytest.approx(-0.5)
    assert cut(sphere(0.5), sphere(0.25))(at)[0, 0].item() == pytest.approx(0.25)


def test_a_ball_covers_its_analytic_share_of_the_picture():
    image = picture([Part(sphere(0.5))], resolution=64)
    covered = (image[0, 1] < 0.5).float().mean().item()
    tangent = 0.5 / math.sqrt(3.0**2 - 0.5**2)  # of the cone that touches the ball
    assert covered == pytest.approx(math.pi * (tangent / (2 * math.tan(math.radians(20)))) ** 2, rel=0.03)


def test_composition_shades_the_main_colour_only():
    ball = picture([Part(sphere(0.5))])[0, :, 16, 16]
    assert torch.allclose(ball, RED[0], atol=1e-3)
    painted = picture([Part(sphere(0.5), (0.1, 0.2, 0.3))])[0, :, 16, 16]
    assert torch.allclose(painted, torch.tensor([0.1, 0.2, 0.3]), atol=1e-3)
    rim = picture([Part(sphere(0.5))], ambient=0.4)
    assert rim[0, 0, 16, 16].item() == pytest.approx(COLORS["red"][0], abs=5e-3)  # lit from the camera
    side = math.cos(math.asin(0.4 / 0.5))  # n . l at 0.4 right of the centre, for a distant camera
    column = round(32 * (0.5 + 0.4 / (2 * 3.0 * math.tan(math.radians(20)))))
    assert rim[0, 0, 16, column].item() == pytest.approx(COLORS["red"][0] * (0.4 + 0.6 * side), rel=0.15)


def test_normals_of_a_ball_point_outward():
    at = points((0.5, 0, 0), (0, -0.5, 0), (0.3, 0, 0.4))
    normals = surface_normals([Part(sphere(0.5))], at)[0]
    assert torch.allclose(normals, torch.stack(at)[:, 0].T / 0.5, atol=3e-3)


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.noun)
def test_every_concept_stands_inside_the_cube_and_is_seen(concept):
    parts = concept.parts(Draw(2, torch.Generator().manual_seed(0)))
    grid = torch.linspace(-1.2, 1.2, 25)
    x, y, z = torch.meshgrid(grid, grid, grid, indexing="ij")
    inside = torch.stack([part.shape(Points(*(v.reshape(1, -1).expand(2, -1) for v in (x, y, z)))) for part in parts])
    occupied = (inside.amin(0) < 0).any(0)
    assert occupied.any()
    reach = torch.stack([x, y, z]).reshape(3, -1)[:, occupied].abs().max()
    assert reach < 1.0
    views = Views(*(torch.tensor([value] * 2) for value in (0.0, 10.0, 3.0, 40.0)))
    covered = trace_layers(parts, views, views.directions(), 16).values[:, -1].mean((1, 2))
    assert (covered > 0.04).all()


@pytest.mark.parametrize(("noun", "part"), [("car", 3), ("duck", 1), ("house", 2), ("snowman", 2)])
def test_what_marks_the_front_faces_minus_y(noun, part):
    concept = next(c for c in CONCEPTS if c.noun == noun)
    shape = concept.parts(Draw(1, torch.Generator().manual_seed(0)))[part].shape
    grid = torch.linspace(-1, 1, 81)
    x, y, z = (v.reshape(1, -1) for v in torch.meshgrid(grid, grid, grid, indexing="ij"))
    assert y[shape(Points(x, y, z)) < 0].mean() < -0.2
