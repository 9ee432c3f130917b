"""Meshes as files. This is the only place where axes and colours change their meaning.

    npz, PLY    world axes: Z up, front -Y
    GLB, OBJ    Y up, front +Z, as their readers expect: (x, y, z) becomes (x, z, -y)

Colours are sRGB in pictures, in the npz and in PLY, and linear in glTF's COLOR_0. Texture coordinates start at the
bottom left (Blender, OBJ), in glTF at the top left. Every file is replaced whole or not at all.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import numpy.typing as npt

from core.config import MESH_FORMATS
from core.errors import InputError
from core.files import write_atomic
from core.mesh import Mesh
from core.pixels import to_pixels, to_png
from core.surface import Floats, vertex_normals
from core.tangents import corner_tangents

ROUGHNESS = 0.6
_FLOAT, _UINT32 = 5126, 5125  # glTF component types
_VERTICES, _INDICES = 34962, 34963  # glTF buffer targets
_SAMPLER = {"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}  # linear, mipmaps, clamped
_PICTURES = {"texture": "albedo.png", "normal_map": "normal.png"}  # of a Mesh, beside its mesh.npz and mesh.obj


def save_mesh(mesh: Mesh, folder: Path) -> None:
    """Write mesh.npz, mesh.glb, mesh.obj, mesh.mtl, albedo.png and, where there is one, normal.png into `folder`."""
    with contextlib.suppress(FileNotFoundError):  # a job whose folder is gone is told so below, and not made again
        folder.mkdir(exist_ok=True)
    write_atomic(folder / "mesh.npz", to_npz(mesh))
    export(mesh, "glb", folder / "mesh.glb")
    export(mesh, "obj", folder / "mesh.obj")


def export(mesh: Mesh, format: str, path: Path) -> None:
    """Write the mesh as "glb", "obj" or "ply" to `path`.

    An OBJ file gets its material and its pictures beside it: mesh.obj, mesh.mtl, albedo.png and normal.png, or for
    another name burger.obj, burger.mtl, burger_albedo.png and burger_normal.png. PLY has vertex colours alone.

    Raises InputError for another format, DreamFusionError where the file cannot be written.
    """
    if format == "glb":
        write_atomic(path, to_glb(mesh))
    elif format == "ply":
        write_atomic(path, to_ply(mesh))
    elif format == "obj":
        _write_obj(mesh, path)
    else:
        raise InputError(f"Unknown mesh format {format!r}: choose one of {', '.join(MESH_FORMATS)}.")


def load_npz(path: Path) -> Mesh:
    """The mesh of a mesh.npz, with the pictures beside it. Raises InputError where something is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as data:
            parts = {name: data[name] for name in ("vertices", "faces", "uv", "colors") if name in data}
        for name, file in _PICTURES.items():
            picture = path.with_name(file)
            if picture.exists():
                parts[name] = imageio.imread(picture)[..., :3].astype(np.float32) / 255
        return Mesh(**parts)
    except FileNotFoundError as error:
        raise InputError(f"There is no mesh in {path.parent}: the job has not finished.") from error
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged: resume the job to write it again.") from error


def to_npz(mesh: Mesh) -> bytes:
    """vertices, faces, uv and colors as in :class:`core.mesh.Mesh`; what is None is left out."""
    named = {"vertices": mesh.vertices, "faces": mesh.faces, "uv": mesh.uv, "colors": mesh.colors}
    arrays: dict[str, Any] = {name: array for name, array in named.items() if array is not None}
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def srgb_to_linear(color: Floats) -> Floats:
    """Display-referred sRGB to linear light, any shape (IEC 61966-2-1)."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def to_glb(mesh: Mesh) -> bytes:
    """One binary glTF 2.0 file with normals, texture coordinates and pictures; with a normal map also its tangents.

    glTF multiplies vertex colours with the texture, so COLOR_0 is written only where there is no texture.
    """
    corner, indices = _split_seams(mesh)
    source = mesh.faces.ravel()[corner]
    glb = _Glb()
    attributes = {
        "POSITION": glb.add(_y_up(mesh.vertices)[source], "VEC3", bounds=True),
        "NORMAL": glb.add(_y_up(vertex_normals(mesh.vertices, mesh.faces))[source], "VEC3"),
    }
    if mesh.uv is not None:
        u, v = mesh.uv.reshape(-1, 2)[corner].T
        attributes["TEXCOORD_0"] = glb.add(np.stack([u, 1 - v], axis=1), "VEC2")
    if mesh.colors is not None and mesh.texture is None:
        attributes["COLOR_0"] = glb.add(srgb_to_linear(mesh.colors)[source], "VEC3")
    if mesh.uv is not None and mesh.normal_map is not None:
        tangents = corner_tangents(mesh.vertices, mesh.faces, mesh.uv).reshape(-1, 4)[corner]
        attributes["TANGENT"] = glb.add(np.hstack([_y_up(tangents[:, :3]), tangents[:, 3:]]), "VEC4")
    surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
    material: dict[str, Any] = {"name": "DreamFusion", "pbrMetallicRoughness": surface, "doubleSided": False}
    if mesh.texture is not None:
        surface["baseColorTexture"] = {"index": glb.add_picture(mesh.texture)}
    if mesh.normal_map is not None:
        material["normalTexture"] = {"index": glb.add_picture(mesh.normal_map)}
    primitive = {"attributes": attributes, "indices": glb.add(indices, "SCALAR"), "material": 0}
    return glb.pack(
        {
            "asset": {"version": "2.0", "generator": "DreamFusion for Blender"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "DreamFusion"}],
            "meshes": [{"primitives": [primitive]}],
            "materials": [material],
        }
    )


class _Glb:
    """Collects binary data and what the JSON part says of it."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._views: list[dict[str, int]] = []
        self._accessors: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []

    def add(self, array: npt.NDArray[Any], kind: str, bounds: bool = False) -> int:
        """An accessor's index; float32 for vertices, uint32 for indices."""
        indices = array.dtype == np.uint32
        accessor: dict[str, Any] = {
            "bufferView": self.add_view(array.tobytes(), _INDICES if indices else _VERTICES),
            "componentType": _UINT32 if indices else _FLOAT,
            "count": len(array),
            "type": kind,
        }
        if bounds:
            accessor |= {"min": array.min(axis=0).tolist(), "max": array.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def add_view(self, data: bytes, target: int | None = None) -> int:
        """A buffer view's index."""
        view = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        self._views.append(view if target is None else view | {"target": target})
        self._data += data + bytes(-len(data) % 4)
        return len(self._views) - 1

    def add_picture(self, picture: Floats) -> int:
        """The index of a texture that shows a picture (H, W, 3) in [0, 1]."""
        self._images.append({"bufferView": self.add_view(to_png(to_pixels(picture))), "mimeType": "image/png"})
        return len(self._images) - 1

    def pack(self, document: dict[str, Any]) -> bytes:
        """The file: a header, the JSON chunk and the binary chunk, each padded to four bytes."""
        lists = {"bufferViews": self._views, "accessors": self._accessors, "buffers": [{"byteLength": len(self._data)}]}
        if self._images:
            lists |= {"images": self._images, "samplers": [_SAMPLER]}
            lists["textures"] = [{"source": index, "sampler": 0} for index in range(len(self._images))]
        text = json.dumps(document | lists, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._data), b"BIN\0") + self._data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _split_seams(mesh: Mesh) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """glTF has one texture coordinate a vertex: the corner (of 3F) that each new vertex comes from, and its indices."""
    vertex = mesh.faces.reshape(-1, 1)
    uv = np.zeros((len(vertex), 2), np.float32) if mesh.uv is None else mesh.uv.reshape(-1, 2)
    _, corner, indices = np.unique(np.hstack([vertex, uv]), axis=0, return_index=True, return_inverse=True)
    return corner, indices.ravel().astype(np.uint32)


def _write_obj(mesh: Mesh, path: Path) -> None:
    """The material and the pictures first, so that an OBJ file never names what is not there."""
    material, prefix = path.with_suffix(".mtl"), "" if path.stem == "mesh" else f"{path.stem}_"
    lines = ["newmtl DreamFusion", "Ka 0 0 0", "Kd 1 1 1", "Ks 0.04 0.04 0.04", "Ns 50", "d 1", "illum 2"]
    for name, entry in (("texture", "map_Kd"), ("normal_map", "norm")):
        picture: Floats | None = getattr(mesh, name)
        if picture is not None:
            file = path.with_name(prefix + _PICTURES[name])
            write_atomic(file, to_png(to_pixels(picture)))
            lines.append(f"{entry} {file.name}")
    write_atomic(material, ("\n".join(lines) + "\n").encode())
    write_atomic(path, _obj_text(mesh, material.name).encode())


def _obj_text(mesh: Mesh, material: str) -> str:
    lines = ["# DreamFusion for Blender", f"mtllib {material}", "o DreamFusion"]
    lines += _obj_rows("v", _y_up(mesh.vertices))
    lines += _obj_rows("vn", _y_up(vertex_normals(mesh.vertices, mesh.faces)))
    lines += ["usemtl DreamFusion", "s 1"]
    if mesh.uv is None:
        lines += ["f " + " ".join(f"{v}//{v}" for v in face) for face in (mesh.faces + 1).tolist()]
    else:
        uv, index = np.unique(mesh.uv.reshape(-1, 2), axis=0, return_inverse=True)
        lines += _obj_rows("vt", uv)
        corners = np.stack([mesh.faces, index.reshape(-1, 3)], axis=-1) + 1
        lines += ["f " + " ".join(f"{v}/{vt}/{v}" for v, vt in face) for face in corners.tolist()]
    return "\n".join(lines) + "\n"


def _obj_rows(tag: str, values: Floats) -> list[str]:
    return [" ".join([tag, *(f"{value:.6f}" for value in row)]) for row in values.tolist()]


def to_ply(mesh: Mesh) -> bytes:
    """Binary PLY in world axes, with normals and vertex colours (sRGB bytes; white where the mesh has none)."""
    axes = ("x", "y", "z", "nx", "ny", "nz")
    fields: list[Any] = [(name, "<f4") for name in axes]
    colors = mesh.colors if mesh.colors is not None else np.ones_like(mesh.vertices)
    channels = ("red", "green", "blue")
    vertices = np.zeros(len(mesh.vertices), fields + [(name, "u1") for name in channels])
    placed = np.hstack([mesh.vertices, vertex_normals(mesh.vertices, mesh.faces)])
    for column, name in enumerate(axes):
        vertices[name] = placed[:, column]
    for column, name in enumerate(channels):
        vertices[name] = to_pixels(colors)[:, column]
    faces = np.zeros(len(mesh.faces), [("count", "u1"), ("index", "<i4", 3)])
    faces["count"], faces["index"] = 3, mesh.faces
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property float {name}" for name in axes] + [f"property uchar {name}" for name in channels]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    return ("\n".join(header) + "\n").encode() + vertices.tobytes() + faces.tobytes()


def _y_up(vectors: Floats) -> Floats:
    """World (x, y, z) with Z up to (x, z, -y) with Y up: what faced -Y now faces +Z."""
    x, y, z = vectors.T
    return np.stack([x, z, -y], axis=1)
