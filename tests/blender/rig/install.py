"""Installs the zip in the Blender that this runs in."""

import bpy


def install_addon(path):
    """Install and enable a zip as a user does from Preferences; returns the module's name."""
    module = "blender_dreamfusion"
    if bpy.app.version >= (4, 2, 0):
        bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
        module = f"bl_ext.user_default.{module}"
    else:
        bpy.ops.preferences.addon_install(filepath=path, overwrite=True)
        bpy.ops.preferences.addon_enable(module=module)
    assert module in bpy.context.preferences.addons, f"{module} was not enabled"
    return module
