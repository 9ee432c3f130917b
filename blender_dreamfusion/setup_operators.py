"""The buttons of the set-up in the preferences. In background mode they block until the work is done, for scripts."""

from __future__ import annotations

import time
from typing import Any

import bpy

from . import compat, preferences, session, texts
from .core_files import ROOT
from .language import say
from .trainer_setup import SETUP, environment_state, install_arguments, progress_text

_SECONDS = 0.05


class DREAMFUSION_OT_set_up_trainer(bpy.types.Operator):
    """Install what the trainer needs into a folder of its own. Blender's own Python stays as it is"""

    bl_idname = "dreamfusion.set_up_trainer"
    bl_label = "Set Up Trainer"

    back_end: bpy.props.StringProperty(
        description="What the trainer computes on; empty: as the preferences say", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether nothing else is at work, and the packages can be had."""
        if not _idle(cls):
            return False
        if not preferences.wheels_folder() and not compat.online_access():
            cls.poll_message_set(say(texts.SET_UP_OFFLINE))
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start it in the preferences, where it says what it downloads; from elsewhere, go there first."""
        if context.area is not None and context.area.type == "PREFERENCES":
            return self.execute(context)
        return set(bpy.ops.preferences.addon_show(module=__package__))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start it; how it goes stands in the preferences."""
        if self.back_end:
            preferences.choose("back_end", self.back_end)
        folder, python = preferences.environment().folder, preferences.base_python()
        arguments = install_arguments(folder, python, preferences.back_end(), preferences.wheels_folder())
        return _start(self, "install", arguments)


class DREAMFUSION_OT_cancel_set_up(bpy.types.Operator):
    """Stop the set-up. What was downloaded is kept, to go on with later"""

    bl_idname = "dreamfusion.cancel_set_up"
    bl_label = "Cancel Set-Up"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether a set-up runs that can be stopped."""
        return SETUP.action == "install"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to end."""
        SETUP.cancel()
        return {"FINISHED"}


class DREAMFUSION_OT_remove_trainer(bpy.types.Operator):
    """Delete the trainer's environment and all of its packages. Objects and jobs stay"""

    bl_idname = "dreamfusion.remove_trainer"
    bl_label = "Remove Trainer"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether there is one, and nothing uses it."""
        return preferences.environment().read() is not None and _idle(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start it."""
        return _start(self, "remove", ["--folder", str(preferences.environment().folder)])


class DREAMFUSION_OT_choose_python(bpy.types.Operator):
    """Make the trainer's environment with this Python"""

    bl_idname = "dreamfusion.choose_python"
    bl_label = "Choose Python"
    bl_options = {"INTERNAL"}

    program: bpy.props.StringProperty(description="The program of that Python", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Set the preference."""
        preferences.choose("base_python", self.program)
        return {"FINISHED"}


class DREAMFUSION_MT_pythons(bpy.types.Menu):
    """The Pythons that were found on this computer"""

    bl_idname = "DREAMFUSION_MT_pythons"
    bl_label = "Pythons Found"

    def draw(self, _context: bpy.types.Context) -> None:
        """One line a Python."""
        for program, version in SETUP.survey.pythons if SETUP.survey is not None else []:
            text = f"Python {version}  ({program})"
            self.layout.operator("dreamfusion.choose_python", text=text, translate=False).program = program


CLASSES = (
    DREAMFUSION_OT_set_up_trainer,
    DREAMFUSION_OT_cancel_set_up,
    DREAMFUSION_OT_remove_trainer,
    DREAMFUSION_OT_choose_python,
    DREAMFUSION_MT_pythons,
)


def _idle(operator: type[bpy.types.Operator]) -> bool:
    """Whether neither a set-up nor a job is at work; where not, the tooltip says which."""
    if SETUP.running:
        operator.poll_message_set(say("Wait until the set-up is done"))
    elif session.SESSION.uses_trainer:
        operator.poll_message_set(say("Wait until the job is done, or cancel it"))
    return not SETUP.running and not session.SESSION.uses_trainer


def _start(operator: bpy.types.Operator, action: str, arguments: list[str]) -> set[str]:
    """Start an action; without a window, follow it to its end."""
    SETUP.start(action, arguments)
    session.wake()
    if bpy.app.background:
        _follow_in_terminal()
        if SETUP.failed is not None:
            operator.report({"ERROR"}, SETUP.failed.text)
            return {"CANCELLED"}
    return {"FINISHED"} if SETUP.action or SETUP.failed is None else {"CANCELLED"}


def _follow_in_terminal() -> None:
    stage = ""
    while SETUP.action:
        if SETUP.pump() and SETUP.progress is not None and SETUP.progress.stage != stage:
            stage = SETUP.progress.stage
            print(f"{progress_text(SETUP.progress)}...", flush=True)
        time.sleep(_SECONDS)
    print(environment_state(preferences.environment(), ROOT).value, flush=True)
