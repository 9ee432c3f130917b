import math

import numpy as np
import torch

from core.camera import Views, orbit_views
from core.judge import raster
from core.judge.shots import albedo_pictures
from core.mesh import Mesh
from tests import raster as reference
from tests.core.judge.shapes import ball, box, painted_ball


def test_pictures_are_those_of_the_slow_rasteriser():
    mesh, views = painted_ball(), orbit_views(3, 25.0, 2.5, 40.0)
    expected = reference.rasterise(mesh, views.cameras(40, 40))
    assert (albedo_pictures(mesh, views, 40) - expected).abs().max() < 1e-5


def test_a_ball_covers_its_analytic_share_of_the_picture():
    cameras = orbit_views(1, 10.0, 3.0, 40.0).cameras(128, 128)
    covered = raster.rasterise(ball(0.5), cameras, 0).any.mean()
    tangent = 0.5 / math.sqrt(3.0**2 - 0.5**2)  # of the cone that touches the ball
    assert abs(covered / (math.pi * (tangent / (2 * math.tan(math.radians(20)))) ** 2) - 1) < 0.02


def test_places_and_normals_of_a_ball():
    """Where a pixel's ray meets a ball is known in closed form; there the normal is the place."""
    radius = 0.6
    mesh, cameras = ball(radius, 96), orbit_views(2, 30.0, 3.0, 40.0).cameras(48, 48)
    hits, rays = raster.rasterise(mesh, cameras, 1), cameras.rays()
    origins, directions = (part.reshape(2, 48, 48, 3)[1].double().numpy() for part in (rays.origins, rays.directions))
    along = (origins * directions).sum(-1)
    depth = along**2 - (origins**2).sum(-1) + radius**2
    inner = hits.any & (depth > 0.03)
    truth = (origins + (-along - np.sqrt(depth.clip(0)))[..., None] * directions)[inner] / radius
    places = np.einsum("kc,kcx->kx", hits.share[inner], mesh.vertices[mesh.faces[hits.face[inner]]])
    assert np.abs(places / radius - truth).max() < 0.01
    assert np.abs(raster.normals(mesh, hits)[inner] - truth).max() < 0.03


def test_the_nearer_of_two_sheets_is_seen():
    near, far = box((0.1, 0.1, 0.1), (0, -0.5, 0)), box((0.3, 0.1, 0.3), (0, 0.5, 0))
    both = Mesh(np.concatenate([far.vertices, near.vertices]), np.concatenate([far.faces, near.faces + 8]))
    front, back = (
        raster.rasterise(both, orbit_views(2, 0.0, 3.0, 40.0).cameras(64, 64), index).face[32, 32] for index in (0, 1)
    )
    assert front >= 12
    assert 0 <= back < 12


def test_a_corner_outside_of_the_picture_is_cut_off():
    view = Views(*(torch.tensor([value]) for value in (0.0, 0.0, 3.0, 20.0)))
    hits = raster.rasterise(box((1, 0.1, 0.2)), view.cameras(32, 32), 0)
    assert hits.any[16].all()
    assert not hits.any[0].any()
    np.testing.assert_allclose(hits.share[hits.any].sum(-1), 1)


def test_a_texture_starts_at_the_bottom_left():
    texture = np.zeros((4, 4, 3))
    texture[3, 0] = 1  # the lowest row, the first column
    corners = np.array([[0.125, 0.125], [0.0, 0.0], [0.25, 0.125], [1.0, 1.0]])
    assert raster.bilinear(texture, corners)[:, 0].tolist() == [1, 1, 0.5, 0]


def test_colours_come_from_the_vertices_where_there_is_no_texture():
    plain = box((0.4, 0.4, 0.4))
    mesh = Mesh(plain.vertices, plain.faces, colors=np.tile(np.float32([0.2, 0.4, 0.6]), (8, 1)))
    hits = raster.rasterise(mesh, orbit_views(1, 0.0, 3.0, 40.0).cameras(16, 16), 0)
    np.testing.assert_allclose(raster.albedo(mesh, hits)[8, 8], [0.2, 0.4, 0.6], atol=1e-6)
    assert not raster.albedo(mesh, hits)[0, 0].any()
    np.testing.assert_allclose(raster.albedo(plain, hits)[8, 8], 1)
