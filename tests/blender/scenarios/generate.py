"""A user makes an object: types a prompt, clicks Generate, sees it grow, gets it, undoes it.

Arguments: the trainer's Python, the prompt, the longest time that it may take in seconds.
"""

import importlib
import os
from pathlib import Path

import bpy


def scenario(gui):
    python, prompt, seconds = gui.arguments
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    preview = importlib.import_module(f"{gui.addon}.preview")
    drawn = record_texts(importlib.import_module(f"{gui.addon}.texts"))
    scene = bpy.context.scene
    scene.cursor.location = (1.0, -2.0, 0.5)
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    gui.shot("1_panel")
    yield from gui.fill("prompt", prompt)
    gui.check(scene.dreamfusion.prompt == prompt, "the typed prompt arrived")
    scene.dreamfusion.preset, scene.dreamfusion.epochs = "draft", 1  # half as long

    yield from gui.press("dreamfusion.generate")
    gui.check("trainer's Python" in session.error, "without a trainer's Python the panel says so")
    yield 0.3
    gui.shot("2_no_python")
    bpy.context.preferences.addons[gui.addon].preferences.trainer_python = python

    before = set(bpy.data.objects.keys())
    selected = [thing.name for thing in bpy.context.selected_objects]
    yield from gui.press("dreamfusion.generate")
    yield from gui.wait_for(lambda: session.job and session.job.at_work, "a job is at work", 10)
    gui.check(len(session.queue.jobs) == 1, "the one that was refused is not in the list")
    jobs = Path(os.environ["BLENDER_USER_DATAFILES"], "dreamfusion", "jobs")
    gui.check(session.job.folder.parent == jobs, f"where uninstalling leaves it: {session.job.folder}")
    yield from gui.wait_for(lambda: session.job.fraction > 0, "progress", 120)
    yield from gui.wait_for(lambda: preview.icon(session.job.folder / "preview.png"), "a picture is shown", 120)
    yield from gui.wait_for(lambda: set(bpy.data.objects.keys()) - before, "a coarse mesh grows", 120)
    yield from look_at_it(gui, bpy.data.objects[prompt])
    gui.shot("3_running")
    gui.check(session.job.at_work, "Blender goes on while the job runs")
    yield from gui.wait_for(lambda: not session.job.at_work, "the job ends", float(seconds))
    gui.check(not session.job.error, f"without an error: {session.job.error}")
    yield from gui.wait_for(lambda: not session.arrivals, "an object arrives", 10)
    gui.check(set(bpy.data.objects.keys()) - before == {prompt}, "one")
    gui.check([thing.name for thing in bpy.context.selected_objects] == selected, "the selection is as it was")
    check_object(gui, bpy.data.objects[prompt])
    gui.area().spaces.active.shading.color_type = "TEXTURE"
    trainer = session.job.trainer
    yield from gui.wait_for(lambda: not preview.is_behind(), "all pictures are shown", 10)
    last_is_shown = preview._shown.get(trainer.preview) == trainer.previews
    gui.check(last_is_shown, "the last one too, though the trainer ended just behind it")
    remarks = trainer.remarks
    gui.check(drawn.issuperset(remarks), f"the panel shows the trainer's remarks: {remarks}")
    gui.shot("4_arrived")
    pictures = [image.name for image in bpy.data.images if image.filepath]
    gui.check(pictures == [prompt], f"the texture is the one picture: {pictures}")

    yield from gui.keys("ctrl+z")
    yield from gui.wait_for(lambda: set(bpy.data.objects.keys()) == before, "one undo takes the object away", 5)
    yield from gui.keys("ctrl+shift+z")
    gui.check(prompt in bpy.data.objects, "redo brings it back")
    yield 1.0
    gui.shot("5_redone")
    yield from save_and_open(gui, str(jobs.parent / "saved.blend"))
    thing = bpy.data.objects[prompt]
    check_object(gui, thing)
    gui.check(thing["seed"] == 0 and thing["version"], f"seed and version are kept too: {thing['version']}")


def save_and_open(gui, path):
    """Generator: save the scene, and open the file that it makes; nothing but the file is left then."""
    bpy.ops.wm.save_as_mainfile(filepath=path)
    yield 0.5
    bpy.ops.wm.read_homefile(use_empty=True)
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 0.5
    gui.check(bpy.data.filepath == path, "the scene is saved and opened again")


def record_texts(texts):
    """The texts that the panel draws in several lines, from now on."""
    drawn, wrap = set(), texts.wrap

    def record(text, *sizes):
        drawn.add(text)
        return wrap(text, *sizes)

    texts.wrap = record
    return drawn


def check_object(gui, thing):
    mesh = thing.data
    gui.check(len(mesh.vertices) >= 8 and len(mesh.polygons) >= 12, "it has a mesh")
    gui.check(all(polygon.use_smooth for polygon in mesh.polygons), "smooth")
    gui.check(len(mesh.uv_layers.active.data) == len(mesh.loops), "with UVs")
    colors = mesh.color_attributes.active_color
    gui.check(colors.domain == "POINT" and len(colors.data) == len(mesh.vertices), "with vertex colours")
    stored = colors.data[0].color[:3]
    gui.check(thing["prompt"] != "a red cube" or abs(stored[0] - 0.604) < 1e-3, f"in linear light: {stored[:]}")
    texture = next(node for node in mesh.materials[0].node_tree.nodes if node.type == "TEX_IMAGE")
    gui.check(texture.image.packed_file is not None, "its texture is packed")
    gui.check(texture.image.colorspace_settings.name == "sRGB", "its texture is sRGB")
    gui.check(texture.outputs["Color"].links[0].to_socket.name == "Base Color", "and is the base colour")
    points = [thing.matrix_world @ vertex.co for vertex in mesh.vertices]
    cursor = bpy.context.scene.cursor.location
    low, high = ([pick(point[axis] for point in points) for axis in range(3)] for pick in (min, max))
    gui.check(abs(low[2] - cursor.z) < 1e-5, "it stands at the cursor's height")
    gui.check(all(abs((low[i] + high[i]) / 2 - cursor[i]) < 1e-5 for i in (0, 1)), "centred at the cursor")
    gui.check(thing["prompt"] == bpy.context.scene.dreamfusion.prompt, "it knows its prompt")
    gui.check(thing["model"] == "starter", "and its model")


def look_at_it(gui, thing):
    """Generator: the object in the middle of the view."""
    region = gui.area().spaces.active.region_3d
    region.view_location = thing.matrix_world.translation
    region.view_location.z += thing.dimensions.z / 2
    region.view_distance = 3
    yield 1.0
