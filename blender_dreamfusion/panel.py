"""The "DreamFusion" tab in the 3D viewport's sidebar: what is asked for."""

from __future__ import annotations

import bpy

from . import compat, drawing, expectation, menus, models, object_settings, preview, texts
from .language import say
from .picture_job import COUNT
from .properties import DreamFusionSettings, settings_of
from .session import SESSION

_LABEL = 0.4  # of the width, as Blender's own property split


class DREAMFUSION_PT_main(bpy.types.Panel):
    """Prompt, model and quality."""

    bl_label = "DreamFusion"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Blender's button for presets."""
        menus.DREAMFUSION_PT_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what can be asked for, and what went wrong with it."""
        layout, settings = self.layout, settings_of(context.scene)
        _draw_prompt(layout, context, settings)
        _draw_settings(layout.column(), context, settings)
        row = layout.row()
        row.scale_y = 1.5
        row.operator("dreamfusion.generate", icon="PLAY", text="Add to Queue" if SESSION.queue.active else "Generate")
        if SESSION.error:
            drawing.error(layout, context.region, SESSION.error, SESSION.blames_setup)


class DREAMFUSION_PT_advanced(bpy.types.Panel):
    """What most artists never change."""

    bl_label = "Advanced"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"
    bl_parent_id = "DREAMFUSION_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the properties."""
        settings = settings_of(context.scene)
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        for name in ("epochs", "field", "distillation", "guidance_scale", "perpneg"):
            column.prop(settings, name)
        column = layout.column()
        for name in ("device", "precision", "vram_O", "compile"):
            column.prop(settings, name)
        if settings.model == "sd":
            column.prop(settings, "hf_key")


def _draw_prompt(layout: bpy.types.UILayout, context: bpy.types.Context, settings: DreamFusionSettings) -> None:
    column = layout.column(align=True)
    column.label(text="Prompt")
    row = column.row(align=True)
    compat.draw_text_field(row, settings, "prompt", say("A hamburger"))
    row.menu("DREAMFUSION_MT_prompts", text="", icon="DOWNARROW_HLT")
    column.label(text="Negative Prompt")
    compat.draw_text_field(column, settings, "negative", say("Optional"))
    row = layout.row(align=True)
    row.operator("dreamfusion.preview_prompt", icon="IMAGE_DATA")
    if SESSION.pictures is not None:
        row.operator("dreamfusion.end_preview", text="", icon="X")
        _draw_pictures(layout, context)


def _draw_pictures(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The pictures of a prompt that are there, with what the trainer remarks, or why there are none."""
    job = SESSION.pictures
    if job.error:
        drawing.error(layout, context.region, job.error, job.blames_setup)
    elif job.pictures:
        row = layout.row(align=True)
        for path in job.pictures:
            row.template_icon(preview.icon(path), scale=drawing.width_units(context) / COUNT)
        if job.prompt != settings_of(context.scene).prompt.strip():
            layout.label(text=f'"{job.prompt}"', translate=False)
        drawing.remarks(layout, context.region, job.remarks)
    else:
        layout.label(text="Drawing pictures...", icon="TIME")


def _draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context, settings: DreamFusionSettings) -> None:
    layout.use_property_split = True
    layout.use_property_decorate = False
    split = layout.split(factor=_LABEL)
    label = split.row()
    label.alignment = "RIGHT"
    label.label(text="Model")
    name = menus.model_name(settings.model, settings.sd_version, settings.hf_key)
    split.menu("DREAMFUSION_MT_models", text=name)
    layout.prop(settings, "preset")
    row = layout.row(align=True)
    row.prop(settings, "seed")
    row.prop(settings, "random_seed", text="", icon="FILE_REFRESH")
    layout.prop(settings, "objects")
    layout.prop(settings, "grow")
    options = settings.options() | object_settings.options(context.scene)
    time = expectation.describe((job.record for job in SESSION.queue.jobs), options)
    drawing.text(layout, context.region, f"{time}. {texts.needs(options, models.user_table())}", "INFO")
    if "sd_version" in options and not compat.online_access():
        drawing.text(layout, context.region, say(texts.OFFLINE), "INFO")
        row = layout.row()
        row.use_property_split = False
        row.prop(context.preferences.system, "use_online_access")
