"""Adds an object with a damaged texture, and beside a linked collection. Arguments: the zip, a folder."""

import contextlib
import importlib
import sys
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parents[1] / "rig"))
sys.path.append(str(Path(__file__).parents[2] / "addon"))

from double_trainer import write_mesh
from install import install_addon

addon, folder = sys.argv[-2], Path(sys.argv[-1])
module = install_addon(addon)
mesh_import = importlib.import_module(f"{module}.mesh_import")
details = importlib.import_module(f"{module}.workspaces").Details("a red cube", 1, "starter", "done")
write_mesh(folder)
(folder / "no_picture.png").write_text("")


def contents():
    return {item for kind in ("objects", "meshes", "materials", "images") for item in getattr(bpy.data, kind)}


before = contents()
for texture in ("no_picture.png", "missing.png"):
    with contextlib.suppress(RuntimeError):
        mesh_import.add_object(bpy.context, folder / "mesh.npz", folder / texture, details)
        raise AssertionError(f"{texture} is refused")
    assert contents() == before, "nothing is left behind"

library = str(folder / "library.blend")
bpy.data.libraries.write(library, {bpy.data.collections["Collection"]})
with bpy.data.libraries.load(library, link=True) as (_, wanted):
    wanted.collections = ["Collection"]
linked = wanted.collections[0]
assert linked.library is not None
bpy.context.scene.collection.children.link(linked)
children = bpy.context.view_layer.layer_collection.children
bpy.context.view_layer.active_layer_collection = next(child for child in children if child.collection == linked)
thing = mesh_import.add_object(bpy.context, folder / "mesh.npz", folder / "albedo.png", details)
assert list(thing.users_collection) == [bpy.context.scene.collection]
print("ALL CHECKED")
