import math

import pytest
import torch

from core.camera import (
    PLANE_CHANNELS,
    Views,
    camera_embedding,
    camera_matrices,
    camera_planes,
    orbit_views,
    sample_views,
)
from core.config import CameraConfig


def one_view(azimuth=0.0, elevation=0.0, radius=3.0, fov=40.0):
    return Views(*(torch.tensor([float(value)]) for value in (azimuth, elevation, radius, fov)))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "position"),
    [
        (0, 0, (0, -3, 0)),
        (90, 0, (3, 0, 0)),
        (180, 0, (0, 3, 0)),
        (-90, 0, (-3, 0, 0)),
        (0, 90, (0, 0, 3)),
        (90, 30, (3 * math.cos(math.pi / 6), 0, 1.5)),
    ],
)
def test_where_cameras_stand(azimuth, elevation, position):
    matrix = one_view(azimuth, elevation).cameras(2, 2).camera_to_world[0]
    torch.testing.assert_close(matrix[:3, 3], torch.tensor(position, dtype=torch.float32), atol=1e-5, rtol=0)
    torch.testing.assert_close(matrix[3], torch.tensor([0.0, 0.0, 0.0, 1.0]))


@pytest.mark.parametrize("elevation", [-90, -10, 0, 60, 90])
def test_axes_are_a_rotation_and_level(elevation):
    axes = one_view(37, elevation).cameras(2, 2).camera_to_world[0, :3, :3]
    torch.testing.assert_close(axes.T @ axes, torch.eye(3), atol=1e-6, rtol=0)
    assert torch.linalg.det(axes) == pytest.approx(1.0, abs=1e-5)
    assert axes[2, 0] == 0  # the horizon is level
    assert axes[2, 1] >= -1e-6  # up is up


def test_centre_pixel_looks_at_the_origin():
    views = orbit_views(7, 25.0, 2.8, 50.0)
    rays = views.cameras(5, 9).rays()
    index = torch.arange(7) * 45 + 2 * 9 + 4
    at_origin = rays.origins[index] + 2.8 * rays.directions[index]
    torch.testing.assert_close(at_origin, torch.zeros(7, 3), atol=1e-5, rtol=0)


def test_rays_are_unit_and_in_picture_order():
    rays = one_view().cameras(4, 6).rays()
    torch.testing.assert_close(rays.directions.norm(dim=-1), torch.ones(24))
    grid = rays.directions.view(4, 6, 3)
    assert (grid[:, 0, 0] < 0).all()  # from the front, +X is to the right
    assert (grid[:, -1, 0] > 0).all()
    assert (grid[0, :, 2] > 0).all()  # the first row is the top
    assert (grid[-1, :, 2] < 0).all()


def test_field_of_view_is_vertical_and_reaches_pixel_edges():
    rays = one_view(fov=60).cameras(100, 50).rays().directions.view(100, 50, 3)
    half_pixel = 0.5 / (50 / math.tan(math.radians(30)))
    column = rays[0, 25]
    assert -column[2] / column[1] == pytest.approx(-(math.tan(math.radians(30)) - half_pixel), rel=1e-5)


def test_random_views_keep_their_ranges_and_sectors():
    config = CameraConfig(radius=(2.0, 2.5), elevation_deg=(-5.0, 15.0), fov_deg=(30.0, 45.0))
    views = sample_views(config, 8, torch.Generator().manual_seed(1))
    sector = torch.arange(8) * 45.0
    assert ((views.azimuth_deg >= sector) & (views.azimuth_deg < sector + 45)).all()
    for values, (low, high) in (
        (views.radius, config.radius),
        (views.elevation_deg, config.elevation_deg),
        (views.fov_deg, config.fov_deg),
    ):
        assert ((values >= low) & (values <= high)).all()
        assert values.std() > 0
    again = sample_views(config, 8, torch.Generator().manual_seed(1))
    torch.testing.assert_close(vars(views), vars(again), rtol=0, atol=0)


def test_orbit_starts_in_front():
    views = orbit_views(4, 15.0, 3.0, 40.0)
    assert views.azimuth_deg.tolist() == [0, 90, 180, 270]
    assert views.elevation_deg.tolist() == [15.0] * 4


def test_embedding():
    embedding = camera_embedding(one_view(90, 30, 2.0, 90))
    expected = torch.tensor([[1.0, 0.0, 0.5, math.sqrt(3) / 2, 1.0]])
    torch.testing.assert_close(embedding, expected, atol=1e-6, rtol=0)


def test_planes_hold_the_point_behind_each_pixel():
    """From +X with a field of view of 90 degrees at distance 2: the frame is 4 high, the picture's right is +Y."""
    planes = camera_planes(one_view(90, 0, 2.0, 90), (2, 4))
    assert planes.shape == (1, PLANE_CHANNELS, 2, 4)
    expected = torch.tensor([[0.0, y, 1.0] for y in (-3.0, -1.0, 1.0, 3.0)]).T
    torch.testing.assert_close(planes[0, :3, 0], expected, atol=1e-5, rtol=0)


def test_planes_hold_sines_and_cosines_of_the_point():
    planes = camera_planes(one_view(20, 30, 2.0, 50), (3, 3))[0, :, 2, 0].tolist()
    point, waves = planes[:3], iter(planes[3:])
    for octave in (1, 2, 4):
        for function in (math.sin, math.cos):
            for c in point:
                assert next(waves) == pytest.approx(function(octave * math.pi * c), abs=1e-5)
    assert next(waves, None) is None


def test_planes_face_the_camera():
    views = sample_views(CameraConfig(), 5, torch.Generator().manual_seed(0))
    planes = camera_planes(views, (6, 6))
    assert torch.einsum("bchw,bc->bhw", planes[:, :3], views.directions()).abs().max() < 1e-5


def test_a_ring_is_four_views_at_equal_spacing():
    config = CameraConfig(radius=(2.0, 2.5), elevation_deg=(0.0, 30.0), fov_deg=(30.0, 45.0))
    views = sample_views(config, 2, torch.Generator().manual_seed(1), ring=4)
    azimuth = views.azimuth_deg.view(2, 4)
    torch.testing.assert_close(azimuth.diff(dim=1), torch.full((2, 3), 90.0))
    assert 0 <= azimuth[0, 0] < 45 <= azimuth[1, 0] < 90
    for values in (views.elevation_deg, views.radius, views.fov_deg):
        rows = values.view(2, 4)
        assert (rows == rows[:, :1]).all()
        assert rows[0, 0] != rows[1, 0]


@pytest.mark.parametrize(
    ("azimuth", "elevation", "matrix"),
    [  # columns: right, up, backward, position; by hand, in a world where the front faces +X
        (0, 0, [0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),  # stands on +X, sees +Y on its right
        (90, 0, [-1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1]),  # stands on +Y, sees -X on its right
        (180, 0, [0, 0, -1, -1, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),  # behind, on -X
        (0, 30, [0, -0.5, 0.75**0.5, 0.75**0.5, 1, 0, 0, 0, 0, 0.75**0.5, 0.5, 0.5, 0, 0, 0, 1]),
    ],
)
def test_mvdreams_cameras_by_hand(azimuth, elevation, matrix):
    told = camera_matrices(one_view(azimuth, elevation, 2.7, 35))
    torch.testing.assert_close(told, torch.tensor([matrix], dtype=told.dtype), atol=1e-6, rtol=0)


def test_mvdreams_cameras_are_its_own_formula():
    """It puts a camera at (cos e sin a, sin e, cos e cos a), Y up, and turns that to Z up; 90 degrees see the front."""
    views = sample_views(CameraConfig(), 1, torch.Generator().manual_seed(3), ring=4)
    for told, azimuth, elevation in zip(camera_matrices(views), views.azimuth_deg, views.elevation_deg, strict=True):
        a, e = math.radians(azimuth + 90), math.radians(elevation)
        position = torch.tensor([math.cos(e) * math.sin(a), math.sin(e), math.cos(e) * math.cos(a)])
        right = torch.linalg.cross(-position, torch.tensor([0.0, 1.0, 0.0]))
        right = right / right.norm()
        up = torch.linalg.cross(right, -position)
        columns = torch.stack([right, up, position, position], dim=1)
        expected = torch.eye(4)
        expected[:3] = torch.stack([columns[0], -columns[2], columns[1]])
        torch.testing.assert_close(told.view(4, 4), expected, atol=1e-6, rtol=0)
