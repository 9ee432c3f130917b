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
