"""Renders the OBJ files of finished jobs side by side:

blender -b --factory-startup --python docs/make_pictures.py -- --out docs/results.jpg --columns 5 JOB [JOB ...]
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import bpy
from mathutils import Vector

SPACING = 2.0  # metres between neighbours
ROW_SPACING = 4.6  # metres between rows: seen from above, none hides the one behind
EYE_HEIGHT = 0.75  # metres: about the middle of an object
EYE = Vector((0, -20, 9))  # metres from the middle
MARGIN = 0.7  # metres, of the picture's height
QUALITY = 85  # of the JPEG, in percent
TURN_DEG = 30.0  # how far each object is turned, so that front and side are seen


def main() -> None:
    """Import, arrange, light, render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--width", type=int, default=1200, help="pixels")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("jobs", type=Path, nargs="+")
    arguments = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rows = math.ceil(len(arguments.jobs) / arguments.columns)
    for number, job in enumerate(arguments.jobs):
        place(job / "mesh" / "mesh.obj", number % arguments.columns, number // arguments.columns, arguments.columns)
    light()
    look(arguments.columns, rows)
    render(arguments, rows)


def place(path: Path, column: int, row: int, columns: int) -> None:
    """Import an OBJ and stand it on its place in the grid."""
    bpy.ops.wm.obj_import(filepath=str(path))
    (thing,) = (o for o in bpy.context.selected_objects if o.type == "MESH")
    bpy.ops.object.shade_smooth()
    thing.rotation_mode = "XYZ"
    thing.rotation_euler.z += math.radians(TURN_DEG)
    bottom = min((thing.matrix_world @ Vector(corner)).z for corner in thing.bound_box)
    thing.location += Vector(((column - (columns - 1) / 2) * SPACING, -row * ROW_SPACING, -bottom))


def light() -> None:
    """A grey floor, so that white things are seen, an even sky and one soft sun."""
    bpy.ops.mesh.primitive_plane_add(size=200)
    material = bpy.data.materials.new("floor")
    material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (0.3, 0.3, 0.3, 1)
    bpy.context.object.data.materials.append(material)
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.9, 0.95, 1, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.5
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = 1.6, 0.3
    sun.rotation_euler = (math.radians(40), math.radians(-20), math.radians(25))
    bpy.context.scene.collection.objects.link(sun)


def look(columns: int, rows: int) -> None:
    """A camera that sees the whole grid from the front, a little from above."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    camera.data.type, camera.data.sensor_fit = "ORTHO", "HORIZONTAL"
    camera.data.ortho_scale = columns * SPACING
    target = Vector((0, -ROW_SPACING * (rows - 1) / 2, EYE_HEIGHT))
    camera.location = target + EYE
    camera.rotation_euler = (target - camera.location).to_track_quat("-Z", "Y").to_euler()


def render(arguments: argparse.Namespace, rows: int) -> None:
    """Cycles on the processor."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = arguments.samples
    scene.cycles.use_denoising = False
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = arguments.width
    height = rows * ROW_SPACING * EYE.z / EYE.length + MARGIN
    scene.render.resolution_y = round(arguments.width * height / (arguments.columns * SPACING))
    scene.render.image_settings.file_format, scene.render.image_settings.quality = "JPEG", QUALITY
    scene.render.filepath = str(arguments.out.resolve())
    bpy.ops.render.render(write_still=True)


main()
