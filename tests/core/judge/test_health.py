import numpy as np

from core.judge.health import check_health, count_components, is_watertight, uv_overlap
from core.mesh import Mesh
from core.unwrap import triangle_atlas
from tests.core.claims import claims
from tests.core.judge.shapes import ball, box


def two_boxes():
    one, other = box(), box(center=(3, 0, 0))
    return np.concatenate([one.faces, other.faces + 8])


def test_a_box_is_sound():
    faces = box().faces
    health = check_health(Mesh(box().vertices, faces, triangle_atlas(len(faces), 256)))
    assert (health.watertight, health.components, health.faces, health.uv_overlap) == (True, 1, 12, 0.0)
    assert check_health(box()).uv_overlap is None


def test_a_hole_and_a_flipped_face_are_found():
    faces = ball(0.5, 8).faces
    assert is_watertight(faces)
    assert not is_watertight(faces[1:])
    assert not is_watertight(np.concatenate([faces[:1, ::-1], faces[1:]]))
    assert not is_watertight(np.concatenate([faces, faces[:1]]))
    assert not is_watertight(np.zeros((0, 3), np.int32))


def test_parts_are_counted_and_unused_vertices_are_not():
    assert count_components(box().faces) == 1
    assert count_components(two_boxes()) == 2
    assert count_components(box().faces + 5) == 1


def test_overlap_is_the_share_of_texels_that_are_claimed_twice():
    left = np.float32([[[0, 0], [0.5, 0], [0.5, 1]], [[0, 0], [0.5, 1], [0, 1]]])
    assert uv_overlap(left) == 0  # they share an edge
    assert abs(uv_overlap(np.concatenate([left, left[:1]])) - 0.5) < 0.01
    shifted = np.concatenate([left, left + np.float32([0.25, 0])])
    expected = claims(shifted, 1024)
    assert abs(uv_overlap(shifted) - (expected > 1).sum() / (expected > 0).sum()) < 1e-3
