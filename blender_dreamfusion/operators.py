"""The buttons of what is asked for."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import models, object_settings, paths
from .core_files import model_files
from .language import say
from .properties import MODELS, SD_VERSIONS, settings_of
from .session import SESSION


def _has_prompt(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if settings_of(context.scene).prompt.strip():
        return True
    cls.poll_message_set(say("Type a prompt first"))
    return False


class DREAMFUSION_OT_generate(bpy.types.Operator):
    """Make the prompt into a textured object, in the background; after the jobs that wait already"""

    bl_idname = "dreamfusion.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a prompt."""
        return _has_prompt(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the jobs into the queue; what goes wrong stands in the panel."""
        settings = settings_of(context.scene)
        settings.draw_seed()
        requests = settings.requests(object_settings.options(context.scene))
        asked = SESSION.generate(settings.prompt.strip(), requests)
        return {"FINISHED"} if asked else {"CANCELLED"}


class DREAMFUSION_OT_preview_prompt(bpy.types.Operator):
    """Show flat pictures of the prompt in seconds: what the model thinks of it, before a long job"""

    bl_idname = "dreamfusion.preview_prompt"
    bl_label = "Preview Prompt"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a prompt, and memory for a second model."""
        if settings_of(context.scene).model != "starter" and SESSION.queue.active is not None:
            cls.poll_message_set(say("The job at work takes the memory: wait for its end"))
            return False
        return _has_prompt(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to draw; what goes wrong stands in the panel."""
        settings = settings_of(context.scene)
        started = SESSION.preview_prompt(settings.prompt.strip(), settings.options())
        return {"FINISHED"} if started else {"CANCELLED"}


class DREAMFUSION_OT_end_preview(bpy.types.Operator):
    """Stop drawing, and put the pictures away"""

    bl_idname = "dreamfusion.end_preview"
    bl_label = "Close Preview"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether there is a preview."""
        return SESSION.pictures is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End it."""
        SESSION.end_preview()
        return {"FINISHED"}


class DREAMFUSION_OT_use_prompt(bpy.types.Operator):
    """Take this prompt over"""

    bl_idname = "dreamfusion.use_prompt"
    bl_label = "Use Prompt"
    bl_options = {"INTERNAL", "UNDO"}

    prompt: bpy.props.StringProperty(name="Prompt", description="The text to take over")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it into the field."""
        settings_of(context.scene).prompt = self.prompt
        return {"FINISHED"}


class DREAMFUSION_OT_choose_model(bpy.types.Operator):
    """Take this model, which tells the trainer what the prompt looks like"""

    bl_idname = "dreamfusion.choose_model"
    bl_label = "Choose Model"
    bl_options = {"INTERNAL", "UNDO"}

    model: bpy.props.EnumProperty(name="Model", description="Which diffusion model guides", items=MODELS)
    sd_version: bpy.props.EnumProperty(name="Version", description="Version of the model", items=SD_VERSIONS)
    hf_key: bpy.props.StringProperty(
        name="File or Name", description="A file, a folder or a name on Hugging Face", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it into the settings."""
        settings = settings_of(context.scene)
        settings.model, settings.sd_version, settings.hf_key = self.model, self.sd_version, self.hf_key
        return {"FINISHED"}


class DREAMFUSION_OT_browse_model(bpy.types.Operator):
    """Choose the file of a model, or its folder in the layout of diffusers (it holds model_index.json)"""

    bl_idname = "dreamfusion.browse_model"
    bl_label = "Use Model"
    bl_options = {"UNDO"}

    filepath: bpy.props.StringProperty(
        name="File", description="The model's file, or its folder", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(
        name="Filter",
        description="Files that the file browser shows",
        default=";".join(f"*{suffix}" for suffix in model_files.SUFFIXES),
        options={"HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the file or folder over if it holds a model."""
        path = Path(paths.absolute(self.filepath))
        if models.read_model(path) is None:
            sentence = (
                "{path} holds no whole model that can guide: choose its .safetensors, .ckpt or .pt file, or the folder "
                "with model_index.json."
            )
            self.report({"ERROR"}, say(sentence, path=path))
            return {"CANCELLED"}
        settings = settings_of(context.scene)
        settings.model, settings.hf_key = "sd", str(path)
        return {"FINISHED"}


class DREAMFUSION_OT_open_preferences(bpy.types.Operator):
    """Open the add-on's preferences"""

    bl_idname = "dreamfusion.open_preferences"
    bl_label = "Open Preferences"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Show the Preferences window with this add-on unfolded."""
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


CLASSES = (
    DREAMFUSION_OT_generate,
    DREAMFUSION_OT_preview_prompt,
    DREAMFUSION_OT_end_preview,
    DREAMFUSION_OT_use_prompt,
    DREAMFUSION_OT_choose_model,
    DREAMFUSION_OT_browse_model,
    DREAMFUSION_OT_open_preferences,
)
