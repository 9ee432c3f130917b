"""The upper half of the add-on's preferences: the trainer's environment."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat, drawing, preferences, session, texts
from .core_files import ROOT
from .environment import backends
from .environment.events import Failed
from .environment.folder import Environment, State
from .environment.install import free_space
from .language import say
from .trainer_setup import SETUP, button_text, cost_text, environment_state, progress_text, remedy, state_text

_GET_PYTHON = "https://www.python.org/downloads/"
_LOOKING = "Looking at this computer..."
_ICONS: dict[State, Any] = {State.READY: "CHECKMARK", State.MISSING: "INFO"}


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """Draw the state of the environment, and what can be done about it."""
    environment = preferences.environment()
    box = layout.box().column()
    if SETUP.running:
        _draw_running(box, settings)
        return
    state = environment_state(environment, ROOT)
    if SETUP.failed is not None:
        _draw_failure(box, context, SETUP.failed, environment)
    else:
        box.label(text=state_text(state, environment), icon=_ICONS.get(state, "ERROR"))
    if state is State.READY:
        _draw_ready(box, settings, environment)
        if settings.show_choices:
            _draw_choices(box, settings)
            box.separator(factor=0.5)
            _draw_start(box, context, state, environment)
    else:
        _draw_start(box, context, state, environment)
        _draw_fold(box, settings)


def _draw_running(layout: bpy.types.UILayout, settings: Any) -> None:
    row = layout.row()
    row.label(text=progress_text(SETUP.progress), icon="TIME")
    row.operator("dreamfusion.cancel_set_up", text="Cancel", icon="CANCEL")
    if SETUP.progress is not None and SETUP.progress.total:
        compat.draw_progress(layout, SETUP.fraction, settings, "set_up_percent")
    log = layout.column(align=True)
    log.active = False
    log.scale_y = 0.8
    for line in SETUP.log:
        log.label(text=line, translate=False)


def _draw_failure(
    layout: bpy.types.UILayout, context: bpy.types.Context, failed: Failed, environment: Environment
) -> None:
    """One sentence, and the buttons that mend it beside the one to try again."""
    drawing.text(layout, context.region, failed.text, "CANCEL" if failed.kind == "cancelled" else "ERROR")
    row = layout.row()
    mend = remedy(failed, preferences.back_end())
    if mend == "python":
        row.operator("wm.url_open", text="Get Python", icon="URL").url = _GET_PYTHON
    elif mend == "cpu":
        button: Any = row.operator("dreamfusion.set_up_trainer", text="Set Up for CPU", icon="FILE_REFRESH")
        button.back_end = backends.CPU.name
    if failed.kind not in ("cancelled", "python") and environment.log.is_file():
        row.operator("wm.path_open", text="Show Log", icon="TEXT").filepath = str(environment.log)


def _draw_ready(layout: bpy.types.UILayout, settings: Any, environment: Environment) -> None:
    """Where it is, where to go on, and the two things to do about it."""
    column = layout.column(align=True)
    column.active = False
    column.label(text=str(environment.folder), icon="BLANK1", translate=False)
    column.label(text="To use it, press N in the 3D view and open the DreamFusion tab", icon="BLANK1")
    row = layout.row()
    row.prop(settings, "show_choices", icon="PREFERENCES", toggle=True)
    row.operator("dreamfusion.remove_trainer", icon="TRASH")


def _draw_fold(layout: bpy.types.UILayout, settings: Any) -> None:
    """The choices that few need: folded away, unless one of them may mend what is in the way."""
    if (SETUP.failed is None or SETUP.failed.kind == "cancelled") and not _obstacle():
        icon: Any = "DOWNARROW_HLT" if settings.show_choices else "RIGHTARROW"
        row = layout.row()
        row.alignment = "LEFT"
        row.prop(settings, "show_choices", text="Options", icon=icon, emboss=False)
        if not settings.show_choices:
            return
    _draw_choices(layout, settings)


def _draw_choices(layout: bpy.types.UILayout, settings: Any) -> None:
    """What the user may choose, and what an empty choice means here."""
    survey = SETUP.survey
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(settings, "back_end")
    if not preferences.back_end():
        drawing.hint(column, f"{_label(survey.back_end)}: {survey.reason}" if survey else say(_LOOKING))
    row = column.row(align=True)
    row.prop(settings, "base_python")
    row.menu("DREAMFUSION_MT_pythons", text="", icon="DOWNARROW_HLT")
    if not preferences.base_python():
        found = "Python {1}: {0}".format(*survey.pythons[0]) if survey and survey.pythons else say("None was found")
        drawing.hint(column, found if survey else say(_LOOKING))
    column.prop(settings, "environment_folder")
    column.prop(settings, "wheels_folder")


def _draw_start(layout: bpy.types.UILayout, context: bpy.types.Context, state: State, environment: Environment) -> None:
    """For what it is, what it costs, what is in the way, and the button."""
    if SETUP.survey is None:
        session.look_around()
    name = preferences.back_end() or (SETUP.survey.back_end if SETUP.survey is not None else backends.CPU.name)
    free = free_space(environment.folder)
    cost = cost_text(name, environment.folder, free, preferences.wheels_folder())
    drawing.text(layout, context.region, cost, "INFO")
    obstacle = _obstacle()
    if obstacle:
        drawing.text(layout, context.region, say(obstacle), "ERROR")
    if obstacle == texts.SET_UP_OFFLINE:
        layout.prop(context.preferences.system, "use_online_access")
    row = layout.row()
    row.scale_y = 1.5
    row.operator("dreamfusion.set_up_trainer", text=button_text(state), icon="IMPORT")


def _obstacle() -> str:
    """What is known to keep a set-up from working, or an empty string."""
    if SETUP.survey is not None and SETUP.survey.problem and not preferences.base_python():
        return SETUP.survey.problem
    return "" if preferences.wheels_folder() or compat.online_access() else texts.SET_UP_OFFLINE


def _label(back_end: str) -> str:
    return backends.BACK_ENDS[back_end].label
