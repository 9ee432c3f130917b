"""A user sets the trainer up in the preferences: sees what it costs, meets an error, presses the button, sees "Ready".

Arguments: a folder with an environment that lacks nothing but was made for another add-on, a folder of wheels, the
Python of that environment.
"""

import importlib
import os

import bpy

IN_PREFERENCES = {"kind": "WINDOW", "area": "PREFERENCES"}


def scenario(gui):
    cached, wheels, python = gui.arguments
    setup = importlib.import_module(f"{gui.addon}.trainer_setup").SETUP
    preferences = importlib.import_module(f"{gui.addon}.preferences")
    settings = bpy.context.preferences.addons[gui.addon].preferences
    show_preferences(gui)
    yield from gui.wait_for(lambda: setup.survey, "the computer is looked at", 60)
    gui.check(not setup.survey.problem, f"a Python was found: {setup.survey}")
    yield 0.5
    gui.shot("1_missing")
    gui.check(not preferences.trainer_python(), "there is no trainer yet")
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    bpy.context.scene.dreamfusion.prompt = "a mug"
    bpy.ops.dreamfusion.generate()
    gui.check(session.blames_setup, f"the panel says so: {session.error}")

    settings.wheels_folder = os.environ["TMPDIR"]
    yield 0.5
    yield from gui.press("dreamfusion.set_up_trainer", **IN_PREFERENCES)
    yield from gui.wait_for(lambda: setup.failed, "a folder without wheels is refused", 60)
    gui.check(setup.failed.kind == "wheels", setup.failed.text)
    yield 0.5
    gui.shot("2_failed")

    settings.wheels_folder, settings.base_python, settings.environment_folder = wheels, python, cached
    yield 0.5
    gui.shot("3_outdated")
    yield from gui.press("dreamfusion.set_up_trainer", **IN_PREFERENCES)
    yield from gui.wait_for(lambda: setup.log, "pip is heard", 60)
    yield 0.5
    gui.shot("4_running")
    yield from gui.wait_for(lambda: not setup.running, "the set-up ends", 240)
    gui.check(setup.failed is None, f"without an error: {setup.failed}")
    gui.check(not session.error, "and with that the panel's")
    setup.progress = type(setup.progress)("install", 1, 4)
    gui.check(settings.set_up_percent == 25, f"the bar says how far it was: {settings.set_up_percent}")
    program = preferences.trainer_python()
    gui.check(program.startswith(cached) and os.path.exists(program), f"the trainer's Python is set: {program}")
    yield 0.5
    gui.shot("5_ready")

    settings.trainer_python = "/somewhere/python"
    gui.check(preferences.trainer_python() == "/somewhere/python", "a Python of the user's own comes first")
    settings.trainer_python = ""
    with bpy.context.temp_override(window=gui.window):
        bpy.ops.dreamfusion.remove_trainer()
    yield from gui.wait_for(lambda: not setup.running, "the removal ends", 60)
    gui.check(not os.listdir(cached), f"nothing is left of the environment: {os.listdir(cached)}")
    yield 0.5
    gui.shot("6_removed")

    yield from gui.press("dreamfusion.set_up_trainer", **IN_PREFERENCES)
    yield from gui.wait_for(lambda: setup.progress, "another set-up begins", 60)
    with bpy.context.temp_override(window=gui.window):
        bpy.ops.dreamfusion.cancel_set_up()
    yield from gui.wait_for(lambda: not setup.running, "and ends when it is cancelled", 20)
    gui.check(setup.failed.kind == "cancelled", setup.failed.text)
    gui.check(not preferences.trainer_python(), "half an environment is not used")
    yield 0.5
    gui.shot("7_cancelled")


def show_preferences(gui):
    """In the main area of the window, with the add-on unfolded, as the button of the panel would in a window."""
    gui.area().type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    manager = bpy.context.window_manager
    manager.addon_search = "DreamFusion"
    if bpy.app.version >= (4, 2, 0):
        bpy.context.window_manager.extension_search = "DreamFusion"
    with gui.override("PREFERENCES"):
        bpy.ops.preferences.addon_expand(module=gui.addon)
