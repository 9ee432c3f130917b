import pytest
import torch

from core.camera import orbit_views
from core.judge import shots
from core.judge.examination import true_shots
from core.judge.shape import truth_mesh
from core.judge.shots import judge_light, judge_views, photograph
from core.judge.subject import NOUNS, Subject
from core.prompt import FRONT_DEG, view_index
from tests.core.judge.shapes import ball, box


def test_two_views_of_the_front_two_of_the_back_none_on_a_border():
    views = judge_views()
    assert view_index(views).tolist() == [0, 1, 1, 2, 2, 1, 1, 0]
    for border in (FRONT_DEG, 180 - FRONT_DEG, 180 + FRONT_DEG, 360 - FRONT_DEG):
        assert (views.azimuth_deg - border).abs().min() > 20


def test_the_light_stands_above_and_to_the_right_of_the_camera():
    light = judge_light(orbit_views(1, 0.0, 3.0, 40.0))[0]
    assert light.norm().item() == pytest.approx(1)
    assert (light / -light[1]).tolist() == pytest.approx([shots._LIGHT_RIGHT, -1, shots._LIGHT_UP], abs=1e-6)


def test_a_ball_is_brightest_towards_the_light_and_never_darker_than_the_ambient_light():
    taken = photograph(ball(0.6), size=64)
    assert taken.textured.shape == taken.textureless.shape == (8, 3, 64, 64)
    grey = taken.textureless[0, 0]
    inside = (grey - shots.BACKGROUND[0]).abs() > 0.02
    assert grey[inside].max().item() == pytest.approx(shots.GREY, abs=0.01)
    assert grey[inside].min() > shots.GREY * shots.AMBIENT - 0.01
    row, column = divmod(int(grey.argmax()), 64)
    assert row < 30
    assert column > 33
    assert (taken.textureless[0] - taken.textureless[3]).abs().max() < 0.02  # the light goes round with the camera


def test_without_colours_a_red_box_is_a_grey_one():
    red, plain = box((0.4, 0.4, 0.4)), box((0.4, 0.4, 0.4))
    red = type(red)(red.vertices, red.faces, colors=torch.tensor([0.8, 0.1, 0.1]).expand(8, 3).numpy())
    one, other = photograph(red, 64), photograph(plain, 64)
    assert torch.equal(one.textureless, other.textureless)
    assert (one.textured[0, :, 32, 32] / other.textured[0, :, 32, 32]).tolist() == pytest.approx([0.8, 0.1, 0.1])


@pytest.mark.parametrize("noun", ["chair", "mug"])
def test_a_mesh_of_the_truth_looks_like_the_traced_truth(noun):
    """Marching cubes and the rasteriser against sphere tracing: same views, same light, same object."""
    concept, seed = NOUNS.index(noun), 5
    mesh = truth_mesh(concept, seed, resolution=56)
    taken, truth = photograph(mesh, 64).textureless, true_shots(Subject(concept, 0), seed).textureless
    assert (taken - truth).abs().mean() < 0.012
