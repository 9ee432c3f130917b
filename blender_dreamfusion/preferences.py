"""The add-on's preferences: the trainer's Python and the folder for jobs."""

from pathlib import Path

import bpy

from . import paths
from .core_files import ROOT

_ADDON = "blender_dreamfusion"


class DreamFusionPreferences(bpy.types.AddonPreferences):
    """What stays the same from one .blend to the next."""

    bl_idname = __package__

    trainer_python: bpy.props.StringProperty(
        name="Trainer's Python",
        description="The python program of the environment that holds torch and the trainer's other packages",
        subtype="FILE_PATH",
    )
    jobs_folder: bpy.props.StringProperty(
        name="Jobs Folder",
        description="Where checkpoints, pictures and meshes of jobs are kept. Empty: a folder of the add-on's own",
        subtype="DIR_PATH",
    )
    models_folder: bpy.props.StringProperty(
        name="Models Folder",
        description="A folder with diffusion models in the layout of diffusers: they join the panel's list of models",
        subtype="DIR_PATH",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the two paths, and what an empty one means."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "trainer_python")
        if not self.trainer_python:
            _hint(column, f"Needs the packages in {ROOT / 'requirements.txt'}")
        column.prop(self, "jobs_folder")
        if not self.jobs_folder:
            _hint(column, f"Default: {jobs_folder()}")
        column.prop(self, "models_folder")


def _hint(column: bpy.types.UILayout, text: str) -> None:
    """A greyed line below a field."""
    split = column.split(factor=0.4)
    split.separator()
    split.active = False
    split.label(text=text)


def trainer_python() -> str:
    """The trainer's Python as an absolute path, or an empty string."""
    return paths.absolute(_setting("trainer_python"))


def installed_trainer_python() -> str:
    """The same for a copy of this package that is not the add-on itself: as set in the enabled add-on."""
    for name, addon in bpy.context.preferences.addons.items():
        if name.rpartition(".")[2] == _ADDON and addon.preferences is not None:
            return paths.absolute(getattr(addon.preferences, "trainer_python", ""))
    return ""


def jobs_folder() -> Path:
    """The folder for jobs; it may not exist yet.

    By default among Blender's own data files: an extension's user folder is deleted with the extension.
    """
    chosen = paths.absolute(_setting("jobs_folder"))
    return Path(chosen or bpy.utils.user_resource("DATAFILES", path="dreamfusion/jobs"))


def models_folder() -> Path | None:
    """The user's folder with models, or None."""
    chosen = paths.absolute(_setting("models_folder"))
    return Path(chosen) if chosen else None


def _setting(name: str) -> str:
    """One of the preferences; empty too where Blender keeps none, as after ``blender --addons``."""
    addon: bpy.types.Addon | None = bpy.context.preferences.addons.get(__package__)
    return str(getattr(addon.preferences, name, "")).strip() if addon is not None else ""
