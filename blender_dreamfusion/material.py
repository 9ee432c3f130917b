"""The object's material and its pictures. Main thread only."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from . import compat
from .colors import srgb_to_linear
from .language import say

ROUGHNESS = 0.6
UV_MAP = "UVMap"
COLORS = "Color"  # the colour attribute


def make_material(
    name: str, texture_path: Path, normal_map_path: Path, mean_color: NDArray[np.float32]
) -> bpy.types.Material:
    """A Principled BSDF with the texture as its base colour and, where the file is there, a normal map.

    `mean_color` (3,), display-referred sRGB, is what solid view shows. Raises RuntimeError where a picture cannot be
    read.
    """
    material = bpy.data.materials.new(name)
    tree = compat.use_nodes(material)
    shader: Any = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = ROUGHNESS
    texture = _add_picture(tree, shader, texture_path, name, "sRGB", (-300, 0))
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    if normal_map_path.exists():
        _add_normal_map(tree, shader, normal_map_path, f"{name} Normal")
    viewport_color: Any = (*srgb_to_linear(mean_color).tolist(), 1.0)
    material.diffuse_color = viewport_color
    material.roughness = ROUGHNESS
    return material


def make_flat_material(name: str) -> bpy.types.Material:
    """A Principled BSDF with the colour attribute as its base colour."""
    material = bpy.data.materials.new(name)
    tree = compat.use_nodes(material)
    shader: Any = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = material.roughness = ROUGHNESS
    node: Any = tree.nodes.new("ShaderNodeVertexColor")
    node.layer_name = COLORS
    node.location = (shader.location.x - 200, shader.location.y)
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material


def renew_pictures(texture_path: Path, normal_map_path: Path, mean_color: NDArray[np.float32]) -> None:
    """Read the pictures again that came from these files, wherever they are used. Raises as make_material does."""
    olds = {path: _pictures_from(path) for path in (texture_path, normal_map_path) if path.exists()}
    news = {path: _load(path, path.stem, images[0].colorspace_settings.name) for path, images in olds.items() if images}
    viewport_color: Any = (*srgb_to_linear(mean_color).tolist(), 1.0)
    for path, new in news.items():
        name = olds[path][0].name
        for old in olds[path]:
            old.user_remap(new)
            bpy.data.images.remove(old)
        new.name = name
    for material in bpy.data.materials:
        nodes: Any = material.node_tree.nodes if material.node_tree else ()
        if any(node.type == "TEX_IMAGE" and node.image == news.get(texture_path, ...) for node in nodes):
            material.diffuse_color = viewport_color


def _pictures_from(path: Path) -> list[Any]:
    """The images that were read from this file, wherever the folder for jobs was then."""
    parts = path.parts[-3:]  # the job's folder, mesh, the picture
    images = [image for image in bpy.data.images if image.filepath and image.library is None]
    return [image for image in images if Path(bpy.path.abspath(image.filepath)).parts[-3:] == parts]


def _add_normal_map(tree: bpy.types.NodeTree, shader: Any, path: Path, name: str) -> None:
    """Tangent space, green up: Blender's own convention and the trainer's."""
    texture = _add_picture(tree, shader, path, name, "Non-Color", (-500, -300))
    node: Any = tree.nodes.new("ShaderNodeNormalMap")
    node.uv_map = UV_MAP
    node.location = (shader.location.x - 200, shader.location.y - 300)
    tree.links.new(texture.outputs["Color"], node.inputs["Color"])
    tree.links.new(node.outputs["Normal"], shader.inputs["Normal"])


def _add_picture(
    tree: bpy.types.NodeTree, shader: Any, path: Path, name: str, colorspace: str, offset: tuple[int, int]
) -> Any:
    """An Image Texture node that lies at `offset` from the shader."""
    node: Any = tree.nodes.new("ShaderNodeTexImage")
    node.image = _load(path, name, colorspace)
    node.location = (shader.location.x + offset[0], shader.location.y + offset[1])
    return node


def _load(path: Path, name: str, colorspace: str) -> Any:
    """The picture, packed into the .blend, so that the job's folder may go."""
    image: Any = None
    with contextlib.suppress(RuntimeError):  # which says not what to do
        image = bpy.data.images.load(str(path), check_existing=False)
    if image is None or not image.size[0]:
        raise RuntimeError(say("{path} is no readable picture: generate again.", path=path))
    image.name = name
    with contextlib.suppress(TypeError):  # a colour configuration of the user's without that name
        image.colorspace_settings.name = colorspace
    image.pack()
    return image
