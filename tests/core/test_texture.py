import dataclasses

import numpy as np
import pytest
import torch
from skimage.io import imsave

from core.camera import orbit_views
from core.config import MeshConfig
from core.mesh import Mesh, extract_mesh
from core.occupancy import OccupancyGrid
from core.render import render
from core.texture import bake_texture, paint, vertex_colors
from core.unwrap import triangle_atlas
from tests.core.fields import AnalyticField, torus, waves
from tests.raster import psnr, rasterise

SIZE = 256
CONFIG = MeshConfig(resolution=64, faces=6_000, texture_size=SIZE)


@pytest.fixture(scope="module")
def field():
    return AnalyticField(torus(0.55, 0.25), width=0.01)


@pytest.fixture(scope="module")
def mesh(field):
    return paint(field, extract_mesh(field, CONFIG), SIZE)


def field_pictures(field, cameras):
    with torch.no_grad():
        rendering = render(field, OccupancyGrid(8), cameras, samples=128, background=torch.ones(3))
    return rendering.image()


def test_eight_views_match_the_field(field, mesh, tmp_path):
    cameras = orbit_views(8, 25.0, 2.9, 40.0).cameras(64, 64)
    truth, pictures = field_pictures(field, cameras), rasterise(mesh, cameras)
    rows = [torch.cat(list(images), dim=2) for images in (truth, pictures)]
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1).numpy()
    imsave(tmp_path / "views.png", (sheet * 255).astype(np.uint8), check_contrast=False)
    scores = [psnr(one, other) for one, other in zip(pictures, truth, strict=True)]
    assert min(scores) >= 25, scores


def test_eight_views_match_the_field_with_the_fallback_atlas(field, mesh):
    uv = triangle_atlas(len(mesh.faces), 512)
    other = paint(field, dataclasses.replace(mesh, uv=uv), 512)
    cameras = orbit_views(2, 25.0, 2.9, 40.0).cameras(64, 64)
    assert psnr(rasterise(other, cameras), field_pictures(field, cameras)) >= 25


def test_every_texel_holds_the_colour_of_its_place():
    """A square in the plane z = 0 whose texture is known in closed form, with row 0 at v = 1."""
    square = Mesh(
        np.float32([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]]),
        np.int32([[0, 1, 2], [0, 2, 3]]),
        np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]),
    )
    field = AnalyticField(lambda x: x[:, 2], peak=1e4, color=lambda x: torch.cat([x[:, :2] + 0.5, 0 * x[:, :1]], 1))
    texture = bake_texture(field, square, 16)
    centre = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(texture[..., 0], np.broadcast_to(centre, (16, 16)), atol=1e-5)
    np.testing.assert_allclose(texture[..., 1], np.broadcast_to(centre[::-1, None], (16, 16)), atol=1e-5)


def test_seams_are_padded_with_the_colour_next_to_them():
    triangle = Mesh(
        np.float32([[-0.5, -0.5, 0], [0.5, -0.5, 0], [-0.5, 0.5, 0]]),
        np.int32([[0, 1, 2]]),
        np.float32([[[0.4, 0.4], [0.6, 0.4], [0.4, 0.6]]]),
    )
    color = torch.tensor([0.2, 0.4, 0.6])
    field = AnalyticField(lambda x: x[:, 2], color=lambda x: color.expand(len(x), 3))
    texture = bake_texture(field, triangle, 32)
    np.testing.assert_allclose(texture, np.broadcast_to(color.numpy(), (32, 32, 3)), atol=1e-6)


def test_the_colour_is_taken_where_the_renderer_sees_it():
    """Red skin, blue core, and a mesh that is a little too large or too small: the skin's colour it must be."""

    def skin(x):
        inner = (x.norm(dim=-1) < 0.47)[:, None]
        return torch.where(inner, torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0]))

    field = AnalyticField(lambda x: x.norm(dim=-1) - 0.5, peak=400.0, color=skin)
    mesh = extract_mesh(field, CONFIG)
    for scale in (0.93, 1.04):
        moved = dataclasses.replace(mesh, vertices=mesh.vertices * np.float32(scale))
        colors = vertex_colors(field, moved)
        assert (np.abs(colors - [1, 0, 0]).max(axis=1) < 1e-3).mean() > 0.99


def test_vertex_colours_are_the_field_s(mesh):
    expected = waves(torch.from_numpy(mesh.vertices)).numpy()
    assert np.abs(mesh.colors - expected).mean() < 0.05
    assert mesh.colors.shape == mesh.vertices.shape


def test_a_mesh_without_texture_coordinates_is_refused(field, mesh):
    with pytest.raises(ValueError, match="unwrap"):
        bake_texture(field, dataclasses.replace(mesh, uv=None), SIZE)
