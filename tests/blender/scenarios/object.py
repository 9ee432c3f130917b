"""A user says how the object shall be, adds it as an asset, and takes it back. Arguments: a finished job's folder."""

import importlib

import bpy
import numpy as np

KINDS = ("objects", "meshes", "materials", "images", "textures", "node_groups")


def scenario(gui):
    job = gui.arguments[0]
    settings = importlib.import_module(f"{gui.addon}.object_settings")
    scene = bpy.context.scene
    gui.unfold(bpy.types.DREAMFUSION_PT_object)
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    gui.check(settings.options(scene) == {}, "what nobody set is left to the preset")
    yield from gui.fill("height", "20 cm")
    gui.check(abs(scene.dreamfusion_object.height - 0.2) < 1e-6, f"in metres: {scene.dreamfusion_object.height}")
    for name in ("limit_faces", "normal_map", "mark_asset"):
        yield from gui.press(name, across=(0.4, 0.45))
        gui.check(getattr(scene.dreamfusion_object, name), f"{name} is ticked")
    yield from gui.fill("faces", "1234")
    scene.dreamfusion_object.texture_size = "512"
    expected = {"faces": 1234, "texture_size": 512, "normal_map": True}
    gui.check(settings.options(scene) == expected, f"the trainer hears of it: {settings.options(scene)}")
    gui.move(600, 300)
    yield 0.5
    gui.shot("1_settings")

    before = contents()
    with gui.override():
        bpy.ops.dreamfusion.add_result("EXEC_DEFAULT", True, workspace=job)
    thing = bpy.context.view_layer.objects.active
    gui.check(abs(thing.dimensions.z - 0.2) < 1e-6, f"it is 20 cm high: {thing.dimensions.z}")
    gui.check({tag.name for tag in thing.asset_data.tags} == {"red", "cube"}, "it is an asset with tags")
    added = {name for name, kind in contents() - before}
    gui.check(added == {"a red cube", "a red cube Normal"}, f"nothing else comes in: {added}")
    yield 0.5
    yield from gui.wait_for(lambda: is_drawn(bpy.data.objects["a red cube"].preview), "its preview is rendered", 60)
    gui.shot("2_added")

    yield from gui.keys("ctrl+z")
    gui.check(contents() == before, f"one undo takes all of it away: {contents() ^ before}")
    gui.check(abs(scene_settings().height - 0.2) < 1e-6, "and leaves the settings as they are")
    yield from gui.keys("ctrl+shift+z")
    thing = bpy.data.objects["a red cube"]
    gui.check(thing.asset_data is not None and thing["version"] == "0.9", "redo brings it back whole")
    image = next(node for node in thing.data.materials[0].node_tree.nodes if node.type == "TEX_IMAGE").image
    gui.check(image.packed_file is not None, "with its texture")
    yield 0.5
    gui.shot("3_redone")


def contents():
    return {(item.name, kind) for kind in KINDS for item in getattr(bpy.data, kind)}


def scene_settings():
    return bpy.context.scene.dreamfusion_object


def is_drawn(preview):
    """Whether the red cube shows before a transparent background."""
    if preview is None or not any(preview.image_size):
        return False
    pixels = np.empty(len(preview.image_pixels_float), np.float32)
    preview.image_pixels_float.foreach_get(pixels)
    red, green, _, alpha = pixels.reshape(-1, 4).mean(axis=0)
    return 0.02 < alpha < 0.98 and red > 2 * green
