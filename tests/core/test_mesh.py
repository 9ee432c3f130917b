import dataclasses
import math

import numpy as np
import pytest
import torch
import trimesh

from core.config import FACES, MeshConfig
from core.errors import DreamFusionError
from core.mesh import MIN_FACES, Lattice, extract_mesh, extract_surface, sample_density, solidify, surface_level
from core.occupancy import OccupancyGrid
from tests.core.fields import AnalyticField, ball, cut, torus, union

SMALL = MeshConfig(resolution=64, faces=5_000, texture_size=256)


def surface(distance, config=SMALL, **options):
    vertices, faces = extract_surface(AnalyticField(distance, **options), config)
    return trimesh.Trimesh(vertices, faces, process=False)


def assert_sound(mesh, config=SMALL):
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert MIN_FACES <= len(mesh.faces) <= config.faces
    assert mesh.area_faces.min() > 1e-10
    assert np.abs(mesh.vertices).max() <= 1
    assert len(np.unique(mesh.faces)) == len(mesh.vertices)


@pytest.mark.parametrize("radius", [0.3, 0.7])
def test_ball(radius):
    mesh = surface(ball(radius))
    assert_sound(mesh)
    assert mesh.euler_number == 2
    assert mesh.volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.02)
    distance = np.linalg.norm(mesh.vertices, axis=1)
    assert np.abs(distance - radius).max() < 0.5 * 2 / 63  # half a sample
    assert (np.einsum("ij,ij->i", mesh.vertex_normals, mesh.vertices) > 0).all()  # outward


def test_a_torus_keeps_its_hole():
    mesh = surface(torus(0.5, 0.2))
    assert_sound(mesh)
    assert mesh.euler_number == 0
    assert mesh.volume == pytest.approx(2 * math.pi**2 * 0.5 * 0.2**2, rel=0.03)


@pytest.mark.parametrize("peak", [1e-3, 1.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("width", [0.001, 0.05])
def test_any_scale_of_density_gives_a_surface(peak, width):
    mesh = surface(ball(0.5), peak=peak, width=width)
    assert_sound(mesh)
    assert mesh.euler_number == 2


def test_the_surface_lies_where_the_renderer_becomes_opaque():
    """Between where a ray straight at a soft ball has lost half its light and where a grazing ray loses it."""
    field = AnalyticField(ball(0.5), peak=60.0, width=0.02)
    along = torch.linspace(-1, 1, 2001)

    def opacity(offset):
        line = torch.stack([torch.full_like(along, offset), along, torch.zeros_like(along)], dim=1)
        return 1 - math.exp(-float(field.density(line).sum()) * 1e-3)

    silhouette = max(x for x in np.arange(0.4, 0.7, 0.005) if opacity(x) > 0.5)
    thickness = field.density(torch.stack([along * 0, along, along * 0], dim=1)).cumsum(0) * 1e-3
    head_on = -float(along[(thickness > math.log(2)).nonzero()[0]])
    vertices, _ = extract_surface(field, SMALL)
    radius = float(np.linalg.norm(vertices, axis=1).mean())
    assert head_on < radius < silhouette


def test_an_object_of_a_few_samples_is_marched_on_a_finer_lattice():
    mesh = surface(ball(0.03, (0.01, 0.2, -0.4)), width=0.0005)
    assert_sound(mesh)
    assert mesh.volume == pytest.approx(4 / 3 * math.pi * 0.03**3, rel=0.25)
    assert mesh.centroid == pytest.approx([0.01, 0.2, -0.4], abs=0.005)


def test_a_field_that_fills_the_cube_is_closed_at_its_sides():
    mesh = surface(lambda x: x[:, 0] * 0 - 1)
    assert_sound(mesh)
    assert mesh.volume == pytest.approx(8, rel=0.15)


def test_floaters_go_and_large_parts_stay():
    parts = union(ball(0.4, (-0.4, 0, 0)), ball(0.3, (0.5, 0, 0)), ball(0.05, (0, 0, 0.8)))
    mesh = surface(parts)
    assert_sound(mesh)
    assert mesh.body_count == 2
    assert mesh.vertices[:, 2].max() < 0.5


def test_cavities_are_filled_and_dents_stay():
    hollow = cut(ball(0.6), ball(0.3))
    mesh = surface(hollow)
    assert_sound(mesh)
    assert mesh.body_count == 1
    assert np.linalg.norm(mesh.vertices, axis=1).min() > 0.5
    bowl = cut(hollow, ball(0.35, (0, 0, 0.5)))
    assert np.linalg.norm(surface(bowl).vertices, axis=1).min() < 0.35


def test_noise_and_foam_stay_watertight():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 40, 40, 40, generator=generator)

    def foam(x):
        bumps = torch.nn.functional.grid_sample(noise, x.view(1, 1, 1, -1, 3), align_corners=True).flatten()
        return ball(0.6)(x) + 0.25 * bumps

    assert_sound(surface(foam))


def test_smoothing_takes_fur_off_without_shrinking():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 64, 64, 64, generator=generator)

    def furry(x):
        bumps = torch.nn.functional.grid_sample(noise, x.view(1, 1, 1, -1, 3), align_corners=True).flatten()
        return ball(0.6)(x) + 0.01 * bumps

    mesh = surface(furry, width=0.01)
    distance = np.linalg.norm(mesh.vertices, axis=1)
    assert distance.std() < 0.006
    assert mesh.volume == pytest.approx(surface(ball(0.6), width=0.01).volume, rel=0.02)


@pytest.mark.parametrize("value", [0.0, -5.0, math.nan, math.inf])
def test_an_empty_field_is_a_clear_error(value):
    field = AnalyticField(ball(0.5))
    field.density = lambda x: torch.full((len(x),), value)
    with pytest.raises(DreamFusionError, match="empty"):
        extract_surface(field, SMALL)


def test_some_values_that_are_not_finite_do_no_harm():
    field = AnalyticField(ball(0.5))
    clean = field.density
    field.density = lambda x: torch.where(x[:, 0].abs() < 0.02, math.nan, clean(x))
    vertices, _ = extract_surface(field, SMALL)
    assert np.isfinite(vertices).all()


def test_unoccupied_cells_are_never_asked():
    field = AnalyticField(ball(0.5))
    occupancy = OccupancyGrid(32)
    cells = (occupancy._cells() + 0.5) / 16 - 1
    occupancy.occupied.copy_(cells.norm(dim=1) < 0.6)
    asked = []
    clean = field.density
    field.density = lambda x: (asked.append(len(x)), clean(x))[1]
    box = np.array([[-1.0] * 3, [1.0] * 3])
    skipping = sample_density(field, box, 2 / 63, occupancy)
    assert sum(asked) < 0.15 * 64**3
    np.testing.assert_allclose(skipping.values, sample_density(field, box, 2 / 63).values, atol=1e-6)


def test_the_level_of_a_slab_is_a_share_of_its_density():
    values = np.zeros((20, 20, 20), np.float32)
    values[5:15] = 7.0
    assert surface_level(Lattice(values, np.zeros(3, np.float32), 0.1)) == pytest.approx(0.3 * 7)


def test_a_lone_sample_survives():
    values = np.zeros((9, 9, 9), np.float32)
    values[4, 4, 4] = 3.0
    assert (solidify(Lattice(values, np.zeros(3, np.float32), 1.0), 1.0).values > 0.5).sum() == 1


def test_the_same_field_gives_the_same_mesh():
    one, other = (extract_mesh(AnalyticField(torus(0.5, 0.2)), SMALL) for _ in range(2))
    np.testing.assert_array_equal(one.vertices, other.vertices)
    np.testing.assert_array_equal(one.faces, other.faces)
    np.testing.assert_array_equal(one.uv, other.uv)


def test_the_smallest_budget_of_faces_still_gives_a_sound_mesh():
    mesh = surface(torus(0.5, 0.2), dataclasses.replace(SMALL, faces=FACES[0]))
    assert mesh.is_watertight
    assert len(mesh.faces) <= FACES[0]
    assert mesh.euler_number == 0


def test_a_normal_map_comes_only_where_it_is_asked_for():
    config = dataclasses.replace(SMALL, faces=1_000, texture_size=64)
    assert extract_mesh(AnalyticField(ball(0.5)), config).normal_map is None
    mapped = extract_mesh(AnalyticField(ball(0.5)), dataclasses.replace(config, normal_map=True))
    assert mapped.normal_map.shape == (64, 64, 3)
