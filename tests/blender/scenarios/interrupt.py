"""What may happen while a job runs: cancel, Save As, Edit Mode at its end, a killed trainer, the add-on disabled.

Arguments: a trainer's Python that takes minutes, one that ends when the file "go" is in the folder, that folder.
"""

import importlib
import os
import signal
import sys
from pathlib import Path

import bpy


def scenario(gui):
    slow, quick, folder = gui.arguments
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    preferences = bpy.context.preferences.addons[gui.addon].preferences
    preferences.trainer_python = slow
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    bpy.context.scene.dreamfusion.prompt = "a red cube"

    yield from gui.press("dreamfusion.generate")
    yield from gui.wait_for(lambda: runs(session), "a first job runs", 60)
    yield from gui.wait_for(grown, "and grows in the scene", 20)
    yield from gui.press("dreamfusion.cancel")
    yield from gui.wait_for(lambda: not session.queue.busy, "it is cancelled", 20)
    gui.check(grown(), "what has grown stays")
    gui.check(session.job.state.name == "CANCELLED", "as the panel says")
    yield 0.5
    gui.shot("1_cancelled")

    preferences.trainer_python = quick
    yield from gui.press("dreamfusion.resume")
    yield from gui.wait_for(lambda: runs(session), "the job goes on", 60)
    path = os.path.join(folder, "other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 0.5
    gui.check(session.job.at_work, "the file is saved under another name, opened again, and the job goes on")
    gui.check(len(bpy.context.window_manager.dreamfusion_jobs) == 1, "it is in the list of the opened file's window")
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    with gui.override():
        bpy.ops.object.mode_set(mode="EDIT")
    Path(folder, "go").touch()
    yield from gui.wait_for(lambda: session.arrivals.waiting, "the object waits while Edit Mode is on", 60)
    gui.check(len(grown()) == 1, "and its coarse mesh stays")
    yield 0.5
    gui.shot("2_waiting")
    with gui.override():
        bpy.ops.object.mode_set(mode="OBJECT")
    yield from gui.wait_for(lambda: not grown(), "it comes in Object Mode", 10)
    gui.check("a red cube" in bpy.data.objects and "a red cube.001" not in bpy.data.objects, "in the place of that")
    yield from gui.wait_for(lambda: not session.queue.busy, "the trainer is gone", 10)
    with gui.override():
        bpy.ops.view3d.localview()
    gui.check(gui.area().spaces.active.local_view, "a local view")
    yield from gui.press("dreamfusion.add_result")
    gui.check("a red cube.001" in bpy.data.objects, "and comes in again")
    gui.check(bpy.data.objects["a red cube.001"].visible_get(viewport=gui.area().spaces.active), "into the local view")

    preferences = bpy.context.preferences.addons[gui.addon].preferences
    preferences.trainer_python = slow
    yield from gui.search("dreamfusion generate")
    yield from gui.wait_for(lambda: runs(session), "another job runs, started from Blender's search", 60)
    os.kill(session.job.trainer.trainer_pid, signal.SIGKILL)
    yield from gui.wait_for(lambda: session.job.state.name == "FAILED", "a killed trainer is noticed", 10)
    gui.check("killed" in session.job.error, "the panel says that it was killed")
    yield 0.5
    gui.shot("3_killed")
    yield from gui.press("dreamfusion.resume")
    yield from gui.wait_for(lambda: runs(session), "and the job goes on", 60)

    pid, workspace = session.job.trainer.trainer_pid, session.job.folder
    timers = timers_of(gui.addon)
    bpy.ops.preferences.addon_disable(module=gui.addon)
    gui.check(not os.path.exists(f"/proc/{pid}"), "disabling the add-on ends the trainer")
    gui.check(timers and not any(map(bpy.app.timers.is_registered, timers)), f"no timer is left: {timers}")
    for place, left in what_is_left(gui.addon).items():
        gui.check(not left, f"nothing is left in {place}: {left}")
    bpy.ops.preferences.addon_enable(module=gui.addon)
    again = importlib.import_module(f"{gui.addon}.session").SESSION
    yield from gui.wait_for(lambda: len(again.queue.jobs) == 2, "enabled again, it reads the list back", 10)
    gui.check(again.job.folder == workspace and again.job.can_resume, "and offers to resume the job")
    yield 0.5
    gui.shot("4_enabled_again")
    bpy.ops.dreamfusion.open_preferences()
    yield 2.0
    gui.shot("5_preferences")


def grown():
    """The coarse meshes in the file."""
    return [mesh for mesh in bpy.data.meshes if "growing" in mesh]


def runs(session):
    """Whether the selected job has come to its first step."""
    return session.job and session.job.state.name == "RUNNING" and session.job.trainer.progress


def timers_of(addon):
    """The add-on's functions that are called every few moments."""
    session = sys.modules[f"{addon}.session"]
    return [value for value in vars(session).values() if callable(value) and bpy.app.timers.is_registered(value)]


def what_is_left(addon):
    """Whatever an add-on can leave behind, by where it is: names that should not be there."""
    kinds = [kind for kind in (getattr(bpy.types, name) for name in dir(bpy.types)) if hasattr(kind, "bl_rna")]
    drawn = [draw for kind in kinds for draw in getattr(getattr(kind, "draw", None), "_draw_funcs", ())]
    handlers = [call for name in dir(bpy.app.handlers) for call in list_or_nothing(getattr(bpy.app.handlers, name))]
    keys = [
        key for config in bpy.context.window_manager.keyconfigs for map_ in config.keymaps for key in map_.keymap_items
    ]
    bpy.app.translations.register(addon, {})  # refused where there is one of that name
    bpy.app.translations.unregister(addon)
    found = {
        "bpy.types": dir(bpy.types),
        "bpy.ops": dir(bpy.ops.dreamfusion),
        "properties": [field.identifier for kind in kinds for field in getattr(kind.bl_rna, "properties", ())],
        "menus": [draw.__module__ for draw in drawn],
        "handlers": [call.__module__ for call in handlers],
        "keymaps": [key.idname for key in keys],
        "modules": [name for name in sys.modules if name.startswith(f"{addon}.")],
    }
    return {place: [name for name in names if is_ours(name) or place == "bpy.ops"] for place, names in found.items()}


def is_ours(name):
    return "dreamfusion" in name.lower()


def list_or_nothing(value):
    return value if isinstance(value, list) else ()
