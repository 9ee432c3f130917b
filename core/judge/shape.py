"""How near a mesh comes to the true shape of its concept: Chamfer distance and F-score (Knapitsch et al. 2017).

A concept is a range of proportions, so the mesh is compared with several random ones and the best counts. Before
that, its centre and its scale are made those of the true shape: nobody asked for either.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from core.judge.raster import Doubles
from core.mesh import Mesh
from core.starter.catalogue import CONCEPTS
from core.starter.concept import Draw
from core.starter.shapes import Points
from core.surface import Floats, Ints, face_normals

DRAWS = 12  # random proportions that a mesh is compared with
DISTANCE = 0.05  # of the F-score, in world units: objects are about 1.5 tall
SAMPLES = 20_000  # points on a surface
_RESOLUTION = 80  # samples of the signed distance along a side
_HALF_SIDE = 1.05  # of the cube that holds every object


@dataclass(frozen=True)
class ShapeScore:
    """How near two surfaces are."""

    chamfer: float  # mean distance from a point of one to the other, mean of both ways; world units
    f_score: float  # harmonic mean of the shares of points within DISTANCE of the other, both ways


def compare(mesh: Mesh, concept: int) -> ShapeScore:
    """The best score (by F-score, then Chamfer distance) against DRAWS random objects of the concept."""
    points = sample_surface(mesh.vertices, mesh.faces)
    scores = [score(align(points, truth), truth) for truth in truth_points(concept)]
    return max(scores, key=lambda one: (one.f_score, -one.chamfer))


def score(one: Doubles, other: Doubles) -> ShapeScore:
    """Of points (N, 3) against points (M, 3)."""
    there, back = cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]
    precision, recall = (there < DISTANCE).mean(), (back < DISTANCE).mean()
    f_score = 2 * precision * recall / max(precision + recall, 1e-12)
    return ShapeScore(float((there.mean() + back.mean()) / 2), float(f_score))


def align(points: Doubles, truth: Doubles) -> Doubles:
    """The points moved and scaled so that their mean and their mean square distance from it are those of the truth."""
    centre, true_centre = points.mean(axis=0), truth.mean(axis=0)
    size, true_size = (np.sqrt(((p - c) ** 2).sum(axis=1).mean()) for p, c in ((points, centre), (truth, true_centre)))
    aligned: Doubles = (points - centre) * (true_size / max(size, 1e-12)) + true_centre
    return aligned


def sample_surface(vertices: Floats, faces: Ints, count: int = SAMPLES) -> Doubles:
    """Points (count, 3) spread evenly over the surface; always the same for the same mesh."""
    rng = np.random.default_rng(0)
    area = np.linalg.norm(face_normals(vertices, faces).astype(np.float64), axis=1)
    steps = (np.arange(count) + rng.random(count)) / count  # stratified: a part of the surface gets its share
    face = np.searchsorted(np.cumsum(area), steps * area.sum()).clip(0, len(faces) - 1)
    a, b = np.sqrt(rng.random(count)), rng.random(count)
    share = np.stack([1 - a, a * (1 - b), a * b], axis=1)
    points: Doubles = np.einsum("kc,kcx->kx", share, vertices[faces[face]].astype(np.float64))
    return points


@functools.cache
def truth_points(concept: int) -> tuple[Doubles, ...]:
    """Points on DRAWS random objects of the concept."""
    meshes = [truth_mesh(concept, seed) for seed in range(DRAWS)]
    return tuple(sample_surface(mesh.vertices, mesh.faces) for mesh in meshes)


def truth_mesh(concept: int, seed: int, resolution: int = _RESOLUTION) -> Mesh:
    """The surface of one random object, where its signed distance passes zero."""
    parts = CONCEPTS[concept].parts(Draw(1, torch.Generator().manual_seed(seed)))
    axis = torch.linspace(-_HALF_SIDE, _HALF_SIDE, resolution)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    slabs = [Points(*(v.reshape(1, -1) for v in slab)) for slab in zip(x, y, z, strict=True)]
    distance = torch.cat([torch.stack([part.shape(slab) for part in parts]).amin(0) for slab in slabs])
    vertices, faces, _, _ = marching_cubes(distance.reshape(x.shape).numpy(), 0.0, gradient_direction="descent")
    spacing = 2 * _HALF_SIDE / (resolution - 1)
    return Mesh((vertices * spacing - _HALF_SIDE).astype(np.float32), faces.astype(np.int32))
