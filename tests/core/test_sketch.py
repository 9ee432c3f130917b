import numpy as np
import pytest
import torch

from core.config import CameraConfig
from core.occupancy import OccupancyGrid
from core.sketch import PALETTE, RESOLUTION, make_palette, write_sketch
from core.surface import face_normals, is_closed
from tests.core.fields import AnalyticField, ball

RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.2, 0.7)


def halves(x):
    """Red above, blue below."""
    return torch.where(x[:, 2:] > 0, torch.tensor(RED), torch.tensor(BLUE))


def sketch_of(folder, field):
    path = folder / "sketch.npz"
    assert write_sketch(path, field, OccupancyGrid(8), CameraConfig())
    return np.load(path)


def test_a_sketch_is_the_coarse_surface_in_a_few_thousand_faces(tmp_path):
    sketch = sketch_of(tmp_path, AnalyticField(ball(0.6), color=halves))
    vertices, faces = sketch["vertices"], sketch["faces"]
    assert np.abs(np.linalg.norm(vertices, axis=1) - 0.6).max() < 0.04
    assert 1_000 < len(faces) < 8_000
    assert is_closed(faces)
    middles = vertices[faces].mean(axis=1)
    assert ((face_normals(vertices, faces) * middles).sum(axis=1) > 0).all(), "counter-clockwise seen from outside"


def test_its_vertices_and_faces_have_the_colours_that_the_field_has(tmp_path):
    sketch = sketch_of(tmp_path, AnalyticField(ball(0.6), color=halves))
    vertices, faces, palette = sketch["vertices"], sketch["faces"], sketch["palette"]
    assert palette.shape == (PALETTE, 3)
    shown = palette[sketch["slots"]]
    for colors, heights in ((sketch["colors"], vertices[:, 2]), (shown, vertices[faces].mean(axis=1)[:, 2])):
        assert np.abs(colors[heights > 0.15] - RED).max() < 0.02
        assert np.abs(colors[heights < -0.15] - BLUE).max() < 0.02


def test_an_empty_field_has_no_sketch(tmp_path):
    assert not write_sketch(tmp_path / "sketch.npz", AnalyticField(ball(-1), peak=0), OccupancyGrid(8), CameraConfig())
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_thin_for_any_ray_is_no_error(tmp_path):
    """A single sample of 32 along a side, between the lines that are looked along."""
    place = -1 / (RESOLUTION - 1)
    field = AnalyticField(ball(0.02, (place, place, place)))
    assert write_sketch(tmp_path / "sketch.npz", field, OccupancyGrid(8), CameraConfig())


def test_a_sketch_draws_no_random_number(tmp_path):
    before = torch.get_rng_state()
    first = sketch_of(tmp_path, AnalyticField(ball(0.5)))
    assert torch.equal(torch.get_rng_state(), before)
    second = sketch_of(tmp_path, AnalyticField(ball(0.5)))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("kinds", [1, 3, 8])
def test_a_palette_finds_as_many_colours_as_it_has(kinds):
    true = np.random.default_rng(0).random((kinds, 3)).astype(np.float32)
    colors = true[np.arange(300) % kinds]
    palette, slots = make_palette(colors, 8)
    assert np.abs(palette[slots] - colors).max() < 1e-3
    assert slots.dtype == np.uint8
