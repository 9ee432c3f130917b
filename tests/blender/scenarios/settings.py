"""An artist looks through what can be asked for: history, models, presets, a preview of the prompt.

Arguments: the real trainer's Python, a folder for models with one in it.
"""

import importlib
import os

import bpy


def scenario(gui):
    python, folder = gui.arguments
    package = gui.addon
    session = importlib.import_module(f"{package}.session").SESSION
    settings = bpy.context.scene.dreamfusion
    preferences = bpy.context.preferences.addons[package].preferences
    preferences.trainer_python, preferences.models_folder = python, folder
    gui.unfold(bpy.types.DREAMFUSION_PT_advanced)
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)

    for name in all_fields(package):
        gui.check(name[1], f"{name[0]} has a tooltip")
    gui.check(not bpy.ops.dreamfusion.generate.poll(), "without a prompt there is nothing to generate")
    gui.check(not bpy.ops.dreamfusion.preview_prompt.poll(), "or to preview")
    yield from look_at_menu(gui, "prompt", 0, "1_prompts")
    bpy.ops.dreamfusion.use_prompt(prompt="a red ball")
    gui.check(settings.prompt == "a red ball", "a prompt is taken over")

    yield from look_at_menu(gui, "preset", 1, "2_models")
    found = importlib.import_module(f"{package}.models").find_models(
        importlib.import_module(f"{package}.core_files").model_files.hub_cache(os.environ),
        importlib.import_module(f"{package}.preferences").models_folder(),
    )
    gui.check([model.name for model in found] == ["toys"], f"the user's model is found: {found}")
    bpy.ops.dreamfusion.choose_model(model="sd", sd_version="1.5")
    gui.check(settings.options()["sd_version"] == "1.5", "a version is chosen")
    gui.region().tag_redraw()
    yield 0.5
    gui.shot("3_stable_diffusion")
    settings.distillation, settings.guidance_scale, settings.perpneg = "ism", 7.5, True
    expected = {"distillation": "ism", "guidance_scale": 7.5, "perpneg": True}
    gui.check(expected.items() <= settings.options().items(), f"the trainer hears of it: {settings.options()}")
    for name in expected:
        settings.property_unset(name)
    gui.check(not expected.keys() & settings.options().keys(), "and of nothing that is as it was")
    try:
        bpy.ops.dreamfusion.browse_model(filepath=os.path.dirname(folder))
        gui.check(False, "a folder without a model is refused")
    except RuntimeError as error:
        gui.check("holds no whole model" in str(error), f"a folder without one is refused: {error}")
    bpy.ops.dreamfusion.browse_model(filepath=found[0].hf_key)
    gui.check(settings.options()["hf_key"] == os.path.normpath(found[0].hf_key), "a folder is chosen")

    bpy.ops.dreamfusion.add_preset(name="Mine")
    bpy.ops.dreamfusion.choose_model(model="starter")
    settings.random_seed = True
    gui.check(settings.options()["model"] == "starter", "the starter again")
    settings.draw_seed()
    first = settings.seed
    settings.draw_seed()
    gui.check(settings.seed != first, "each time another seed")
    path = bpy.utils.preset_find("Mine", "dreamfusion")
    bpy.ops.script.execute_preset(filepath=path, menu_idname="DREAMFUSION_PT_presets")
    gui.check(settings.model == "sd" and not settings.random_seed, "a preset brings all settings back")
    bpy.ops.dreamfusion.choose_model(model="starter")
    settings.prompt = "a red ball with glitter"

    yield from gui.press("dreamfusion.preview_prompt")
    gui.check(not session.error, f"the preview starts {session.error}")
    yield 1.0
    gui.shot("4_drawing")
    yield from gui.wait_for(lambda: session.pictures.done, "the pictures are drawn", 240)
    gui.check(len(session.pictures.pictures) == 3, f"three of them {session.pictures.error}")
    preview = importlib.import_module(f"{package}.preview")
    yield from gui.wait_for(lambda: all(map(preview.icon, session.pictures.pictures)), "they are shown", 10)
    remarks = session.pictures.remarks
    gui.check(len(remarks) == 1 and '"glitter"' in remarks[0], f"with what the model does not know: {remarks}")
    yield 1.0
    gui.shot("5_pictures")
    settings.prompt = "a red ball"
    gui.region().tag_redraw()
    yield 0.5
    gui.shot("6_another_prompt")
    yield from gui.press("dreamfusion.end_preview", across=[gui.right_edge()])
    gui.check(session.pictures is None, "and put away")
    preferences.trainer_python = "/bin/false"
    yield from gui.press("dreamfusion.preview_prompt")
    yield from gui.wait_for(lambda: session.pictures.error, "a broken Python is told", 20)
    yield from gui.find_button("dreamfusion.open_preferences")
    gui.shot("7_broken")


def look_at_menu(gui, field, rows_above, shot):
    """Generator: open the menu beside a field, or rows above it, take a picture, close it."""
    region = gui.region()
    _, y = yield from gui.find_button(field)
    row = 23 * bpy.context.preferences.system.ui_scale
    yield from gui.click(region.x + gui.right_edge() * region.width, y + rows_above * row)
    yield 0.5
    gui.shot(shot)
    gui.xdo("key", "Escape")
    yield 0.5


def all_fields(package):
    """Every property and operator of the add-on, with its tooltip."""
    modules = [
        importlib.import_module(f"{package}.{name}") for name in ("operators", "job_operators", "setup_operators")
    ]
    for module in modules:
        for kind in filter(lambda kind: issubclass(kind, bpy.types.Operator), module.CLASSES):
            operator = getattr(bpy.ops.dreamfusion, kind.bl_idname.partition(".")[2]).get_rna_type()
            yield kind.bl_idname, operator.description
            yield from fields_of(operator)
    yield from fields_of(bpy.context.scene.dreamfusion.bl_rna)
    yield from fields_of(bpy.context.scene.dreamfusion_object.bl_rna)
    yield from fields_of(bpy.context.preferences.addons[package].preferences.bl_rna)


def fields_of(kind):
    for item in kind.properties:
        if item.identifier not in ("rna_type", "name", "bl_idname"):
            yield f"{kind.identifier}.{item.identifier}", item.description
