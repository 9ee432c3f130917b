"""Puts a finished job's mesh into the scene. Main thread only.

An object knows by its custom property "job" which job's folder it comes from, so that a job that is trained longer, or
whose coarse mesh grew in the scene, finds it again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from . import asset, material, mesh_data, sketch_import, workspaces
from .material import make_material
from .mesh_file import FinishedMesh, Sketch, read_mesh
from .sketch_import import make_growing_mesh
from .workspaces import Details

_GAP = 0.25  # from one object of a row to the next, in widths of an object
_LEAST_GAP = 1e-3  # in Blender's units
_Box = tuple[NDArray[np.float64], NDArray[np.float64]]  # its lowest and its highest corner, in the world


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
    with _all_or_nothing():
        mesh = _make_mesh(name, data)
        mesh.materials.append(_make_material(workspace, name, data))
        thing = _put(context, mesh, workspace, details)
        if placing.asset:
            asset.mark(thing, details, workspaces.picture_path(workspace))
        _select(context, thing)
    return thing


def add_sketch(context: bpy.types.Context, workspace: Path, details: Details, sketch: Sketch) -> bpy.types.Object:
    """Add the coarse mesh of a job in training at the 3D cursor; the selection stays as it is."""
    with _all_or_nothing():
        mesh = make_growing_mesh(details.prompt, workspace.name, sketch)
        return _put(context, mesh, workspace, details)


def renew_objects(workspace: Path, details: Details, placing: Placing = Placing()) -> list[bpy.types.Object]:
    """Give the objects that came from a job's folder, or grow from it, its mesh and pictures, where they stand.

    What the artist did to the object stays: transforms, name, collections, modifiers; of a finished one also its
    materials. Returns the objects, which may be none; raises as :func:`add_object` does.
    """
    olds = [mesh for mesh in meshes_of(workspace.name) if sketch_import.is_free(mesh)]
    if not olds:
        return []
    data = read_mesh(workspaces.mesh_path(workspace))
    growing = list(map(sketch_import.grows, olds))
    with _all_or_nothing():
        texture = _make_material(workspace, details.prompt, data) if any(growing) else None
        news = [(old, _replacement(old, data, texture)) for old in olds]
        if not all(growing):
            material.renew_pictures(*_pictures(workspace), data.colors.mean(axis=0))
    for old, new in news:
        name = old.name
        old.user_remap(new)
        sketch_import.remove(old)
        new.name = name
    things = [thing for thing in things_of(workspace.name) if thing.data in [new for _, new in news]]
    for thing in things:
        describe(thing, workspace, details)
        if placing.asset:
            asset.mark(thing, details, workspaces.picture_path(workspace))
    return things


def things_of(job: str) -> list[bpy.types.Object]:
    """The objects of this file that come from the job whose folder has this name."""
    things = (thing for thing in bpy.data.objects if thing.get("job") == job)
    return [thing for thing in things if thing.type == "MESH" and thing.library is None]


def meshes_of(job: str) -> list[bpy.types.Mesh]:
    """The meshes of these objects, each once."""
    meshes: set[Any] = {thing.data for thing in things_of(job)}
    return [mesh for mesh in meshes if mesh.library is None]


def describe(thing: bpy.types.Object, workspace: Path, details: Details) -> None:
    """Let the object tell where it comes from."""
    for key in ("prompt", "model", "version"):
        thing[key] = getattr(details, key)
    thing["seed"] = details.seed if details.seed < 2**31 else str(details.seed)  # Blender's integers are no larger
    thing["job"] = workspace.name


def put_beside(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    """Move it along X, past the objects of jobs that are seen where it is."""
    context.view_layer.update()
    others: list[Any] = [other for other in context.view_layer.objects if other.get("job") and other != thing]
    boxes = [_box(other) for other in others if other.type == "MESH" and other.data.vertices and other.visible_get()]
    low, high = _box(thing)
    gap = max(_GAP * (high[0] - low[0]), _LEAST_GAP)
    shift = 0.0
    along = np.array([1.0, 0.0, 0.0])
    while ends := [end[0] for start, end in boxes if _meet((start, end), (low + shift * along, high + shift * along))]:
        shift = max(ends) - low[0] + gap
    thing.location.x += shift


def link_object(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    """Into the active collection, unless that is hidden or of a library: then the scene's own."""
    layer = context.view_layer.active_layer_collection
    usable = layer.is_visible and not layer.exclude and layer.collection.library is None
    (layer.collection if usable else context.scene.collection).objects.link(thing)


def _box(thing: bpy.types.Object) -> _Box:
    """What the object takes up."""
    corners = np.array([[*corner, 1.0] for corner in thing.bound_box]) @ np.array(thing.matrix_world).T
    return corners[:, :3].min(axis=0), corners[:, :3].max(axis=0)


def _meet(one: _Box, other: _Box) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())


def _put(context: bpy.types.Context, mesh: bpy.types.Mesh, workspace: Path, details: Details) -> bpy.types.Object:
    """An object with this mesh at the 3D cursor, which tells where it comes from."""
    thing = bpy.data.objects.new(details.prompt, mesh)
    thing.location = context.scene.cursor.location
    describe(thing, workspace, details)
    link_object(context, thing)
    return thing


def _select(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    for other in context.selected_objects:
        other.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing


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


def _make_mesh(name: str, data: FinishedMesh) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh_data.fill(mesh, data)
    return mesh


def _replacement(old: bpy.types.Mesh, data: FinishedMesh, texture: bpy.types.Material | None) -> bpy.types.Mesh:
    """A mesh that stands where the old one did, as high as that."""
    height, base = mesh_data.standing_of(old)
    new = _make_mesh(old.name, data.standing(height, base))
    for item in [texture] if sketch_import.grows(old) else old.materials:
        new.materials.append(item)
    return new


def _make_material(workspace: Path, name: str, data: FinishedMesh) -> bpy.types.Material:
    return make_material(name, *_pictures(workspace), data.colors.mean(axis=0))


def _pictures(workspace: Path) -> tuple[Path, Path]:
    return workspaces.texture_path(workspace), workspaces.normal_map_path(workspace)
