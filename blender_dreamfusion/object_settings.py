"""How the object shall be: what the trainer is asked for, and how it is put into the scene. With its sub-panel."""

from __future__ import annotations

from typing import Any

import bpy

from .mesh_import import Placing

FACES = (500, 500_000)  # as core.config
_SETTINGS = "dreamfusion_object"  # see of()
_SIZES = ("512", "1024", "2048", "4096")


class DreamFusionObjectSettings(bpy.types.PropertyGroup):
    """One object's settings."""

    height: bpy.props.FloatProperty(
        name="Height",
        description="Real-world height, from the base to the top",
        subtype="DISTANCE",
        unit="LENGTH",
        min=1e-4,
        soft_min=0.01,
        soft_max=100.0,
        default=1.0,
    )
    limit_faces: bpy.props.BoolProperty(
        name="Limit Faces", description="Set the number of faces instead of taking the quality preset's"
    )
    faces: bpy.props.IntProperty(
        name="Faces",
        description="Triangles of the mesh at most",
        min=FACES[0],
        max=FACES[1],
        soft_max=100_000,
        default=5_000,
    )
    texture_size: bpy.props.EnumProperty(
        name="Texture",
        description="Width and height of the texture and of the normal map in pixels",
        items=(
            ("auto", "Automatic", "As the quality preset has it"),
            *((size, f"{size} px", f"{size} x {size} px") for size in _SIZES),
        ),
    )
    normal_map: bpy.props.BoolProperty(
        name="Normal Map", description="Keep fine shapes that the mesh has too few faces for in a second texture"
    )
    mark_asset: bpy.props.BoolProperty(
        name="Mark as Asset", description="Show the object in the Asset Browser, tagged with the words of its prompt"
    )


class DREAMFUSION_PT_object(bpy.types.Panel):
    """What the finished object shall be like."""

    bl_label = "Object"
    bl_parent_id = "DREAMFUSION_PT_main"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings: of the mesh, of its textures, of its place in the file."""
        settings: Any = of(context.scene)
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "height")
        row = column.row(heading="Limit Faces")
        row.prop(settings, "limit_faces", text="")
        value = row.row()
        value.active = settings.limit_faces
        value.prop(settings, "faces", text="")
        column.prop(settings, "texture_size")
        column.prop(settings, "normal_map")
        column.prop(settings, "mark_asset")


CLASSES = (DreamFusionObjectSettings, DREAMFUSION_PT_object)


def register() -> None:
    """Give the scene the settings. After the classes."""
    setattr(bpy.types.Scene, _SETTINGS, bpy.props.PointerProperty(type=DreamFusionObjectSettings))


def unregister() -> None:
    """Undo register."""
    delattr(bpy.types.Scene, _SETTINGS)


def of(scene: bpy.types.Scene) -> Any:
    """The settings that the sub-panel shows."""
    return getattr(scene, _SETTINGS)


def options(scene: bpy.types.Scene) -> dict[str, object]:
    """Those for the trainer: options of a protocol.Generate."""
    settings = of(scene)
    chosen: dict[str, object] = {"faces": settings.faces} if settings.limit_faces else {}
    if settings.texture_size != "auto":
        chosen["texture_size"] = int(settings.texture_size)
    if settings.normal_map:
        chosen["normal_map"] = True
    return chosen


def placing(scene: bpy.types.Scene) -> Placing:
    """Those for the import."""
    settings = of(scene)
    return Placing(settings.height, settings.mark_asset)
