import subprocess

import numpy as np
import pytest

from core.config import MeshConfig
from core.mesh import extract_mesh
from core.surface import vertex_normals
from core.tangents import corner_tangents
from tests.core.fields import AnalyticField, ball, torus, union


def globe(columns=64, rows=32, mirrored=False):
    """A band of a unit ball around Z: u grows eastwards (or westwards), v upwards."""
    column, row = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1), indexing="ij")
    place = np.stack([column / columns, row / rows], axis=-1).reshape(-1, 2)
    longitude, latitude = 2 * np.pi * place[:, 0], (place[:, 1] - 0.5) * 2
    points = np.stack([np.cos(longitude), np.sin(longitude), np.tan(latitude)], axis=1) * np.cos(latitude)[:, None]
    first = (np.arange(columns)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    a, b, c, d = first, first + rows + 1, first + rows + 2, first + 1
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    uv = place[faces] * [-1, 1] + [1, 0] if mirrored else place[faces]
    return points.astype(np.float32), faces, uv.astype(np.float32), longitude[faces]


@pytest.mark.parametrize("mirrored", [False, True])
def test_on_a_globe_tangents_point_east_and_bitangents_north(mirrored):
    vertices, faces, uv, longitude = globe(mirrored=mirrored)
    frame = corner_tangents(vertices, faces, uv)
    inside = (np.abs(uv - 0.5) < 0.45).all(axis=(1, 2))  # at the band's ends the mean is one-sided
    east = np.stack([-np.sin(longitude), np.cos(longitude), 0 * longitude], axis=-1)
    direction = -1 if mirrored else 1
    np.testing.assert_allclose(frame[inside, :, :3], direction * east[inside], atol=2e-3)
    assert (frame[..., 3] == direction).all()
    north = frame[..., 3:] * np.cross(vertices[faces], frame[..., :3])
    assert (north[inside, :, 2] > 0).all()


def test_a_face_without_a_place_in_the_texture_still_has_a_frame():
    vertices, faces, uv, _ = globe(8, 4)
    frame, normals = corner_tangents(vertices, faces, 0 * uv), vertex_normals(vertices, faces)[faces]
    np.testing.assert_allclose(np.linalg.norm(frame[..., :3], axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose((frame[..., :3] * normals).sum(axis=-1), 0, atol=1e-6)


BLENDER_SCRIPT = """
import sys, bpy, numpy as np
source, out = sys.argv[-2:]
with np.load(source) as data:
    vertices, faces, uv = data["vertices"], data["faces"], data["uv"]
mesh = bpy.data.meshes.new("mesh")
mesh.from_pydata(vertices.tolist(), [], faces.tolist())
mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
mesh.uv_layers.new().data.foreach_set("uv", uv.ravel())
mesh.calc_tangents()
def read(name, width):
    values = np.zeros(len(mesh.loops) * width, np.float32)
    mesh.loops.foreach_get(name, values)
    return values.reshape(-1, 3, width)
np.savez(out, normal=read("normal", 3), tangent=read("tangent", 3), sign=read("bitangent_sign", 1))
"""


@pytest.mark.blender
def test_blender_has_the_same_frames(tmp_path):
    """Its mikktspace.c on a decimated and unwrapped mesh, corner by corner."""
    field = AnalyticField(union(torus(0.55, 0.2), ball(0.3)))
    mesh = extract_mesh(field, MeshConfig(resolution=64, faces=4_000, texture_size=256))
    np.savez(tmp_path / "mesh.npz", vertices=mesh.vertices, faces=mesh.faces, uv=mesh.uv)
    script, out = tmp_path / "read.py", tmp_path / "out.npz"
    script.write_text(BLENDER_SCRIPT)
    command = ["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python", script, "--"]
    done = subprocess.run([*command, tmp_path / "mesh.npz", out], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    read, frame = np.load(out), corner_tangents(mesh.vertices, mesh.faces, mesh.uv)
    np.testing.assert_allclose(read["normal"], vertex_normals(mesh.vertices, mesh.faces)[mesh.faces], atol=1e-4)
    np.testing.assert_array_equal(read["sign"][..., 0], frame[..., 3])
    assert (read["tangent"] * frame[..., :3]).sum(axis=-1).min() > 0.999
