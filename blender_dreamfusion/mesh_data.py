"""Fills Blender's meshes with numbers. Main thread only."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from . import compat
from .colors import srgb_to_linear
from .material import COLORS, UV_MAP
from .mesh_file import FinishedMesh, MeshData, Sketch


def fill(mesh: bpy.types.Mesh, data: MeshData) -> None:
    """Let the mesh be this, smooth, whatever it was before; its materials stay."""
    mesh.clear_geometry()
    compat.set_triangles(mesh, data.vertices, data.faces)
    if isinstance(data, FinishedMesh):
        uv_map: Any = mesh.uv_layers.new(name=UV_MAP)
        uv_map.data.foreach_set("uv", data.uv.ravel())
    if isinstance(data, Sketch):
        compat.set_slots(mesh, data.slots)
    _add_colors(mesh, data)
    mesh.update(calc_edges=True)
    if not isinstance(data, Sketch):  # which marching cubes made, so that there is nothing to mend
        mesh.validate()


def standing_of(mesh: bpy.types.Mesh) -> tuple[float, tuple[float, float, float]]:
    """How high a mesh that is not empty is, and the middle of its base."""
    points = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", points.ravel())
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return high[2] - low[2], ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])


def _add_colors(mesh: bpy.types.Mesh, data: MeshData) -> None:
    rgba = np.ones((len(data.colors), 4), np.float32)
    rgba[:, :3] = srgb_to_linear(data.colors)
    attribute: Any = mesh.color_attributes.new(name=COLORS, type="FLOAT_COLOR", domain="POINT")
    attribute.data.foreach_set("color", rgba.ravel())
    mesh.color_attributes.active_color = attribute
    mesh.color_attributes.render_color_index = 0
