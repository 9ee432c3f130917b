"""From a density field to a closed triangle mesh with texture coordinates.

    density on a lattice -> level of the surface -> solid (floaters and cavities gone) -> marching cubes
                         -> smoothing -> decimation -> unwrap -> normal map

The result is watertight: the solid's outermost samples are empty, and every later step keeps edges paired.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.measure import marching_cubes

from core.config import MeshConfig
from core.errors import DreamFusionError
from core.field import Field
from core.normal_map import bake_normals
from core.occupancy import OccupancyGrid
from core.surface import Bools, Floats, Ints, decimate, smooth
from core.unwrap import unwrap

MIN_FACES = 2_000  # a surface of fewer is marched again on a finer lattice
CHUNK = 1 << 17  # positions asked of the field at once

_NOTHING = 1e-6  # a density below this everywhere is an empty field
_SEEN_SHARE = 0.3  # of the seen density; where pictures of the mesh match those of soft fields best
_BLUR = 0.7  # standard deviation in samples: takes off steps and fur, keeps what is two samples wide
_CLEARANCE = 0.02  # no sample is closer to the level than this, so marching cubes makes no slivers
_SMALL_PART = 0.02  # parts below this share of the largest part's volume are floaters
_REFINEMENTS = 4


@dataclass(frozen=True)
class Mesh:
    """A closed triangle mesh in world axes (Z up, front -Y), counter-clockwise seen from outside.

    Texture coordinates belong to face corners, so that a seam does not split a vertex. Their origin is the bottom
    left of the picture, as in Blender and OBJ: a texture's row 0 is its top, at v = 1. Colours are sRGB in [0, 1].
    """

    vertices: Floats  # (V, 3) float32
    faces: Ints  # (F, 3) int32
    uv: Floats | None = None  # (F, 3, 2), in [0, 1], without overlaps
    colors: Floats | None = None  # (V, 3)
    texture: Floats | None = None  # (H, W, 3)
    normal_map: Floats | None = None  # (H, W, 3) in [0, 1]; see core.normal_map


@dataclass(frozen=True)
class Lattice:
    """Samples of a scalar: values[i, j, k] belongs to the point ``origin + spacing * (i, j, k)``."""

    values: Floats  # (X, Y, Z)
    origin: Floats  # (3,)
    spacing: float


def extract_mesh(
    field: Field,
    config: MeshConfig,
    occupancy: OccupancyGrid | None = None,
    say: Callable[[str], None] = warnings.warn,
) -> Mesh:
    """The surface of `field` in at most `config.faces` faces, with texture coordinates for `config.texture_size`.

    Where the settings ask for a normal map, it holds the shape that was there before decimation.
    Where `occupancy` says that nothing is, the field is not asked. `say` hears lines for the user. Raises
    DreamFusionError where the field is empty.
    """
    solid, fine_vertices, fine_faces = _march_field(field, config.resolution, occupancy)
    vertices, faces = _reduce(solid, fine_vertices, fine_faces, config.faces)
    uv = unwrap(vertices, faces, config.texture_size, say=say)
    mesh = Mesh(vertices, faces, uv)
    if not config.normal_map:
        return mesh
    baked = bake_normals(fine_vertices, fine_faces, vertices, faces, uv, config.texture_size)
    return dataclasses.replace(mesh, normal_map=baked)


def extract_surface(field: Field, config: MeshConfig, occupancy: OccupancyGrid | None = None) -> tuple[Floats, Ints]:
    """:func:`extract_mesh` without texture coordinates: vertices (V, 3) and faces (F, 3)."""
    return _reduce(*_march_field(field, config.resolution, occupancy), config.faces)


def _march_field(field: Field, resolution: int, occupancy: OccupancyGrid | None) -> tuple[Lattice, Floats, Ints]:
    """The solid and its whole surface, on a finer lattice where that has too few faces."""
    box = np.array([[-1.0] * 3, [1.0] * 3])
    lattice = sample_density(field, box, 2.0 / (resolution - 1), occupancy)
    level = surface_level(lattice)
    solid = solidify(lattice, level)
    vertices, faces = march(solid)
    for _ in range(_REFINEMENTS):
        if len(faces) >= MIN_FACES:
            break
        margin = 3 * solid.spacing
        box = np.stack([vertices.min(axis=0) - margin, vertices.max(axis=0) + margin])
        spacing = solid.spacing * (len(faces) / (2 * MIN_FACES)) ** 0.5
        solid = solidify(sample_density(field, box, spacing, occupancy), level)
        vertices, faces = march(solid)
    return solid, vertices, faces


def sample_density(
    field: Field, box: npt.NDArray[np.float64], spacing: float, occupancy: OccupancyGrid | None = None
) -> Lattice:
    """The density in a box (2, 3) of lower and upper corner; the outermost samples are 0."""
    shape = tuple(np.ceil((box[1] - box[0]) / spacing - 1e-6).astype(int) + 1)
    values = np.zeros(shape, np.float32)
    x, y, z = (box[0, axis] + spacing * np.arange(1, shape[axis] - 1) for axis in range(3))
    many = max(1, CHUNK // (len(y) * len(z)))  # layers at once
    for start in range(0, len(x), many):
        layers = x[start : start + many]
        points = np.stack(np.meshgrid(layers, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
        density = density_at(field, points.astype(np.float32), occupancy)
        values[start + 1 : start + 1 + len(layers), 1:-1, 1:-1] = density.reshape(len(layers), len(y), len(z))
    return Lattice(values, box[0].astype(np.float32), spacing)


@torch.no_grad()
def density_at(field: Field, points: Floats, occupancy: OccupancyGrid | None = None) -> Floats:
    """The density (S,) at points (S, 3): 0 outside [-1, 1]^3, in unoccupied cells, and where it is not finite."""
    result = np.zeros(len(points), np.float32)
    for start in range(0, len(points), CHUNK):
        part = torch.as_tensor(points[start : start + CHUNK], device=device_of(field))
        known = (part.abs() <= 1).all(dim=1)
        if occupancy is not None:
            known &= occupancy.is_occupied(part)
        density = torch.zeros(len(part), device=part.device)
        density[known] = field.density(part[known]).float().nan_to_num(0, 0, 0).clamp(min=0)
        result[start : start + CHUNK] = density.cpu().numpy()
    return result


def device_of(field: Field) -> torch.device:
    """Where the field computes."""
    return next((parameter.device for parameter in field.parameters()), torch.device("cpu"))


def surface_level(lattice: Lattice) -> float:
    """A fixed share of the density that the renderer sees: the mean over parallel rays, weighted as in compositing.

    Along each lattice line, from both ends, sample i has the weight w_i = T_i (1 - exp(-density_i * spacing)) of
    volume rendering. That mean lies on the flank of a sharp surface, near the half-opaque depth of a soft one, and
    never above the maximum of any field, however faint. Rays that only graze a soft surface see it further out, so
    the share is below one. Raises DreamFusionError where there is nothing.
    """
    if lattice.values.max(initial=0) < _NOTHING:
        raise DreamFusionError("The field is empty, there is no surface to extract: try another seed or more epochs.")
    seen = total = 0.0
    for axis in range(3):
        lines = np.moveaxis(lattice.values, axis, 0)[:, ::2, ::2].astype(np.float64)
        for density in (lines, lines[::-1]):
            depth = density * lattice.spacing
            before = np.cumsum(depth, axis=0) - depth
            weights = -np.exp(-before) * np.expm1(-depth)
            seen += float((weights * density).sum())
            total += float(weights.sum())
    if total == 0.0:  # so thin that no ray meets it
        return _SEEN_SHARE * float(lattice.values.max())
    return _SEEN_SHARE * seen / total


def solidify(lattice: Lattice, level: float) -> Lattice:
    """Values in [0, 1], above 0.5 inside the solid, without floaters and without cavities that nobody can see."""
    bounded = (lattice.values / np.float32(2 * level)).clip(0, 1)
    blurred = ndimage.gaussian_filter(bounded, _BLUR)
    values = blurred if blurred.max() > 0.5 + _CLEARANCE else bounded  # a lone sample would be blurred away
    for axis in range(3):
        np.moveaxis(values, axis, 0)[[0, -1]] = 0
    inside = values > 0.5
    values = np.where(inside, values.clip(0.5 + _CLEARANCE), values.clip(None, 0.5 - _CLEARANCE))
    large = _large_parts(inside)
    filled = ndimage.binary_fill_holes(large)
    values[inside & ~large] = 0
    values[filled & ~large] = 1
    return Lattice(values, lattice.origin, lattice.spacing)


def march(solid: Lattice) -> tuple[Floats, Ints]:
    """The surface where the solid's values pass 0.5, smoothed."""
    vertices, faces, _, _ = marching_cubes(solid.values, 0.5, gradient_direction="ascent")
    faces = faces.astype(np.int32)
    vertices = smooth(vertices.astype(np.float32), faces) * np.float32(solid.spacing) + solid.origin
    return vertices.clip(-1, 1), faces


def _large_parts(inside: Bools) -> Bools:
    """The connected parts (corners touch) that are no floaters."""
    label, _ = ndimage.label(inside, structure=np.ones((3, 3, 3)))
    size = np.bincount(label.ravel())
    size[0] = 0
    large: Bools = (size >= _SMALL_PART * size.max())[label] & inside
    return large


def _reduce(solid: Lattice, vertices: Floats, faces: Ints, limit: int) -> tuple[Floats, Ints]:
    """Decimate; where that tears the surface (foam), march on coarser lattices until there is less to take off."""
    result = decimate(vertices, faces, limit)
    while result is None:
        solid = _coarser(solid, factor=0.8)
        vertices, faces = march(solid)
        result = decimate(vertices, faces, limit)
    return result


def _coarser(solid: Lattice, factor: float) -> Lattice:
    """The same solid with `factor` < 1 times the samples along a side."""
    blurred = ndimage.gaussian_filter(solid.values, 0.5 / factor)
    shape = tuple(int(np.ceil((count - 1) * factor)) + 1 for count in solid.values.shape)
    values = ndimage.affine_transform(blurred, np.full(3, 1 / factor), output_shape=shape, order=1)
    return solidify(Lattice(values, solid.origin, solid.spacing / factor), level=0.5)
