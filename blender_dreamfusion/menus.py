"""The lists that the panel opens: prompts, models, and presets of all settings."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from . import models, preferences, texts
from .core_files import model_files
from .job_record import State
from .language import say
from .properties import SD_VERSIONS
from .session import SESSION

_RECENT = 12
_EXAMPLES = (  # of the starter model's world
    "a hamburger",
    "a blue car",
    "a green lighthouse",
    "a yellow teapot",
    "a pink cake",
    "a wooden chair",
    "a snowman with a white hat",
)
_SETTINGS = (
    *("prompt", "negative", "model", "sd_version", "hf_key", "preset", "seed", "random_seed", "objects", "grow"),
    *("epochs", "field", "distillation", "guidance_scale", "perpneg", "device", "precision", "vram_O", "compile"),
)
_OBJECT_SETTINGS = ("height", "limit_faces", "faces", "texture_size", "normal_map", "mark_asset")


class DREAMFUSION_MT_prompts(bpy.types.Menu):
    """Prompts of earlier jobs, the newest first, and examples"""

    bl_idname = "DREAMFUSION_MT_prompts"
    bl_label = "Prompts"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the prompts; a click takes one over."""
        recent = list(dict.fromkeys(job.record.prompt for job in SESSION.queue.jobs))[:_RECENT]
        for title, prompts in (("Recent", recent), ("Examples", _EXAMPLES)):
            if prompts:
                self.layout.label(text=title)
                for prompt in prompts:
                    choice: Any = self.layout.operator("dreamfusion.use_prompt", text=prompt, translate=False)
                    choice.prompt = prompt


class DREAMFUSION_MT_models(bpy.types.Menu):
    """Choose the model that tells the trainer what the prompt looks like"""

    bl_idname = "DREAMFUSION_MT_models"
    bl_label = "Models"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the models with what each needs."""
        layout = self.layout
        self._choice(say("Starter"), "starter")
        found = models.find_models(model_files.hub_cache(os.environ), preferences.models_folder())
        layout.separator()
        layout.label(text="On This Computer")
        for model in found:
            self._choice(f"{model.name} ({texts.bytes_on_disk(model.size)})", "sd", hf_key=model.hf_key)
        layout.operator("dreamfusion.browse_model", text="Browse...", icon="FILE_FOLDER")
        table = models.user_table()
        if table:
            layout.separator()
            layout.label(text="From Your models.json")
        for version, name, _ in SD_VERSIONS:
            if version in table:
                self._choice(f"{name}: {table[version]}", "sd", sd_version=version)
        layout.separator()
        layout.label(text="Downloaded When First Used")
        for version, name, _ in SD_VERSIONS:
            if version not in table:
                self._choice(f"{name} ({texts.DOWNLOADS[version]})", "sd", sd_version=version)

    def _choice(self, text: str, model: str, sd_version: str = "", hf_key: str = "") -> None:
        choice: Any = self.layout.operator("dreamfusion.choose_model", text=text, translate=False)
        choice.model, choice.sd_version, choice.hf_key = model, sd_version or SD_VERSIONS[0][0], hf_key


class DREAMFUSION_MT_actions(bpy.types.Menu):
    """All that can be done, without the sidebar; the search finds it here"""

    bl_idname = "DREAMFUSION_MT_actions"
    bl_label = "DreamFusion"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw what makes objects, what concerns the selected job, and the set-up."""
        layout, job = self.layout, SESSION.job
        layout.operator_context = "INVOKE_REGION_WIN"
        layout.operator("dreamfusion.generate", icon="PLAY")
        layout.operator("dreamfusion.preview_prompt", icon="IMAGE_DATA")
        layout.operator("dreamfusion.end_preview")
        layout.operator("dreamfusion.browse_model", text="Browse for Model...")
        layout.separator()
        paused = job is not None and job.state is State.PAUSED
        layout.operator("dreamfusion.pause", text="Continue Job" if paused else "Pause Job")
        for name in ("cancel", "resume", "retry"):
            layout.operator(f"dreamfusion.{name}")
        layout.operator("dreamfusion.train_longer", text="Train Longer...")
        row = layout.row()
        row.enabled = job is not None and job.record.has_mesh and not job.at_work and job.state is not State.WAITING
        row.operator("dreamfusion.add_result", icon="IMPORT")
        for name in ("open_folder", "delete", "refresh"):
            layout.operator(f"dreamfusion.{name}")
        layout.separator()
        layout.operator("dreamfusion.open_preferences", icon="PREFERENCES")
        layout.operator("dreamfusion.set_up_trainer", text="Set Up Trainer...")
        for name in ("cancel_set_up", "remove_trainer"):
            layout.operator(f"dreamfusion.{name}")


_PRESETS = "dreamfusion"  # folder of Blender's presets


class DREAMFUSION_PT_presets(PresetPanel, bpy.types.Panel):
    """All settings under a name, as Blender keeps them"""

    bl_label = "DreamFusion Presets"
    preset_subdir = _PRESETS
    preset_operator = "script.execute_preset"
    preset_add_operator = "dreamfusion.add_preset"


class DREAMFUSION_OT_add_preset(AddPresetBase, bpy.types.Operator):
    """Keep the settings under a name, or remove those of that name"""

    bl_idname = "dreamfusion.add_preset"
    bl_label = "Add DreamFusion Preset"
    preset_menu = "DREAMFUSION_PT_presets"
    preset_subdir = _PRESETS
    preset_defines = ["settings = bpy.context.scene.dreamfusion", "thing = bpy.context.scene.dreamfusion_object"]
    preset_values = [f"settings.{name}" for name in _SETTINGS] + [f"thing.{name}" for name in _OBJECT_SETTINGS]


def model_name(model: str, sd_version: str, hf_key: str) -> str:
    """A name of the chosen model that fits the panel."""
    if model == "starter":
        return say("Starter")
    if hf_key:
        return Path(hf_key).name
    return next(name for version, name, _ in SD_VERSIONS if version == sd_version).replace("Stable Diffusion", "SD")


CLASSES = (
    DREAMFUSION_MT_prompts,
    DREAMFUSION_MT_models,
    DREAMFUSION_MT_actions,
    DREAMFUSION_PT_presets,
    DREAMFUSION_OT_add_preset,
)


def register() -> None:
    """Put the actions into the 3D viewport's Add menu. After the classes."""
    bpy.utils.user_resource("SCRIPTS", path=f"presets/{_PRESETS}", create=True)  # or the list says "Missing Paths"
    bpy.types.VIEW3D_MT_add.append(_draw_in_add)  # type: ignore[arg-type]


def unregister() -> None:
    """Undo register."""
    bpy.types.VIEW3D_MT_add.remove(_draw_in_add)  # type: ignore[arg-type]
    with contextlib.suppress(OSError):  # where presets are in it
        os.rmdir(bpy.utils.user_resource("SCRIPTS", path=f"presets/{_PRESETS}"))


def _draw_in_add(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu("DREAMFUSION_MT_actions", icon="SHADERFX")
