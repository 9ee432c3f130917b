"""What register() adds to Blender and unregister() takes away again."""

from __future__ import annotations

import bpy

from . import compat, object_settings, operators, panel, preferences, preview, properties, session

_SETTINGS = "dreamfusion"  # see properties.settings_of
_CLASSES = (
    preferences.DreamFusionPreferences,
    properties.DreamFusionSettings,
    *operators.CLASSES,
    panel.DREAMFUSION_PT_main,
)


def register() -> None:
    """Add classes, settings, the picture and the timer."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    setattr(bpy.types.Scene, _SETTINGS, bpy.props.PointerProperty(type=properties.DreamFusionSettings))
    object_settings.register()
    compat.register(_fraction)
    preview.register()
    session.register()


def unregister() -> None:
    """The reverse, in reverse order."""
    session.unregister()
    preview.unregister()
    compat.unregister()
    object_settings.unregister()
    delattr(bpy.types.Scene, _SETTINGS)
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)


def _fraction() -> float:
    job = session.SESSION.job
    return job.progress.fraction if job is not None and job.progress is not None else 0.0
