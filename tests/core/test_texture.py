import dataclasses

import numpy as np
import pytest
import torch
from skimage.io import imsave

from core.camera import orbit_views
from core.config import CameraConfig, MeshConfig
from core.mesh import Mesh, extract_mesh
from core.occupancy import OccupancyGrid
from core.render import render
from core.texture import bake_texture, paint, vertex_colors
from core.unwrap import triangle_atlas
from tests.core.fields import AnalyticField, ball, torus, waves
from tests.raster import psnr, rasterise

SIZE = 256
CAMERA = CameraConfig()
CONFIG = MeshConfig(resolution=64, faces=6_000, texture_size=SIZE)
SQUARE = Mesh(  # in the plane z = 0, its front upwards
    np.float32([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]]),
    np.int32([[0, 1, 2], [0, 2, 3]]),
    np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]),
)


@pytest.fixture(scope="module")
def field():
    return AnalyticField(torus(0.55, 0.25), width=0.01)


@pytest.fixture(scope="module")
def mesh(field):
    return paint(field, extract_mesh(field, CONFIG), SIZE, CAMERA)


def field_pictures(field, views, side):
    """Rendered twice as large and averaged, as the rasteriser does: one ray a pixel would have jagged outlines."""
    cameras = views.cameras(2 * side, 2 * side)
    with torch.no_grad():
        rendering = render(field, OccupancyGrid(8), cameras, samples=128, background=torch.ones(3))
    return torch.nn.functional.avg_pool2d(rendering.image(), 2)


def test_eight_views_match_the_field(field, mesh, tmp_path):
    views = orbit_views(8, 25.0, 2.9, 40.0)
    truth, pictures = field_pictures(field, views, 48), rasterise(mesh, views.cameras(48, 48))
    rows = [torch.cat(list(images), dim=2) for images in (truth, pictures)]
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1).numpy()
    imsave(tmp_path / "views.png", (sheet * 255).astype(np.uint8), check_contrast=False)
    scores = [psnr(one, other) for one, other in zip(pictures, truth, strict=True)]
    assert min(scores) >= 25, scores


def test_eight_views_match_the_field_with_the_fallback_atlas(field, mesh):
    uv = triangle_atlas(len(mesh.faces), 512)
    other = paint(field, dataclasses.replace(mesh, uv=uv), 512, CAMERA)
    views = orbit_views(2, 25.0, 2.9, 40.0)
    assert psnr(rasterise(other, views.cameras(48, 48)), field_pictures(field, views, 48)) >= 25


def test_every_texel_holds_the_colour_of_its_place():
    """A square in the plane z = 0 whose texture is known in closed form, with row 0 at v = 1."""
    field = AnalyticField(lambda x: x[:, 2], peak=1e4, color=lambda x: torch.cat([x[:, :2] + 0.5, 0 * x[:, :1]], 1))
    texture = bake_texture(field, SQUARE, 16, CAMERA)
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
    texture = bake_texture(field, triangle, 32, CAMERA)
    np.testing.assert_allclose(texture, np.broadcast_to(color.numpy(), (32, 32, 3)), atol=1e-6)


def lines_of_sight(normals, lowest_deg, highest_deg):
    """Camera by camera: the mean of the ways in which those that see a surface look, each as large as it sees it."""
    total = -0.05 * normals  # and a look straight at it, for what none sees
    elevations, around = np.linspace(lowest_deg, highest_deg, 15), 60
    for elevation in np.radians(elevations):
        for azimuth in np.arange(around) * 2 * np.pi / around:
            level = np.cos(elevation)
            camera = np.array([level * np.sin(azimuth), -level * np.cos(azimuth), np.sin(elevation)])
            total -= np.maximum(normals @ camera, 0)[:, None] * camera / (len(elevations) * around)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def test_vertex_colours_are_what_cameras_see(field, mesh):
    """The volume rendering integral along their lines of sight, in steps of half a thousandth."""
    center = mesh.vertices * np.float64([1, 1, 0])
    center *= 0.55 / np.linalg.norm(center, axis=1, keepdims=True)
    outward = mesh.vertices - center
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    inward = torch.from_numpy(np.float32(lines_of_sight(outward, *CAMERA.elevation_deg)))
    step = 0.0005
    depth = torch.arange(-0.03, 0.18, step)
    points = torch.from_numpy(mesh.vertices)[:, None] + depth[:, None] * inward[:, None]
    tau = step * field.density(points.view(-1, 3)).view(len(inward), -1).double()
    weights = torch.exp(tau - tau.cumsum(1)) * -torch.expm1(-tau)
    expected = (weights[..., None] * waves(points)).sum(1) / weights.sum(1, keepdim=True)
    assert np.abs(mesh.colors - expected.numpy()).mean() < 0.01
    np.testing.assert_allclose(mesh.colors, expected, atol=0.05)


def test_bands_on_a_soft_surface_lie_where_cameras_from_above_see_them():
    """A ray straight at the surface would not meet what they see: it lies behind the surface, and lower."""
    field = AnalyticField(ball(0.5), 30.0, 0.02, lambda x: (0.5 + 0.5 * torch.sin(20 * x[:, 2:])).expand(-1, 3))
    above = CameraConfig(elevation_deg=(35.0, 35.0))
    bare = extract_mesh(field, CONFIG)
    views = orbit_views(2, 35.0, 2.9, 40.0)
    truth = field_pictures(field, views, 48)
    straight = CameraConfig(elevation_deg=(0.0, 0.0))
    seen, missed = (
        psnr(rasterise(paint(field, bare, SIZE, camera), views.cameras(48, 48)), truth) for camera in (above, straight)
    )
    assert seen > 22
    assert seen > missed + 3


@pytest.mark.parametrize("density", [20.0, 60.0])
def test_a_soft_surface_shows_the_colour_of_its_depth(density):
    """Below z = 0 the density is s and the colour 1 + 4 z: exponential light, so the mean colour is 1 - 4 / s."""
    field = AnalyticField(lambda x: x[:, 2], density, 1e-6, lambda x: (1 + 4 * x[:, 2:]).expand(-1, 3))
    painted = paint(field, SQUARE, 8, CAMERA)
    np.testing.assert_allclose(painted.colors, 1 - 4 / density, atol=0.03)
    np.testing.assert_allclose(painted.texture, 1 - 4 / density, atol=0.03)


def test_where_nothing_is_a_surface_still_has_a_colour():
    triangle = Mesh(np.float32([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]]), np.int32([[0, 1, 2]]))
    color = torch.tensor([0.2, 0.4, 0.6])
    field = AnalyticField(lambda x: 0 * x[:, 2] + 1, 0.0, color=lambda x: color.expand(len(x), 3))
    np.testing.assert_allclose(vertex_colors(field, triangle, CAMERA), color.expand(3, 3), atol=1e-6)


def test_a_mesh_without_texture_coordinates_is_refused(field, mesh):
    with pytest.raises(ValueError, match="unwrap"):
        bake_texture(field, dataclasses.replace(mesh, uv=None), SIZE, CAMERA)
