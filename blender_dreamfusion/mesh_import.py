"""Puts a finished job's mesh into the scene. Main thread only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import compat
from .colors import srgb_to_linear
from .mesh_file import MeshData, read_mesh
from .workspaces import Details

ROUGHNESS = 0.6


def add_object(context: bpy.types.Context, mesh_path: Path, texture_path: Path, details: Details) -> bpy.types.Object:
    """Add the object at the 3D cursor, standing on it, selected and active.

    Raises MeshFileError where the mesh cannot be used and RuntimeError where the texture cannot be read; the scene
    is then as it was.
    """
    data = read_mesh(mesh_path).on_ground()
    with _all_or_nothing():
        image = _load_texture(texture_path, details.prompt)
        mesh = _make_mesh(details.prompt, data)
        mesh.materials.append(_make_material(details.prompt, image, data))
        thing = bpy.data.objects.new(details.prompt, mesh)
        thing.location = context.scene.cursor.location
        thing["prompt"], thing["seed"], thing["model"] = details.prompt, details.seed, details.model
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
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", data.uv.ravel())
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


def _load_texture(path: Path, name: str) -> Any:
    """The picture, packed into the .blend, so that the job's folder may go."""
    image: Any = bpy.data.images.load(str(path), check_existing=False)
    if not image.size[0]:
        raise RuntimeError(f"{path} is no readable picture: generate again.")
    image.name = name
    with contextlib.suppress(TypeError):  # a colour configuration of the user's without that name
        image.colorspace_settings.name = "sRGB"
    image.pack()
    return image


def _make_material(name: str, image: Any, data: MeshData) -> bpy.types.Material:
    """A Principled BSDF with the texture as its base colour; solid view shows the mean colour."""
    material = bpy.data.materials.new(name)
    tree = compat.use_nodes(material)
    shader: Any = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = ROUGHNESS
    texture: Any = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.location = (shader.location.x - 300, shader.location.y)
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    mean_color: Any = (*srgb_to_linear(data.colors.mean(axis=0)).tolist(), 1.0)
    material.diffuse_color = mean_color
    material.roughness = ROUGHNESS
    return material


def _link_and_select(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    """Into the active collection, unless that is hidden or of a library: then the scene's own."""
    layer = context.view_layer.active_layer_collection
    usable = layer.is_visible and not layer.exclude and layer.collection.library is None
    (layer.collection if usable else context.scene.collection).objects.link(thing)
    for other in context.selected_objects:
        other.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing
