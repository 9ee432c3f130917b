"""A Korean user's Blender: every label and tooltip of the add-on, and what it says, is in Korean.

Argument: a trainer's Python that takes minutes.
"""

import importlib
import re

import bpy


def scenario(gui):
    view = bpy.context.preferences.view
    view.language = "ko_KR"
    view.use_translate_interface = view.use_translate_tooltips = True
    yield 0.5
    check_texts(gui)
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    preferences = bpy.context.preferences.addons[gui.addon].preferences
    settings = bpy.context.scene.dreamfusion
    for kind in (bpy.types.DREAMFUSION_PT_object, bpy.types.DREAMFUSION_PT_advanced):
        gui.unfold(kind)
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    yield 0.5
    gui.shot("1_panel")
    settings.prompt = "a red cube"
    bpy.ops.dreamfusion.generate()
    gui.check("트레이너의 Python" in session.error, f"an error is told in Korean: {session.error}")
    preferences.trainer_python = "/nowhere/python"
    bpy.ops.dreamfusion.generate()
    gui.check(session.error.startswith("다음 파일이 없습니다: /nowhere/python."), session.error)
    bpy.ops.dreamfusion.choose_model(model="sd", sd_version="1.5")
    yield 0.5
    gui.shot("2_error")
    bpy.ops.dreamfusion.choose_model(model="starter")
    preferences.trainer_python = gui.arguments[0]
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(lambda: session.job and session.job.fraction > 0, "a job runs", 60)
    yield 0.5
    gui.shot("3_job")
    bpy.ops.dreamfusion.cancel()
    yield from gui.wait_for(lambda: not session.queue.busy, "it is cancelled", 20)
    yield 0.5
    gui.shot("4_cancelled")
    setup = importlib.import_module(f"{gui.addon}.trainer_setup").SETUP
    preferences.trainer_python = ""
    bpy.ops.dreamfusion.open_preferences()
    yield from gui.wait_for(lambda: setup.survey, "the preferences look at the computer", 60)
    yield 1.0
    gui.shot("5_preferences")
    gui.check(is_korean(setup.survey.reason), f"the set-up's process speaks Korean too: {setup.survey.reason}")
    view.use_translate_interface = False
    bpy.ops.dreamfusion.generate()
    gui.check("Set Up Trainer" in session.error, f"and English where the user wants that: {session.error}")


def check_texts(gui):
    """What Blender shows of each class of the add-on is in Korean."""
    registration = importlib.import_module(f"{gui.addon}.registration")
    names = {"DreamFusion", "DreamFusion Presets", "DreamFusionJobSlot", "Perp-Neg", "Python"}
    for kind in registration._CLASSES:
        texts = {getattr(kind, "bl_label", "")}
        texts |= {kind.bl_rna.description} if issubclass(kind, bpy.types.Operator | bpy.types.Menu) else set()
        for field in kind.bl_rna.properties:
            if field.identifier in getattr(kind, "__annotations__", {}):
                texts |= {field.name, field.description}
        foreign = {text for text in texts - names if text and not is_korean(bpy.app.translations.pgettext_iface(text))}
        gui.check(not foreign, f"{kind.__name__} is in Korean: {foreign}")


def is_korean(text):
    return re.search("[가-힣]", text) is not None
