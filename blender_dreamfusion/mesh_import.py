"""Puts a finished job's mesh into the scene. Main thread only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import asset, compat, workspaces
from .colors import srgb_to_linear
from .material import UV_MAP, make_material
from .mesh_file import MeshData, read_mesh
from .workspaces import Details


@dataclass(frozen=True)
class Placing:
    """How the object is put into the scene: its height in Blender's units (None: as it is), and whether as an asset."""

    height: float | None = None
    asset: bool = False


def add_object(
    context: bpy.types.Context, workspace: Path, details: Details, placing: Placing = Placing()
) -> bpy.types.Object:
    """Add the object of a finished job's folder at the 3D cursor, standing on it, selected and active.

    Raises MeshFileError where the mesh cannot be used and RuntimeError where a picture cannot be read; the scene
    is then as it was.
    """
    data, name = read_mesh(workspaces.mesh_path(workspace)).standing(placing.height), details.prompt
    pictures = workspaces.texture_path(workspace), workspaces.normal_map_path(workspace)
    with _all_or_nothing():
        mesh = _make_mesh(name, data)
        mesh.materials.append(make_material(name, *pictures, data.colors.mean(axis=0)))
        thing = bpy.data.objects.new(name, mesh)
        thing.location = context.scene.cursor.location
        for key in ("prompt", "model", "version"):
            thing[key] = getattr(details, key)
        thing["seed"] = details.seed if details.seed < 2**31 else str(details.seed)  # Blender's integers are no larger
        if placing.asset:
            asset.mark(thing, details, workspaces.picture_path(workspace))
        _link_and_select(context, thing)
    return thing


@contextlib.contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Where the block fails, remove the data that it has made."""
    kinds: Any = (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images)
    before = {item for kind in kinds for item in kind}
    try:
        yield
    except Exception:
        bpy.data.batch_remove({item for kind in kinds for item in kind} - before)
        raise


def _make_mesh(name: str, data: MeshData) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(data.vertices))
    mesh.vertices.foreach_set("co", data.vertices.ravel())
    mesh.loops.add(data.faces.size)
    mesh.loops.foreach_set("vertex_index", data.faces.ravel())
    compat.set_triangles(mesh, len(data.faces))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(data.faces), bool))
    mesh.uv_layers.new(name=UV_MAP).data.foreach_set("uv", data.uv.ravel())
    _add_colors(mesh, data)
    mesh.update(calc_edges=True)
    mesh.validate()
    return mesh


def _add_colors(mesh: bpy.types.Mesh, data: MeshData) -> None:
    rgba = np.ones((len(data.colors), 4), np.float32)
    rgba[:, :3] = srgb_to_linear(data.colors)
    attribute: Any = mesh.color_attributes.new(name="Color", type="FLOAT_COLOR", domain="POINT")
    attribute.data.foreach_set("color", rgba.ravel())
    mesh.color_attributes.active_color = attribute
    mesh.color_attributes.render_color_index = 0


def _link_and_select(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    """Into the active collection, unless that is hidden or of a library: then the scene's own."""
    layer = context.view_layer.active_layer_collection
    usable = layer.is_visible and not layer.exclude and layer.collection.library is None
    (layer.collection if usable else context.scene.collection).objects.link(thing)
    for other in context.selected_objects:
        other.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing
