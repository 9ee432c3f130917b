"""The coarse mesh of a job in training, as an object that is renewed in place. Main thread only.

Blender forgives changes between two undo steps only within a data-block: what adds, removes or reconnects one would
leave pointers to nothing after an undo. So a growing object is added by an operator, with all that it needs, and from
then on only the content of its mesh and of its materials changes, until an operator makes it the finished object.

A growing mesh has two custom properties: "job" is the name of the job's folder; "growing" is a sum over its places,
colours and number of UV maps, which tells whether the artist has changed it, or 0 within the undo step that added it.
"""

from __future__ import annotations

import zlib
from typing import Any

import bpy
import numpy as np

from . import mesh_data
from .colors import srgb_to_linear
from .material import make_flat_material
from .mesh_file import Sketch

_MARK = "growing"


def make_growing_mesh(name: str, job: str, sketch: Sketch) -> bpy.types.Mesh:
    """A mesh with a material for each colour of the palette: solid view shows a material's colour, not a vertex's."""
    mesh = bpy.data.meshes.new(name)
    for number in range(1, len(sketch.palette) + 1):
        flat = make_flat_material(f"{name} {number}")
        flat[_MARK] = True
        mesh.materials.append(flat)
    mesh["job"], mesh[_MARK] = job, 0
    mesh_data.fill(mesh, sketch)
    _paint(mesh, sketch)
    return mesh


def refresh(mesh: bpy.types.Mesh, sketch: Sketch) -> None:
    """Let the mesh be a newer sketch, as high as before and where it stood."""
    height, base = mesh_data.standing_of(mesh)
    mesh_data.fill(mesh, sketch.standing(height, base))
    _paint(mesh, sketch)
    note(mesh)


def growing_meshes() -> list[bpy.types.Mesh]:
    """All of this file."""
    return [mesh for mesh in bpy.data.meshes if grows(mesh) and mesh.library is None]


def grows(mesh: bpy.types.Mesh) -> bool:
    """Whether it is a coarse mesh."""
    return isinstance(mesh.get(_MARK), int) and isinstance(mesh.get("job"), str)


def is_new(mesh: bpy.types.Mesh) -> bool:
    """Whether this is the undo step that added it."""
    return bool(mesh[_MARK] == 0)


def note(mesh: bpy.types.Mesh) -> None:
    """From now on it is not new, and what it has now is not the artist's doing."""
    mesh[_MARK] = _sum(mesh)


def is_free(mesh: bpy.types.Mesh) -> bool:
    """Whether it can be replaced: a finished one, or a coarse one that the artist has not begun to work on."""
    if mesh.is_editmode or mesh.shape_keys is not None or not mesh.vertices:
        return False
    if any(thing.mode != "OBJECT" for thing in bpy.data.objects if thing.data == mesh):
        return False
    return not grows(mesh) or is_new(mesh) or bool(mesh[_MARK] == _sum(mesh))


def empty(mesh: bpy.types.Mesh) -> None:
    """Let nothing be seen of it."""
    mesh.clear_geometry()
    mesh.update()


def remove(mesh: bpy.types.Mesh) -> None:
    """Remove a mesh with the objects that use it, and those of its materials that nothing else uses."""
    flat = [item for item in mesh.materials if _is_flat(item)]
    things = [thing for thing in bpy.data.objects if thing.data == mesh]
    bpy.data.batch_remove([*things, mesh])
    bpy.data.batch_remove([item for item in flat if not item.users])


def _sum(mesh: bpy.types.Mesh) -> int:
    """Of its vertices' places, its colours and how many UV maps it has; never 0, and within Blender's integers."""
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    total = zlib.crc32(places.tobytes(), len(mesh.uv_layers))
    layers: Any = mesh.color_attributes
    for layer in layers:
        colors = np.empty(4 * len(layer.data), np.float32)
        layer.data.foreach_get("color", colors)
        total = zlib.crc32(colors.tobytes(), total)
    return total >> 1 or 1


def _is_flat(item: bpy.types.Material | None) -> bool:
    """Whether it is one of a growing mesh: a slot may be empty or hold one of the artist's."""
    return item is not None and item.get(_MARK) is not None


def _paint(mesh: bpy.types.Mesh, sketch: Sketch) -> None:
    """Solid view shows the palette."""
    colors = np.ones((len(sketch.palette), 4), np.float32)
    colors[:, :3] = srgb_to_linear(sketch.palette)
    for item, color in zip(mesh.materials, colors.tolist()):  # noqa: B905 - the artist may have taken some away
        if _is_flat(item):
            viewport_color: Any = color
            item.diffuse_color = viewport_color
