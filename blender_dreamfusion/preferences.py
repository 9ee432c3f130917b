"""The add-on's preferences: the trainer's environment, and the folder for jobs."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import drawing, paths
from .environment import backends
from .environment.folder import NAME, Environment, default_parent
from .language import say
from .trainer_setup import SETUP

_ADDON = "blender_dreamfusion"
_AUTO = "auto"
_BACK_ENDS = (
    (_AUTO, "Automatic", "What fits this computer best"),
    *((build.name, build.label, "This build of PyTorch") for build in backends.offered()),
)


def _on_choice(_settings: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    """Another choice may mend what failed."""
    SETUP.failed = None


def _read_percent(_settings: bpy.types.AddonPreferences) -> float:
    """Not a lambda: Blender 3.4 evaluates the property apart from this module, whose names a lambda then lacks."""
    return float(round(100 * SETUP.fraction))  # Blender 3 would show digits behind the point


class DreamFusionPreferences(bpy.types.AddonPreferences):
    """What stays the same from one .blend to the next."""

    bl_idname = __package__

    back_end: bpy.props.EnumProperty(
        name="Back End", description="What the trainer computes on", items=_BACK_ENDS, update=_on_choice
    )
    base_python: bpy.props.StringProperty(
        name="Python",
        description="The Python that the trainer's environment is made with, 3.11 to 3.13. Empty: the best one found",
        subtype="FILE_PATH",
        update=_on_choice,
    )
    environment_folder: bpy.props.StringProperty(
        name="Folder",
        description="Where the trainer's environment is made. Empty: with your own data, for every Blender of yours",
        subtype="DIR_PATH",
        update=_on_choice,
    )
    wheels_folder: bpy.props.StringProperty(
        name="Wheels",
        description="A folder with all packages as wheels, to set up without a network. Empty: download them",
        subtype="DIR_PATH",
        update=_on_choice,
    )
    show_choices: bpy.props.BoolProperty(
        name="Set Up Again",
        description="Choose another back end, Python or folder, or make the environment anew",
        options={"SKIP_SAVE"},
    )
    set_up_percent: bpy.props.FloatProperty(
        name="Progress",
        description="How far the set-up is",
        subtype="PERCENTAGE",
        min=0.0,
        max=100.0,
        precision=0,
        get=_read_percent,
    )
    trainer_python: bpy.props.StringProperty(
        name="Trainer's Python",
        description="The python program of an environment of your own that holds the trainer's packages. "
        "Empty: the one that the add-on has set up",
        subtype="FILE_PATH",
    )
    jobs_folder: bpy.props.StringProperty(
        name="Jobs Folder",
        description="Where checkpoints, pictures and meshes of jobs are kept. Empty: a folder of the add-on's own",
        subtype="DIR_PATH",
    )
    models_folder: bpy.props.StringProperty(
        name="Models Folder",
        description="A folder with diffusion models, as files or in the layout of diffusers, for the panel's list",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the set-up, the two paths, and what an empty one means."""
        from . import setup_panel  # which reads the preferences

        layout = self.layout
        setup_panel.draw(layout, context, self)
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "trainer_python")
        if not self.trainer_python:
            drawing.hint(column, say("Default: the trainer that was set up above"))
        column.prop(self, "jobs_folder")
        if not self.jobs_folder:
            drawing.hint(column, say("Default: {folder}", folder=jobs_folder()))
        column.prop(self, "models_folder")


def trainer_python() -> str:
    """The trainer's Python as an absolute path: the user's own or that of the set-up; empty where there is none."""
    return paths.absolute(_setting("trainer_python")) or environment().usable_python()


def installed_trainer_python() -> str:
    """The same for a copy of this package that is not the add-on itself: as set in the enabled add-on."""
    for name, addon in bpy.context.preferences.addons.items():
        if name.rpartition(".")[2] == _ADDON and addon.preferences is not None:
            own = paths.absolute(getattr(addon.preferences, "trainer_python", ""))
            folder = getattr(addon.preferences, "environment_folder", "")
            return own or _environment_in(folder).usable_python()
    return _environment_in("").usable_python()


def environment() -> Environment:
    """The trainer's environment, made or not."""
    return _environment_in(_setting("environment_folder"))


def _environment_in(chosen: str) -> Environment:
    parent = Path(paths.absolute(chosen) or default_parent())
    return Environment(parent if parent.name == NAME else parent / NAME)


def back_end() -> str:
    """The name of the back end that the user chose, or an empty string to let the set-up choose."""
    return _setting("back_end").replace(_AUTO, "")


def base_python() -> str:
    """The Python to make the environment with, or an empty string to let the set-up choose."""
    return paths.absolute(_setting("base_python"))


def choose(name: str, value: str) -> None:
    """Set one of the preferences, for a button that does it for the user."""
    addon: bpy.types.Addon | None = bpy.context.preferences.addons.get(__package__)
    if addon is not None:
        setattr(addon.preferences, name, value)


def wheels_folder() -> str:
    """The folder of wheels, or an empty string to download."""
    return paths.absolute(_setting("wheels_folder"))


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
