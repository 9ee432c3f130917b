"""A ball with bumps that a coarse mesh cannot show, and its normals in closed form."""

import numpy as np
import torch

RADIUS, HEIGHT, WAVES = 0.6, 0.012, 18.0


def bumps(x):
    """Zero on the surface, below it inside."""
    return x.norm(dim=-1) - RADIUS - HEIGHT * torch.sin(WAVES * x).sum(dim=-1)


def gradient(points):
    """Of `bumps`, written out."""
    return points / np.linalg.norm(points, axis=1, keepdims=True) - HEIGHT * WAVES * np.cos(WAVES * points)


def on_surface(points):
    """The places of the surface of `bumps` next to points near it."""
    for _ in range(4):
        value = np.linalg.norm(points, axis=1) - RADIUS - HEIGHT * np.sin(WAVES * points).sum(axis=1)
        slope = gradient(points)
        points = points - (value / (slope**2).sum(axis=1))[:, None] * slope
    return points


def true_normals(points):
    slope = gradient(on_surface(points))
    return slope / np.linalg.norm(slope, axis=1, keepdims=True)


def degrees(one, other):
    return np.degrees(np.arccos((one * other).sum(axis=1).clip(-1, 1)))
