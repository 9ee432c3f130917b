"""Renders places and normals of an imported object, as its material shows them, from the front.

Arguments: the zip, a job's folder, an npz file, which gets `place`, `plain` and `mapped` (H, W, 3) and `seen` (H, W).
"""

import importlib
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "rig"))

from install import install_addon

SIDE = 128  # pixels
zip_path, job, out = sys.argv[-3], Path(sys.argv[-2]), Path(sys.argv[-1])
module = install_addon(zip_path)
mesh_import, workspaces = (importlib.import_module(f"{module}.{name}") for name in ("mesh_import", "workspaces"))
bpy.ops.wm.read_homefile(use_empty=True)
scene = bpy.context.scene
thing = mesh_import.add_object(bpy.context, job, workspaces.read_details(job))
with np.load(workspaces.mesh_path(job)) as data:
    low, high = data["vertices"].min(axis=0), data["vertices"].max(axis=0)
thing.location = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])  # back to where the trainer had it

camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
camera.data.type, camera.data.ortho_scale = "ORTHO", 1.4
camera.location, camera.rotation_euler = (0, -3, 0), (np.pi / 2, 0, 0)
scene.collection.objects.link(camera)
scene.camera = camera
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
scene.cycles.pixel_filter_type, scene.render.film_transparent = "BOX", True
scene.render.resolution_x = scene.render.resolution_y = SIDE
scene.render.resolution_percentage = 100
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.image_settings.color_depth = "32"
scene.render.image_settings.color_mode = "RGBA"

tree = thing.data.materials[0].node_tree
bump = next(node for node in tree.nodes if node.type == "NORMAL_MAP")
target = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
light, geometry = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeNewGeometry")
shift = tree.nodes.new("ShaderNodeVectorMath")  # light is never negative
shift.operation, shift.inputs[1].default_value = "ADD", (2, 2, 2)
tree.links.new(shift.outputs["Vector"], light.inputs["Color"])
tree.links.new(light.outputs["Emission"], target.inputs["Surface"])


def render(socket):
    """What a node puts out, at every pixel (H, W, 3), and where the object is (H, W)."""
    tree.links.new(socket, shift.inputs[0])
    scene.render.filepath = str(out.with_suffix(".exr"))
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(scene.render.filepath, check_existing=False)
    pixels = np.empty(SIDE * SIDE * 4, np.float32)
    picture.pixels.foreach_get(pixels)
    bpy.data.images.remove(picture)
    pixels = pixels.reshape(SIDE, SIDE, 4)
    return pixels[..., :3] - 2, pixels[..., 3] == 1


place, seen = render(geometry.outputs["Position"])
plain, _ = render(geometry.outputs["Normal"])
mapped, _ = render(bump.outputs["Normal"])
np.savez(out, place=place, seen=seen, plain=plain, mapped=mapped)
