"""What register() adds to Blender and unregister() takes away again."""

from __future__ import annotations

import bpy

from . import (
    compat,
    job_operators,
    job_panel,
    language,
    menus,
    object_settings,
    operators,
    panel,
    preferences,
    preview,
    properties,
    session,
    setup_operators,
)

_SETTINGS = "dreamfusion"  # see properties.settings_of
_CLASSES = (
    preferences.DreamFusionPreferences,
    properties.DreamFusionSettings,
    *operators.CLASSES,
    *job_operators.CLASSES,
    *menus.CLASSES,
    *setup_operators.CLASSES,
    panel.DREAMFUSION_PT_main,
    *object_settings.CLASSES,
    panel.DREAMFUSION_PT_advanced,
    *job_panel.CLASSES,
)


def register() -> None:
    """Add the languages, classes, settings, the picture and the timer."""
    translations = bpy.app.translations
    translations.register(__package__, language.for_blender())
    language.use(translations.pgettext_iface, _locale)
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    setattr(bpy.types.Scene, _SETTINGS, bpy.props.PointerProperty(type=properties.DreamFusionSettings))
    object_settings.register()
    menus.register()
    job_panel.register()
    compat.register(_fraction)
    preview.register()
    session.register()


def unregister() -> None:
    """The reverse, in reverse order."""
    session.unregister()
    preview.unregister()
    compat.unregister()
    job_panel.unregister()
    menus.unregister()
    object_settings.unregister()
    delattr(bpy.types.Scene, _SETTINGS)
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)
    language.use()
    bpy.app.translations.unregister(__package__)


def _locale() -> str:
    """The interface's language; empty where that is not translated."""
    shown = bpy.context.preferences.view.use_translate_interface
    return bpy.app.translations.locale if shown else ""


def _fraction() -> float:
    job = session.SESSION.job
    return job.fraction if job is not None else 0.0
