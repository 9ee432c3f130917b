"""The "DreamFusion" tab in the 3D viewport's sidebar."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat, drawing, preview, texts
from .properties import DreamFusionSettings, settings_of
from .session import SESSION, Session
from .trainer_job import State, TrainerJob

_PICTURE_UNITS = 10.0  # size of the picture at most, in heights of a button
_PICTURE_LEAST = 4.0
_UNIT_PIXELS = 20.0  # height of a button, at a scale of 1
_MARGIN_UNITS = 3.0  # of the sidebar's width, for tabs and frame
_REMARKS = 4  # of the trainer, the newest: on the prompt, on the negative one, on their length, on the mesh


class DREAMFUSION_PT_main(bpy.types.Panel):
    """Prompt, model and quality above; the job below."""

    bl_label = "DreamFusion"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what can be asked for, and what is going on."""
        settings = self.layout.column()
        settings.enabled = not SESSION.running
        _draw_settings(settings, context.region, settings_of(context.scene))
        if SESSION.running and SESSION.job is not None:
            _draw_running(self.layout, SESSION.job)
        else:
            row = self.layout.row()
            row.scale_y = 1.5
            row.operator("dreamfusion.generate", icon="PLAY")
            _draw_outcome(self.layout, context.region, SESSION)
        if SESSION.job is not None:
            for remark in SESSION.job.remarks[-_REMARKS:]:
                drawing.text(self.layout, context.region, remark, "INFO")
        if preview.icon():
            self.layout.template_icon(preview.icon(), scale=_picture_units(context))


def _picture_units(context: bpy.types.Context) -> float:
    """The picture's size: as wide as the sidebar, within limits."""
    width = context.region.width / context.preferences.system.ui_scale / _UNIT_PIXELS
    return max(_PICTURE_LEAST, min(_PICTURE_UNITS, width - _MARGIN_UNITS))


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


def _draw_running(layout: bpy.types.UILayout, job: TrainerJob) -> None:
    row = layout.row()
    row.scale_y = 1.5
    row.operator("dreamfusion.cancel", icon="CANCEL")
    if job.state is State.CANCELLING:
        layout.label(text="Stopping...")
    elif job.progress is None:
        layout.label(text="Starting the trainer...")
    else:
        compat.draw_progress(layout, job.progress.fraction)
        row = layout.row()
        row.label(text=texts.stage_name(job.progress.stage))
        right = row.row()
        right.alignment = "RIGHT"
        right.label(text=texts.time_left(job.progress))


def _draw_outcome(layout: bpy.types.UILayout, region: bpy.types.Region, session: Session) -> None:
    """How the last job ended, and the button that mends it."""
    job = session.job
    error = session.error or (job.error if job is not None and job.state is State.FAILED else "")
    if error:
        box = layout.box().column()
        drawing.text(box, region, error, "ERROR")
        if job is None or job.blames_setup:
            box.operator("dreamfusion.open_preferences", icon="PREFERENCES")
    elif session.waiting:
        drawing.text(layout, region, session.waiting, "TIME")
    elif job is not None and job.done is not None:
        layout.label(text=f"Done in {texts.clock(job.done.seconds)}", icon="CHECKMARK")
    elif job is not None and job.state is State.CANCELLED:
        layout.label(text="Cancelled", icon="CANCEL")
    if session.interrupted is not None:
        layout.operator("dreamfusion.resume", text=f'Resume "{session.interrupted_prompt}"', icon="FILE_REFRESH")
    if session.result is not None:
        button: Any = layout.operator("dreamfusion.add_result", text=f'Add "{session.result_prompt}"', icon="IMPORT")
        button.workspace = str(session.result)
