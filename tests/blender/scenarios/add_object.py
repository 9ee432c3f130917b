"""Adds an object with damaged pictures, as a small asset with a normal map, and beside a linked collection.

Arguments: the zip, a folder.
"""

import contextlib
import dataclasses
import importlib
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "rig"))
sys.path.append(str(Path(__file__).parents[2] / "addon"))

from double_trainer import write_mesh, write_png
from install import install_addon

addon, folder = sys.argv[-2], Path(sys.argv[-1])
module = install_addon(addon)
mesh_import = importlib.import_module(f"{module}.mesh_import")
details = importlib.import_module(f"{module}.workspaces").Details("a red cube", 1, "starter", "done", "0.9")
(folder / "mesh").mkdir()
write_mesh(folder / "mesh")


def contents():
    return {item for kind in ("objects", "meshes", "materials", "images") for item in getattr(bpy.data, kind)}


def add(details=details, **placing):
    return mesh_import.add_object(bpy.context, folder, details, mesh_import.Placing(**placing))


def shader_of(thing):
    return next(node for node in thing.data.materials[0].node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def refused(text):
    """Whether the object is refused and nothing is left behind."""
    before = contents()
    with contextlib.suppress(RuntimeError):
        add(height=1.0, asset=True)
        raise AssertionError(text)
    assert contents() == before, text


texture, normal_map = folder / "mesh" / "albedo.png", folder / "mesh" / "normal.png"
whole = texture.read_bytes()
texture.write_bytes(b"")
refused("an empty texture")
texture.unlink()
refused("a missing texture")
texture.write_bytes(whole)
normal_map.write_bytes(b"")
refused("an empty normal map")

flat = np.full((4, 4, 3), (128, 128, 255), np.uint8)
flat[0, 0] = (138, 98, 240)  # at the top left
write_png(normal_map, flat)
picture = np.zeros((32, 32, 3), np.uint8)
picture[:16] = (255, 0, 0)  # the upper half
write_png(folder / "preview.png", picture)
bpy.context.scene.cursor.location = (3, 2, 1)
thing = add(height=0.125, asset=True)
bpy.context.view_layer.update()
points = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
np.testing.assert_allclose(points.min(axis=0), (3 - 0.0625, 2 - 0.0625, 1), atol=1e-6)
np.testing.assert_allclose(points.max(axis=0), (3 + 0.0625, 2 + 0.0625, 1.125), atol=1e-6)
assert tuple(thing.scale) == (1, 1, 1), "the mesh has its size, not the object"
assert tuple(thing.location) == (3, 2, 1), "the origin lies at the base"
assert abs(thing.dimensions.z - 0.125) < 1e-6
assert all(polygon.use_smooth for polygon in thing.data.polygons)
elsewhere = add(height=0.125)
elsewhere.location.y += 1
other = add(height=0.125)
mesh_import.put_beside(bpy.context, other)
assert other.location.x > 3, "the first one stands there"
bpy.data.objects.remove(other)
thing.hide_set(True)
other = add(height=0.125)
mesh_import.put_beside(bpy.context, other)
assert tuple(other.location) == (3, 2, 1), "one that is hidden is in nobody's way, nor is one elsewhere"
bpy.data.batch_remove([other, elsewhere])
thing.hide_set(False)
row = []
for height in (0.125, 0.25, 0.125):
    row.append(add(height=height))
    mesh_import.put_beside(bpy.context, row[-1])
ends = [3 + 0.0625, 3 + 0.0625 + 1.25 * 0.125]  # of the first, of the second
expected = [ends[0] + (0.25 + 0.5) * 0.125, ends[1] + (0.25 + 0.5) * 0.25, ends[1] + 1.25 * 0.25 + (0.25 + 0.5) * 0.125]
np.testing.assert_allclose([other.location.x for other in row], expected, atol=1e-6)
assert all(tuple(other.location)[1:] == (2, 1) for other in row)
bpy.data.batch_remove(row)
properties = {key: thing[key] for key in ("prompt", "seed", "model", "version")}
assert properties == {"prompt": "a red cube", "seed": 1, "model": "starter", "version": "0.9"}

bump = shader_of(thing).inputs["Normal"].links[0].from_node
assert (bump.type, bump.space, bump.uv_map) == ("NORMAL_MAP", "TANGENT", thing.data.uv_layers.active.name)
image = bump.inputs["Color"].links[0].from_node.image
assert image.packed_file is not None
assert image.colorspace_settings.name == "Non-Color"
stored = np.array(image.pixels[:]).reshape(4, 4, 4)
np.testing.assert_allclose(stored[3, 0, :3] * 255, flat[0, 0], atol=1e-3)  # as it is in the file

bpy.ops.wm.save_as_mainfile(filepath=str(folder / "asset.blend"))
bpy.ops.wm.open_mainfile(filepath=str(folder / "asset.blend"))
thing = bpy.data.objects["a red cube"]
assert {tag.name for tag in thing.asset_data.tags} == {"red", "cube"}
assert thing.asset_data.description == "a red cube"
assert tuple(thing.preview.image_size) == (32, 32)
shown = np.array(thing.preview.image_pixels_float[:]).reshape(32, 32, 4)
np.testing.assert_allclose(shown[[0, 31], 0], [(0, 0, 0, 1), (1, 0, 0, 1)], atol=0.01)

normal_map.unlink()
library = str(folder / "library.blend")
bpy.data.libraries.write(library, {bpy.data.collections["Collection"]})
with bpy.data.libraries.load(library, link=True) as (_, wanted):
    wanted.collections = ["Collection"]
linked = wanted.collections[0]
assert linked.library is not None
bpy.context.scene.collection.children.link(linked)
children = bpy.context.view_layer.layer_collection.children
bpy.context.view_layer.active_layer_collection = next(child for child in children if child.collection == linked)
thing = add()
assert list(thing.users_collection) == [bpy.context.scene.collection]
assert abs(thing.dimensions.z - 1) < 1e-6, "its own height"
assert add(dataclasses.replace(details, seed=2**62))["seed"] == str(2**62)
assert thing.asset_data is None
assert (
    not next(n for n in thing.data.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED").inputs["Normal"].links
)
print("ALL CHECKED")
