import numpy as np
import pytest

from core.judge import shape
from core.judge.shape import align, compare, sample_surface, score, truth_mesh
from core.judge.subject import NOUNS
from core.mesh import Mesh
from tests.core.judge.shapes import ball, box


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(shape, "DRAWS", 3)
    monkeypatch.setattr(shape, "_RESOLUTION", 48)
    shape.truth_points.cache_clear()
    yield
    shape.truth_points.cache_clear()


def test_points_on_a_box_lie_on_it_and_are_spread_by_area():
    points = sample_surface(*(lambda m: (m.vertices, m.faces))(box((0.5, 0.25, 0.1))), 20_000)
    outside = np.abs(points) / [0.5, 0.25, 0.1]
    np.testing.assert_allclose(outside.max(axis=1), 1, atol=1e-6)
    top = (np.abs(outside[:, 2] - 1) < 1e-6).mean()
    assert top == pytest.approx(0.5 * 0.25 / (0.5 * 0.25 + 0.5 * 0.1 + 0.25 * 0.1), abs=0.01)
    assert np.abs(points.mean(axis=0)).max() < 0.01


def test_scores_of_points_that_can_be_counted():
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    near = line + np.array([0, 0.04, 0])
    assert score(line, near).chamfer == pytest.approx(0.04)
    assert score(line, near).f_score == pytest.approx(1)
    half = np.array([[0.0, 0, 0], [1, 0, 0]])  # all of it is right, half of the other is missing
    assert score(half, line).f_score == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert score(half, line).chamfer == pytest.approx((0 + (0 + 0 + 1 + 2) / 4) / 2)
    assert score(line, line + np.array([0, 0.5, 0])).f_score == 0


def test_a_shifted_box_is_as_far_away_as_it_was_shifted():
    """Along its length a long bar hides a shift; across, one side is off by it and so is the other."""
    one = box((0.02, 1.0, 1.0))
    points = [sample_surface(m.vertices, m.faces) for m in (one, box((0.02, 1.0, 1.0), (0.3, 0, 0)))]
    assert score(*points).chamfer == pytest.approx(0.28, abs=0.02)
    assert score(*points).f_score < 0.01


def test_alignment_undoes_scale_and_shift():
    mesh = box((0.3, 0.5, 0.7))
    truth = sample_surface(mesh.vertices, mesh.faces)
    moved = sample_surface(mesh.vertices * np.float32(1.7) + np.float32([0.2, -0.4, 0.1]), mesh.faces)
    np.testing.assert_allclose(align(moved, truth), truth, atol=1e-5)


def test_the_truth_is_a_closed_surface_with_its_outside_outside():
    mesh = truth_mesh(NOUNS.index("duck"), 3)
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    volume = (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    assert 0.1 < volume < 1


@pytest.mark.parametrize("noun", ["mug", "snowman"])
def test_a_true_object_is_found_among_the_draws_wherever_it_stands(noun):
    concept = NOUNS.index(noun)
    truth = truth_mesh(concept, 2)
    moved = Mesh(truth.vertices * np.float32(0.8) + np.float32([0.1, 0, 0.2]), truth.faces)
    found = compare(moved, concept)
    assert found.f_score > 0.99
    assert found.chamfer < 0.01
    assert compare(moved, NOUNS.index("chair")).f_score < 0.5


def test_another_object_of_the_concept_comes_near():
    concept = NOUNS.index("cupcake")
    assert compare(truth_mesh(concept, 77), concept).f_score > 0.85
    assert compare(ball(0.6), concept).f_score < 0.7
