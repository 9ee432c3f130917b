import dataclasses
import json
import struct
import subprocess

import numpy as np
import pytest
import trimesh

from core import export
from core.config import CameraConfig, MeshConfig
from core.errors import InputError
from core.mesh import Mesh, extract_mesh
from core.texture import paint
from tests.core.fields import AnalyticField, ball, union

SIZE = 128


@pytest.fixture(scope="module")
def mesh():
    """A body with a nose on -Y and a ball on top: front and up can be told."""
    shape = union(ball(0.5), ball(0.15, (0.0, -0.6, 0.0)), ball(0.25, (0.0, 0.0, 0.6)))
    field = AnalyticField(shape)
    config = MeshConfig(resolution=48, faces=2_500, texture_size=SIZE, normal_map=True)
    return paint(field, extract_mesh(field, config), SIZE, CameraConfig())


@pytest.fixture(scope="module")
def folder(mesh, tmp_path_factory):
    path = tmp_path_factory.mktemp("job") / "mesh"
    export.save_mesh(mesh, path)
    return path


def y_up(points):
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def test_all_files_are_there(folder):
    assert {path.name for path in folder.iterdir()} == {
        "mesh.npz",
        "mesh.glb",
        "mesh.obj",
        "mesh.mtl",
        "albedo.png",
        "normal.png",
    }


def test_npz_comes_back_as_it_was(mesh, folder):
    loaded = export.load_npz(folder / "mesh.npz")
    for name in ("vertices", "faces", "uv", "colors"):
        one, other = getattr(loaded, name), getattr(mesh, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(loaded.texture, mesh.texture, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(loaded.normal_map, mesh.normal_map, atol=0.5 / 255 + 1e-6)


def test_a_mesh_without_a_normal_map_comes_without_one(mesh, tmp_path):
    export.save_mesh(dataclasses.replace(mesh, normal_map=None), tmp_path)
    assert not (tmp_path / "normal.png").exists()
    assert "norm" not in (tmp_path / "mesh.mtl").read_text()
    assert export.load_npz(tmp_path / "mesh.npz").normal_map is None
    document, _ = unpacked((tmp_path / "mesh.glb").read_bytes())
    assert "normalTexture" not in document["materials"][0]
    assert "TANGENT" not in document["meshes"][0]["primitives"][0]["attributes"]


def unpacked(glb):
    """The JSON part of a GLB file, and what reads an accessor of it as float32."""
    size = struct.unpack_from("<I", glb, 12)[0]
    document = json.loads(glb[20 : 20 + size])

    def read(index):
        accessor = document["accessors"][index]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        start = 28 + size + document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        return np.frombuffer(glb, "<f4", width * accessor["count"], start).reshape(-1, width)

    return document, read


def test_glb_holds_the_frames_of_its_normal_map(mesh):
    """The bitangent, which glTF's readers make of normal and tangent, points where the picture's upper edge is."""
    document, read = unpacked(export.to_glb(mesh))
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    normal, tangent, uv, place = (read(attributes[k]) for k in ("NORMAL", "TANGENT", "TEXCOORD_0", "POSITION"))
    np.testing.assert_allclose(np.linalg.norm(tangent[:, :3], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose((tangent[:, :3] * normal).sum(axis=1), 0, atol=1e-5)
    bitangent = tangent[:, 3:] * np.cross(normal, tangent[:, :3])
    primitive = document["meshes"][0]["primitives"][0]
    corner = read(primitive["indices"]).view("<u4").reshape(-1, 3)
    one, other = corner[:, 0], corner[:, 1]
    (du, dv), step = (uv[other] - uv[one]).T, place[other] - place[one]
    large = np.hypot(du, dv) > 0.01
    for direction, axis in ((du, tangent[one, :3]), (-dv, bitangent[one])):  # glTF's v grows downwards
        along = (step * axis).sum(axis=1)
        assert np.corrcoef(along[large], direction[large])[0, 1] > 0.9
    image = document["textures"][document["materials"][0]["normalTexture"]["index"]]["source"]
    assert image == 1
    assert len(document["images"]) == 2


@pytest.mark.parametrize("name", ["mesh.glb", "mesh.obj"])
def test_trimesh_reads_the_same_geometry(mesh, folder, name):
    loaded = trimesh.load(folder / name, force="mesh", process=False)
    assert len(loaded.faces) == len(mesh.faces)
    corners, expected = loaded.vertices[loaded.faces].reshape(-1, 3), y_up(mesh.vertices[mesh.faces].reshape(-1, 3))
    np.testing.assert_allclose(corners, expected, atol=2e-6)
    np.testing.assert_allclose(loaded.visual.uv[loaded.faces], mesh.uv, atol=2e-6)
    loaded.merge_vertices(merge_tex=True, merge_norm=True)
    assert loaded.is_watertight
    assert loaded.volume > 0
    assert loaded.bounds[1][1] == pytest.approx(mesh.vertices[:, 2].max(), abs=1e-5)  # up is Y
    assert loaded.bounds[1][2] == pytest.approx(-mesh.vertices[:, 1].min(), abs=1e-5)  # the nose is on +Z


@pytest.mark.parametrize("name", ["mesh.glb", "mesh.obj"])
def test_trimesh_reads_the_texture(mesh, folder, name):
    visual = trimesh.load(folder / name, force="mesh", process=False).visual
    material = visual.material
    picture = material.baseColorTexture if name == "mesh.glb" else material.image
    np.testing.assert_allclose(np.asarray(picture.convert("RGB")) / 255, mesh.texture, atol=0.5 / 255 + 1e-6)


def test_glb_is_well_formed(mesh):
    data = export.to_glb(mesh)
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    document = json.loads(data[20 : 20 + size])
    assert kind == b"JSON"
    assert size % 4 == 0
    binary, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    assert 28 + size + binary == len(data)
    assert document["buffers"] == [{"byteLength": binary}]
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= binary
    material = document["materials"][0]
    assert material["doubleSided"] is False
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    assert set(attributes) == {"POSITION", "NORMAL", "TANGENT", "TEXCOORD_0"}  # COLOR_0 would darken the texture
    position = document["accessors"][attributes["POSITION"]]
    np.testing.assert_allclose(position["min"], y_up(mesh.vertices).min(axis=0))
    np.testing.assert_allclose(position["max"], y_up(mesh.vertices).max(axis=0))


def test_glb_without_a_texture_has_linear_vertex_colours(mesh):
    plain = Mesh(mesh.vertices, mesh.faces, colors=np.full_like(mesh.vertices, 0.5))
    document, read = unpacked(export.to_glb(plain))
    colors = read(document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"])
    np.testing.assert_allclose(colors, 0.2140411, atol=1e-5)  # sRGB 0.5 in linear light


def test_srgb_to_linear():
    np.testing.assert_allclose(
        export.srgb_to_linear(np.float32([0, 0.04045, 0.5, 1])), [0, 0.0031308, 0.2140411, 1], atol=1e-6
    )


def test_obj_names_its_material_and_picture(mesh, tmp_path):
    export.export(mesh, "obj", tmp_path / "burger.obj")
    assert {path.name for path in tmp_path.iterdir()} == {
        "burger.obj",
        "burger.mtl",
        "burger_albedo.png",
        "burger_normal.png",
    }
    assert "mtllib burger.mtl" in (tmp_path / "burger.obj").read_text()
    material = (tmp_path / "burger.mtl").read_text()
    assert "map_Kd burger_albedo.png" in material
    assert "norm burger_normal.png" in material
    assert "Tr " not in material


def test_ply_has_world_axes_and_srgb_colours(mesh, tmp_path):
    export.export(mesh, "ply", tmp_path / "mesh.ply")
    loaded = trimesh.load(tmp_path / "mesh.ply", process=False)
    np.testing.assert_array_equal(loaded.vertices.astype(np.float32), mesh.vertices)
    np.testing.assert_array_equal(loaded.faces, mesh.faces)
    np.testing.assert_allclose(loaded.visual.vertex_colors[:, :3] / 255, mesh.colors, atol=0.5 / 255 + 1e-6)


def test_an_unknown_format_is_refused(mesh, tmp_path):
    with pytest.raises(InputError, match="glb, obj, ply"):
        export.export(mesh, "fbx", tmp_path / "mesh.fbx")


def test_missing_and_damaged_meshes_are_clear_errors(folder, tmp_path):
    with pytest.raises(InputError, match="no mesh"):
        export.load_npz(tmp_path / "mesh.npz")
    whole = (folder / "mesh.npz").read_bytes()
    for broken in (b"", whole[: len(whole) // 2], b"\0" * 100):
        (tmp_path / "mesh.npz").write_bytes(broken)
        with pytest.raises(InputError, match="damaged"):
            export.load_npz(tmp_path / "mesh.npz")


BLENDER_SCRIPT = """
import sys, bpy, numpy as np
np.bool = bool  # Debian's glTF importer of Blender 3.4 uses a name that Debian's numpy no longer has
source, out = sys.argv[-2:]
bpy.ops.wm.read_factory_settings(use_empty=True)
if source.endswith("glb"):
    bpy.ops.import_scene.gltf(filepath=source)
else:
    bpy.ops.wm.obj_import(filepath=source)
item = next(o for o in bpy.data.objects if o.type == "MESH")
mesh = item.data
points = np.array([item.matrix_world @ v.co for v in mesh.vertices])
corners = np.array([[l for l in p.loop_indices] for p in mesh.polygons])
order = np.array([l.vertex_index for l in mesh.loops])
uv = np.array([tuple(d.uv) for d in mesh.uv_layers[0].data])
material = mesh.materials[0]
shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
def read(texture):
    picture = texture.image
    return np.array(picture.pixels[:]).reshape(picture.size[1], picture.size[0], 4)[::-1, :, :3]
color = shader.inputs["Base Color"].links[0].from_node
found = dict(pixels=read(color), space=color.image.colorspace_settings.name)
for link in shader.inputs["Normal"].links:
    bump = link.from_node.inputs["Color"].links[0].from_node
    found |= dict(normals=read(bump), normal_space=bump.image.colorspace_settings.name, bump=link.from_node.type)
np.savez(out, corners=points[order[corners]], uv=uv[corners], link=color.type,
    metallic=shader.inputs["Metallic"].default_value, **found)
"""


@pytest.mark.blender
@pytest.mark.parametrize("name", ["mesh.glb", "mesh.obj"])
def test_blender_reads_the_same_mesh(mesh, folder, name, tmp_path):
    script, out = tmp_path / "read.py", tmp_path / "out.npz"
    script.write_text(BLENDER_SCRIPT)
    command = ["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python", script, "--"]
    done = subprocess.run([*command, folder / name, out], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    read = np.load(out)
    np.testing.assert_allclose(read["corners"], mesh.vertices[mesh.faces], atol=1e-5)  # Z up, front -Y, same winding
    np.testing.assert_allclose(read["uv"], mesh.uv, atol=1e-5)
    np.testing.assert_allclose(read["pixels"], mesh.texture, atol=0.6 / 255)
    assert read["link"] == "TEX_IMAGE"
    assert read["space"] == "sRGB"
    assert read["metallic"] == 0
    if name == "mesh.glb":  # Blender's OBJ reader takes no notice of `norm`
        np.testing.assert_allclose(read["normals"], mesh.normal_map, atol=0.6 / 255)
        assert read["bump"] == "NORMAL_MAP"
        assert read["normal_space"] == "Non-Color"
