import os
import time

import numpy as np
import pytest

from core import unwrap
from core.config import MeshConfig
from core.mesh import extract_surface
from core.texels import covered_texels
from tests.core.claims import claims
from tests.core.fields import AnalyticField, ball, torus, union

SIZE = 256


@pytest.fixture(scope="module")
def shape():
    return extract_surface(
        AnalyticField(union(torus(0.5, 0.2), ball(0.2))), MeshConfig(resolution=48, faces=3_000, texture_size=SIZE)
    )


def area(uv):
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


def assert_sound(uv, count):
    assert uv.shape == (count, 3, 2)
    assert uv.min() >= 0
    assert uv.max() <= 1
    assert (area(uv) > 0).all()
    assert (claims(uv, 4 * SIZE) > 1).sum() == 0


def test_xatlas_makes_charts_without_overlaps(shape):
    uv = unwrap.unwrap(*shape, SIZE)
    assert_sound(uv, len(shape[1]))
    seams = len(np.unique(np.hstack([shape[1].reshape(-1, 1), uv.reshape(-1, 2)]), axis=0)) - len(shape[0])
    assert seams < len(shape[0]) / 2  # charts of many faces, not the fallback
    assert area(uv).sum() > 0.4


def test_charts_are_two_texels_apart(shape):
    """Texels of different charts never touch, not even at a corner, so that a bilinear lookup never mixes them."""
    uv = unwrap.unwrap(*shape, SIZE)
    corner = np.unique(np.hstack([shape[1].reshape(-1, 1), uv.reshape(-1, 2)]), axis=0, return_inverse=True)[1]
    chart = chart_of_faces(corner.reshape(-1, 3))
    owner = np.full(SIZE * SIZE, -1)
    for texel, face, _ in covered_texels(uv, SIZE):
        owner[texel] = chart[face]
    owner = owner.reshape(SIZE, SIZE)
    for one, other in ((owner[1:], owner[:-1]), (owner[:, 1:], owner[:, :-1]), (owner[1:, 1:], owner[:-1, :-1])):
        assert not ((one >= 0) & (other >= 0) & (one != other)).any()


def chart_of_faces(corners):
    """Faces that share split vertices belong together: labels spread until nothing changes."""
    label = np.arange(corners.max() + 1)
    while True:
        lowest = label[corners].min(axis=1)
        spread = label.copy()
        np.minimum.at(spread, corners.ravel(), np.repeat(lowest, 3))
        if np.array_equal(spread, label):
            return lowest
        label = spread


def test_a_slow_xatlas_is_stopped_and_replaced(shape):
    start = time.monotonic()
    lines = []
    uv = unwrap.unwrap(*shape, SIZE, time_limit=0.01, say=lines.append)
    assert time.monotonic() - start < 5
    assert len(lines) == 1
    assert "xatlas took more than" in lines[0]
    assert_sound(uv, len(shape[1]))
    np.testing.assert_array_equal(uv, unwrap.triangle_atlas(len(shape[1]), SIZE))


def test_a_crash_of_xatlas_is_survived(shape, monkeypatch):
    monkeypatch.setattr(unwrap.sys, "executable", "/bin/false" if os.path.exists("/bin/false") else "no such program")
    with pytest.warns(UserWarning, match="could not be cut into charts"):
        uv = unwrap.unwrap(*shape, SIZE)
    np.testing.assert_array_equal(uv, unwrap.triangle_atlas(len(shape[1]), SIZE))


def test_overlapping_charts_are_refused(shape, monkeypatch):
    piled = np.broadcast_to(np.float32([[0.5, 0.5], [0.6, 0.5], [0.5, 0.6]]), (len(shape[1]), 3, 2))
    monkeypatch.setattr(unwrap, "_xatlas", lambda *_: piled)
    with pytest.warns(UserWarning, match="charts overlap"):
        uv = unwrap.unwrap(*shape, SIZE)
    np.testing.assert_array_equal(uv, unwrap.triangle_atlas(len(shape[1]), SIZE))


def test_a_few_overlapping_triangles_are_set_apart(shape, monkeypatch):
    folded = unwrap.triangle_atlas(len(shape[1]), SIZE)
    folded[7] = folded[8] + np.float32([0.001, 0])
    folded[100] = folded[2000]
    monkeypatch.setattr(unwrap, "_xatlas", lambda *_: folded)
    uv = unwrap.unwrap(*shape, SIZE)
    assert_sound(uv, len(shape[1]))
    kept = np.setdiff1d(np.arange(len(uv)), [7, 8, 100, 2000])
    np.testing.assert_allclose(uv[kept] / folded[kept], uv[0, 0, 0] / folded[0, 0, 0], rtol=1e-5)  # only scaled


def test_overlaps_are_found_among_random_triangles():
    """Against the plain loop: a texel that is claimed twice is claimed by faces that overlap."""
    random = np.random.default_rng(1)
    uv = (random.random((60, 1, 2)) * 0.9 + random.random((60, 3, 2)) * 0.1).astype(np.float32)
    overlapping = unwrap.overlapping_faces(uv)
    assert 0 < len(overlapping) < len(uv)
    alone = np.setdiff1d(np.arange(len(uv)), overlapping)
    assert claims(uv[alone], 1024).max() == 1
    for face in overlapping:
        others = np.delete(uv, face, axis=0)
        own = claims(uv[face : face + 1], 2048) > 0
        assert (claims(others, 2048)[own] > 0).any()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 2_000, 5_001])
def test_the_triangle_atlas_is_sound_for_any_count(count):
    uv = unwrap.triangle_atlas(count, SIZE)
    assert_sound(uv, count)
    assert area(uv).std() < 1e-3 * area(uv).mean()
