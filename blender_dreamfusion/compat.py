"""Everything that differs between Blender 3.4 and 5.x, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

_PROGRESS = "dreamfusion_progress"  # 3.x: a read-only slider, as UILayout.progress is not there yet


def register(fraction: Callable[[], float]) -> None:
    """Prepare the progress bar, whose value `fraction` gives."""
    if bpy.app.version < (4, 0, 0):
        bar = bpy.props.FloatProperty(
            name="Progress",
            description="How far the job is",
            subtype="PERCENTAGE",
            min=0.0,
            max=100.0,
            precision=0,
            get=lambda _: float(round(100 * fraction())),
        )
        setattr(bpy.types.WindowManager, _PROGRESS, bar)


def unregister() -> None:
    """Undo register."""
    if hasattr(bpy.types.WindowManager, _PROGRESS):
        delattr(bpy.types.WindowManager, _PROGRESS)


def draw_progress(
    layout: bpy.types.UILayout, fraction: float, data: bpy.types.AnyType | None = None, name: str = _PROGRESS
) -> None:
    """A progress bar that says how many percent are done. `layout.progress` came with 4.0.

    Before, it is the read-only percentage `name` of `data`, by default the job's.
    """
    if bpy.app.version >= (4, 0, 0):
        layout.progress(factor=fraction, text=f"{100 * fraction:.0f}%")
    else:
        layout.prop(data or bpy.context.window_manager, name, text="", slider=True)


def draw_text_field(layout: bpy.types.UILayout, data: bpy.types.PropertyGroup, name: str, placeholder: str) -> None:
    """A text field as wide as the layout. The placeholder came with 4.1."""
    if bpy.app.version >= (4, 1, 0):
        layout.prop(data, name, text="", placeholder=placeholder)
    else:
        layout.prop(data, name, text="")


def online_access() -> bool:
    """Whether the user lets Blender use the network: a preference since 4.2."""
    return bool(getattr(bpy.app, "online_access", True))


def download_variables() -> dict[str, str]:
    """What tells the trainer, in its environment, whether it may download a model."""
    return {} if online_access() else {"HF_HUB_OFFLINE": "1"}


def is_moving() -> bool:
    """Whether the user is at a move, rotation or the like (known since 4.2).

    Other modal operators do not count: those of some add-ons run as long as Blender does.
    """
    windows = bpy.context.window_manager.windows
    names = [operator.bl_idname for window in windows for operator in getattr(window, "modal_operators", ())]
    return any(name.startswith("TRANSFORM_OT") for name in names)


def set_triangles(mesh: bpy.types.Mesh, vertices: NDArray[np.float32], faces: NDArray[np.int32]) -> None:
    """Give an empty mesh these vertices (V, 3) and smooth faces (F, 3).

    From 4.1 on all of it but the faces' starts are attributes, which are set five times as fast; sizes follow from the
    starts, and faces are smooth.
    """
    mesh.vertices.add(len(vertices))
    mesh.loops.add(faces.size)
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    if bpy.app.version >= (4, 1, 0):
        attributes: Any = mesh.attributes
        attributes["position"].data.foreach_set("vector", vertices.ravel())
        attributes[".corner_vert"].data.foreach_set("value", faces.ravel())
    else:
        mesh.vertices.foreach_set("co", vertices.ravel())
        mesh.loops.foreach_set("vertex_index", faces.ravel())
        mesh.polygons.foreach_set("loop_total", np.full(len(faces), 3, np.int32))
        mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))


def set_slots(mesh: bpy.types.Mesh, slots: NDArray[np.int32]) -> None:
    """Which of its materials each face of a mesh has, (F,), that set_triangles just made. From 4.1 on an attribute."""
    if bpy.app.version >= (4, 1, 0):
        attribute: Any = mesh.attributes.new(name="material_index", type="INT", domain="FACE")
        attribute.data.foreach_set("value", slots)
    else:
        mesh.polygons.foreach_set("material_index", slots)


def use_nodes(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The material's node tree. From 5.0 on every material has one and `use_nodes` is deprecated."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material.node_tree
