"""The panel's buttons."""

import bpy

from .properties import settings_of
from .session import SESSION


class DREAMFUSION_OT_generate(bpy.types.Operator):
    """Make the prompt into a textured object, in the background"""

    bl_idname = "dreamfusion.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a prompt."""
        if not settings_of(context.scene).prompt.strip():
            cls.poll_message_set("Type a prompt first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the job into the queue; what goes wrong stands in the panel."""
        settings = settings_of(context.scene)
        asked = SESSION.generate(settings.prompt.strip(), [settings.options()])
        return {"FINISHED"} if asked else {"CANCELLED"}


class DREAMFUSION_OT_open_preferences(bpy.types.Operator):
    """Open the add-on's preferences"""

    bl_idname = "dreamfusion.open_preferences"
    bl_label = "Open Preferences"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Show the Preferences window with this add-on unfolded."""
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


CLASSES = (DREAMFUSION_OT_generate, DREAMFUSION_OT_open_preferences)
