import numpy as np
import pytest
import trimesh
from skimage.measure import marching_cubes

from core import surface

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def ball(count=24):
    axis = np.linspace(-1, 1, count)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    vertices, faces, _, _ = marching_cubes(0.7 - np.sqrt(x**2 + y**2 + z**2), 0.0, gradient_direction="ascent")
    return (vertices * (2 / (count - 1)) - 1).astype(np.float32), faces.astype(np.int32)


def volume(vertices, faces):
    return trimesh.Trimesh(vertices, faces, process=False).volume


def test_a_tetrahedron_is_closed_and_its_parts_are_not():
    assert surface.is_closed(TETRAHEDRON)
    assert not surface.is_closed(TETRAHEDRON[:3])  # a hole
    assert not surface.is_closed(np.concatenate([TETRAHEDRON[:3], TETRAHEDRON[3:, ::-1]]))  # one face inside out
    assert not surface.is_closed(np.concatenate([TETRAHEDRON, TETRAHEDRON]))  # edges with four faces


def test_normals_point_outward():
    vertices, faces = ball()
    radial = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", surface.vertex_normals(vertices, faces), radial) > 0.95).all()


def test_the_normals_of_a_cubes_corners_are_its_diagonals():
    """However its squares are cut into triangles: three right angles meet in each corner."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    cube = trimesh.convex.convex_hull(corners)
    normals = surface.vertex_normals(cube.vertices.astype(np.float32), cube.faces.astype(np.int32))
    np.testing.assert_allclose(normals, cube.vertices / np.sqrt(3), atol=1e-6)


def test_degenerate_faces_are_found():
    assert not surface.has_degenerate_faces(CORNERS, TETRAHEDRON)
    assert surface.has_degenerate_faces(CORNERS * np.float32([1, 1, 0]), TETRAHEDRON)


def test_touching_sheets_come_apart():
    """Two tetrahedra that share a vertex, and two that share an edge."""
    for shared in ([0], [0, 1]):
        other = TETRAHEDRON + 4
        for vertex in shared:
            other[other == vertex + 4] = vertex
        mirrored = CORNERS * np.float32([1, -1, -1])
        faces = np.concatenate([TETRAHEDRON, other])
        vertices = np.concatenate([CORNERS, mirrored])
        if shared == [0, 1]:
            assert not surface.is_closed(faces)
        results = [surface.separate(vertices, faces, seed) for seed in range(8)]
        closed = [(points, triangles) for points, triangles in results if surface.is_closed(triangles)]
        assert closed
        points, triangles = closed[0]
        assert len(points) == 8
        assert trimesh.Trimesh(points, triangles, process=False).body_count == 2
        np.testing.assert_array_equal(points[triangles], vertices[faces])


def test_smoothing_flattens_noise_and_keeps_the_volume():
    vertices, faces = ball(48)
    rough = vertices + 0.01 * np.random.default_rng(0).standard_normal(vertices.shape).astype(np.float32)
    smoothed = surface.smooth(rough, faces)
    spread = [np.linalg.norm(v, axis=1).std() for v in (rough, smoothed)]
    assert spread[1] < 0.5 * spread[0]
    assert volume(smoothed, faces) == pytest.approx(volume(vertices, faces), rel=0.01)


def test_decimation_stays_closed_and_keeps_the_shape():
    vertices, faces = ball(48)
    points, triangles = surface.decimate(vertices, faces, 2_000)
    assert len(triangles) <= 2_000
    assert surface.is_closed(triangles)
    assert volume(points, triangles) == pytest.approx(volume(vertices, faces), rel=0.01)


def test_decimation_leaves_a_small_surface_alone():
    points, triangles = surface.decimate(CORNERS, TETRAHEDRON, 100)
    assert points is CORNERS
    assert triangles is TETRAHEDRON
