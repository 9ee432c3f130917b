import math

import pytest
import torch

from core.camera import Views, orbit_views
from core.starter import truth
from core.starter.catalogue import COLORS
from core.starter.concept import Part
from core.starter.shapes import box, cut, cylinder, ellipsoid, move, sphere, torus, union
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
    return layers.compose(
        RED.expand(count, 3), RED.expand(count, 3), torch.full((count,), ambient), torch.ones(count, 3)
    )


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


def test_a_pattern_shares_the_main_colour_and_the_layers_compose_exactly():
    """Right of the middle, a quarter of the second colour; left of it none, and never on a part of its own colour."""

    def quarter(at, _):
        return 0.25 * (at.x > 0).float()

    views = front_view()
    second = torch.tensor([[0.1, 0.7, 0.9]])
    colors = (RED, second, torch.tensor([0.5]), torch.ones(1, 3))
    layers = trace_layers([Part(box(0.5, 0.5, 0.5))], views, views.directions(), 32, quarter)
    image = layers.compose(*colors)[0]
    assert torch.allclose(image[:, 16, 12], RED[0], atol=2e-3)
    assert torch.allclose(image[:, 16, 20], 0.75 * RED[0] + 0.25 * second[0], atol=2e-3)
    painted = trace_layers([Part(box(0.5, 0.5, 0.5), (0.1, 0.2, 0.3))], views, views.directions(), 32, quarter)
    assert torch.allclose(painted.compose(*colors)[0, :, 16, 20], torch.tensor([0.1, 0.2, 0.3]), atol=2e-3)


def test_putting_rays_aside_changes_no_picture(monkeypatch):
    parts = [Part(union(move(sphere(0.4), x=-0.3), torus(0.6, 0.15), move(box(0.1, 0.1, 0.7), x=0.4)))]
    views = Views(*(torch.tensor(values) for values in ([0.0, 70.0], [10.0, 50.0], [2.6, 3.0], [40.0, 40.0])))
    fast = trace_layers(parts, views, views.directions(), 32)
    monkeypatch.setattr(truth, "LEGS", (sum(truth.LEGS),))
    slow = trace_layers(parts, views, views.directions(), 32)
    assert (fast.values - slow.values).abs().mean() < 2e-4
