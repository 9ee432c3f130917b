"""The panel's buttons."""

from pathlib import Path

import bpy

from . import object_settings, preferences, workspaces
from .core_files import protocol
from .mesh_file import MeshFileError
from .mesh_import import add_object
from .properties import settings_of
from .session import SESSION


class DREAMFUSION_OT_generate(bpy.types.Operator):
    """Make the prompt into a textured object, in the background"""

    bl_idname = "dreamfusion.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a prompt and no job at work."""
        if not settings_of(context.scene).prompt.strip():
            cls.poll_message_set("Type a prompt first")
            return False
        return SESSION.ready

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the trainer; what goes wrong stands in the panel."""
        settings = settings_of(context.scene)
        prompt = settings.prompt.strip()
        workspace = workspaces.new_workspace(preferences.jobs_folder(), prompt)
        options = settings.options() | object_settings.options(context.scene)
        started = SESSION.start(protocol.Generate(prompt, str(workspace), options))
        return {"FINISHED"} if started else {"CANCELLED"}


class DREAMFUSION_OT_cancel(bpy.types.Operator):
    """Stop the job and keep what it has learnt so far, to resume it later"""

    bl_idname = "dreamfusion.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether a job is at work."""
        return SESSION.running

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the trainer to stop; the timer sees to the rest."""
        if SESSION.job is not None:
            SESSION.job.cancel()
        return {"FINISHED"}


class DREAMFUSION_OT_resume(bpy.types.Operator):
    """Go on with the job that was interrupted, from where it was last saved"""

    bl_idname = "dreamfusion.resume"
    bl_label = "Resume"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether a job was interrupted and its trainer is gone."""
        return SESSION.ready and SESSION.interrupted is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start the trainer on the job's folder."""
        started = SESSION.start(protocol.Resume(str(SESSION.interrupted)))
        return {"FINISHED"} if started else {"CANCELLED"}


class DREAMFUSION_OT_add_result(bpy.types.Operator):
    """Add the finished object to the scene, standing at the 3D cursor"""

    bl_idname = "dreamfusion.add_result"
    bl_label = "Add to Scene"
    bl_options = {"REGISTER", "UNDO"}

    workspace: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether objects can be added now."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Return to Object Mode first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the job's files and add the object."""
        workspace = Path(self.workspace)
        details = workspaces.read_details(workspace)
        if details is None:
            self.report({"ERROR"}, f"There is no readable job in {self.workspace}: generate again.")
            return {"CANCELLED"}
        try:
            add_object(context, workspace, details, object_settings.placing(context.scene))
        except (MeshFileError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        SESSION.note_added(workspace)
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
    DREAMFUSION_OT_cancel,
    DREAMFUSION_OT_resume,
    DREAMFUSION_OT_add_result,
    DREAMFUSION_OT_open_preferences,
)
