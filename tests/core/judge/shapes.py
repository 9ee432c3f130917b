"""Meshes whose truth is known: a box, a ball, a ball with a texture."""

import numpy as np

from core.mesh import Mesh
from core.unwrap import triangle_atlas


def box(half=(0.5, 0.5, 0.5), center=(0, 0, 0)):
    """12 triangles, counter-clockwise from outside."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]
    return Mesh(corners * np.float32(half) + np.float32(center), np.int32(faces))


def ball(radius, rings=48):
    """A ball of latitude and longitude."""
    polar = np.linspace(0, np.pi, rings + 1)[1:-1]
    around = np.arange(2 * rings) * np.pi / rings
    grid = [
        [[np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)] for a in around] for p in polar
    ]  # north to south
    vertices = np.concatenate([np.reshape(grid, (-1, 3)), [[0, 0, 1], [0, 0, -1]]])
    count, north, south = len(around), len(vertices) - 2, len(vertices) - 1
    faces = []
    for i in range(count):
        j = (i + 1) % count
        faces += [(north, i, j), (south, len(vertices) - 2 - count + j, len(vertices) - 2 - count + i)]
        for ring in range(len(polar) - 1):
            a, b = ring * count, (ring + 1) * count
            faces += [(a + i, b + i, b + j), (a + i, b + j, a + j)]
    return Mesh((radius * vertices).astype(np.float32), np.int32(faces))


def painted_ball(rings=12):
    """Each triangle has its own place in a texture of smooth noise."""
    plain = ball(0.6, rings)
    coarse = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    return Mesh(
        plain.vertices, plain.faces, triangle_atlas(len(plain.faces), 64), texture=coarse.repeat(4, 0).repeat(4, 1)
    )
