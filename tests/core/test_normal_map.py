import numpy as np
import pytest

from core.config import MeshConfig
from core.mesh import extract_mesh, extract_surface
from core.normal_map import FLAT, bake_normals
from core.surface import vertex_normals
from core.tangents import corner_tangents
from core.texels import covered_texels
from core.unwrap import triangle_atlas
from tests.core.bumpy_ball import bumps, degrees, on_surface, true_normals
from tests.core.fields import AnalyticField

SIZE = 512
CONFIG = MeshConfig(resolution=112, faces=800, texture_size=SIZE, normal_map=True)


def shaded(vertices, faces, uv, picture):
    """Places and unit normals under the texels' centres, with and without the map, as svm_node_normal_map of Cycles."""
    texel, face, share = (np.concatenate(parts) for parts in zip(*covered_texels(uv, len(picture)), strict=True))
    frame = corner_tangents(vertices, faces, uv)[face].astype(np.float64)
    smooth, tangent = (
        np.einsum("kc,kcx->kx", share, values)
        for values in (vertex_normals(vertices, faces)[faces[face]].astype(np.float64), frame[..., :3])
    )
    bitangent = frame[:, 0, 3:] * np.cross(smooth, tangent)
    color = 2 * picture.reshape(-1, 3)[texel].astype(np.float64) - 1
    mapped = color[:, :1] * tangent + color[:, 1:2] * bitangent + color[:, 2:] * smooth
    places = np.einsum("kc,kcx->kx", share, vertices[faces[face]])
    return places, *(v / np.linalg.norm(v, axis=1, keepdims=True) for v in (smooth, mapped))


@pytest.fixture(scope="module")
def field():
    return AnalyticField(bumps, width=0.01)


@pytest.fixture(scope="module")
def coarse(field):
    return extract_mesh(field, CONFIG)


def errors(mesh, picture):
    """Degrees between the analytic normals and those that a viewer shows, without and with the normal map."""
    places, smooth, mapped = shaded(mesh.vertices, mesh.faces, mesh.uv, picture)
    truth = true_normals(places)
    return degrees(smooth, truth), degrees(mapped, truth)


def test_a_coarse_ball_with_its_map_has_the_normals_of_the_bumps(coarse):
    assert len(coarse.faces) <= CONFIG.faces
    without, mapped = errors(coarse, coarse.normal_map)
    assert without.mean() > 5
    assert mapped.mean() < 2.6
    assert np.quantile(mapped, 0.99) < 7


def test_of_a_fine_surface_without_errors_the_map_has_hardly_any(field, coarse):
    """What is left above are the errors of marching cubes and smoothing: here the fine vertices are exact."""
    vertices, faces = extract_surface(field, MeshConfig(resolution=144, faces=10**7))
    exact = on_surface(vertices.astype(np.float64)).astype(np.float32)
    picture = bake_normals(exact, faces, coarse.vertices, coarse.faces, coarse.uv, SIZE)
    _, mapped = errors(coarse, picture)
    assert mapped.mean() < 0.7
    assert np.quantile(mapped, 0.99) < 3


def test_a_mesh_that_lost_nothing_has_a_flat_map(field):
    fine = extract_surface(field, MeshConfig(resolution=48))
    baked = bake_normals(*fine, *fine, triangle_atlas(len(fine[1]), SIZE), SIZE)
    assert degrees(2 * baked.reshape(-1, 3) - 1, np.array(FLAT) * 2 - 1).mean() < 2.5


def test_a_thin_sheet_keeps_its_sides_apart():
    """The fine vertices of the other side are nearer than those of this one, and do not count."""
    square = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    down = square + np.float32([0, 0, -1e-4])
    vertices = np.concatenate([square, down])
    faces = np.int32([[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6]])
    uv = np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    picture = bake_normals(vertices, faces, down + np.float32([0, 0, 2e-4]), faces[:2], uv, 16)
    np.testing.assert_allclose(picture, np.broadcast_to(FLAT, (16, 16, 3)), atol=1e-6)
