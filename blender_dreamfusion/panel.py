"""The "DreamFusion" tab in the 3D viewport's sidebar."""

from __future__ import annotations

import bpy

from . import compat, drawing, texts
from .properties import DreamFusionSettings, settings_of
from .session import SESSION


class DREAMFUSION_PT_main(bpy.types.Panel):
    """Prompt, model and quality."""

    bl_label = "DreamFusion"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what can be asked for, and what went wrong with it."""
        layout = self.layout
        _draw_settings(layout.column(), context.region, settings_of(context.scene))
        row = layout.row()
        row.scale_y = 1.5
        row.operator("dreamfusion.generate", icon="PLAY")
        if SESSION.error:
            box = layout.box().column()
            drawing.text(box, context.region, SESSION.error, "ERROR")
            box.operator("dreamfusion.open_preferences", icon="PREFERENCES")


def _draw_settings(layout: bpy.types.UILayout, region: bpy.types.Region, settings: DreamFusionSettings) -> None:
    column = layout.column(align=True)
    column.label(text="Prompt")
    compat.draw_text_field(column, settings, "prompt", "A hamburger")
    column.label(text="Negative Prompt")
    compat.draw_text_field(column, settings, "negative", "Optional")
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    column.prop(settings, "model")
    if settings.model == "sd":
        row = column.row()
        row.active = not settings.hf_key
        row.prop(settings, "sd_version")
        column.prop(settings, "hf_key")
        if not settings.hf_key and not compat.online_access():
            drawing.text(
                column, region, texts.OFFLINE + " turn on Allow Online Access in Preferences > System.", "INFO"
            )
    column.prop(settings, "preset")
    column.prop(settings, "seed")
