"""Signed-distance functions over batches of points: the building blocks of the catalogue's objects.

A shape maps Points (three tensors "B P": B objects, P points each) to distances "B P", negative inside. Sizes are
numbers or tensors "B 1", so that every object of a batch has proportions of its own. The formulas are the standard
ones (Quilez, "Distance functions"); those of ellipsoid and cone are bounds, good enough for sphere tracing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Size = float | Tensor
Corner = tuple[Size, Size, Size]


class Points(NamedTuple):
    """Coordinates "B P" of points in world units; Z is up, the front of an object faces -Y."""

    x: Tensor
    y: Tensor
    z: Tensor


Shape = Callable[[Points], Tensor]


def length(*components: Tensor) -> Tensor:
    """Euclidean length of a vector given by its components."""
    total = components[0] * components[0]
    for component in components[1:]:
        total = torch.addcmul(total, component, component)
    return total.sqrt()


def move(shape: Shape, x: Size = 0.0, y: Size = 0.0, z: Size = 0.0) -> Shape:
    """The shape with its origin at (x, y, z)."""
    return lambda p: shape(Points(p.x - x, p.y - y, p.z - z))


def tilt(shape: Shape, angle_deg: float, axis: str) -> Shape:
    """The shape turned about its own "x", "y" or "z" axis, counter-clockwise seen from the axis' tip."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))

    def turned(p: Points) -> Tensor:
        if axis == "x":
            return shape(Points(p.x, c * p.y + s * p.z, c * p.z - s * p.y))
        if axis == "y":
            return shape(Points(c * p.x - s * p.z, p.y, c * p.z + s * p.x))
        return shape(Points(c * p.x + s * p.y, c * p.y - s * p.x, p.z))

    return turned


def mirror_x(shape: Shape) -> Shape:
    """The half of the shape at x > 0, and its mirror image."""
    return lambda p: shape(Points(p.x.abs(), p.y, p.z))


def mirror_z(shape: Shape) -> Shape:
    """The half of the shape at z > 0, and its mirror image."""
    return lambda p: shape(Points(p.x, p.y, p.z.abs()))


def mirror_xy(shape: Shape) -> Shape:
    """The quarter of the shape at x, y > 0, mirrored to all four quarters: legs, wheels."""
    return lambda p: shape(Points(p.x.abs(), p.y.abs(), p.z))


def around_z(shape: Shape, count: int) -> Shape:
    """`count` copies of a shape near the +X axis, spread evenly about the Z axis."""
    sector = 2 * math.pi / count

    def repeated(p: Points) -> Tensor:
        angle = torch.atan2(p.y, p.x)
        angle = angle - sector * torch.round(angle / sector)
        radius = length(p.x, p.y)
        return shape(Points(radius * angle.cos(), radius * angle.sin(), p.z))

    return repeated


def row(shape: Shape, count: int, spacing: float, axis: str) -> Shape:
    """`count` copies of a shape in a row about the origin, along "x", "y" or "z"; it must fit into the spacing."""
    place, middle = "xyz".index(axis), (count - 1) / 2

    def repeated(p: Points) -> Tensor:
        along = p[place]
        nearest = (torch.round(along / spacing + middle).clamp(0, count - 1) - middle) * spacing
        return shape(Points(*(along - nearest if c == place else p[c] for c in range(3))))

    return repeated


def scale(shape: Shape, factor: Size) -> Shape:
    """The shape, larger or smaller about the origin."""
    return lambda p: shape(Points(p.x / factor, p.y / factor, p.z / factor)) * factor


def taper(shape: Shape, widening: float) -> Shape:
    """The shape, wider the higher up: at height z by 1 + widening * z (about the distance)."""

    def tapered(p: Points) -> Tensor:
        width = (1 + widening * p.z).clamp(min=0.4, max=1.6)
        return shape(Points(p.x / width, p.y / width, p.z)) * width.clamp(max=1.0)

    return tapered


def union(*shapes: Shape) -> Shape:
    """All of the shapes."""

    def nearest(p: Points) -> Tensor:
        distance = shapes[0](p)
        for shape in shapes[1:]:
            distance = torch.minimum(distance, shape(p))
        return distance

    return nearest


def blend(first: Shape, second: Shape, radius: float) -> Shape:
    """Both shapes with the seam between them filled smoothly over `radius`."""

    def smooth(p: Points) -> Tensor:
        a, b = first(p), second(p)
        h = (radius - (a - b).abs()).clamp(min=0) / radius
        return torch.minimum(a, b) - h.square() * (radius / 4)

    return smooth


def cut(shape: Shape, *removed: Shape) -> Shape:
    """The shape without the removed ones."""

    def rest(p: Points) -> Tensor:
        distance = shape(p)
        for other in removed:
            distance = torch.maximum(distance, -other(p))
        return distance

    return rest


def both(*shapes: Shape) -> Shape:
    """What all of the shapes have in common."""

    def farthest(p: Points) -> Tensor:
        distance = shapes[0](p)
        for shape in shapes[1:]:
            distance = torch.maximum(distance, shape(p))
        return distance

    return farthest


def below(height: Size) -> Shape:
    """Everything below a height."""
    return lambda p: p.z - height


def wedge(half_angle_deg: float) -> Shape:
    """Everything within an angle of the vertical half-plane that goes from the Z axis through +X."""
    c, s = math.cos(math.radians(half_angle_deg)), math.sin(math.radians(half_angle_deg))
    return lambda p: c * p.y.abs() - s * p.x


def sphere(radius: Size) -> Shape:
    """A ball about the origin."""
    return lambda p: length(p.x, p.y, p.z) - radius


def ellipsoid(x: Size, y: Size, z: Size) -> Shape:
    """Semi-axes x, y, z."""

    def distance(p: Points) -> Tensor:
        k0 = length(p.x / x, p.y / y, p.z / z)
        k1 = length(p.x / (x * x), p.y / (y * y), p.z / (z * z))
        return k0 * (k0 - 1) / k1.clamp(min=1e-6)

    return distance


def box(x: Size, y: Size, z: Size, bevel: float = 0.03) -> Shape:
    """Half-sizes x, y, z, edges rounded by `bevel` within them."""

    def distance(p: Points) -> Tensor:
        qx, qy, qz = p.x.abs() - x + bevel, p.y.abs() - y + bevel, p.z.abs() - z + bevel
        outside = length(qx.clamp(min=0), qy.clamp(min=0), qz.clamp(min=0))
        return outside + torch.maximum(qx, torch.maximum(qy, qz)).clamp(max=0) - bevel

    return distance


def cylinder(radius: Size, half_height: Size, bevel: float = 0.02, axis: str = "z") -> Shape:
    """A round bar along an axis, edges rounded by `bevel` within its size."""

    def distance(p: Points) -> Tensor:
        along, *across = {"z": (p.z, p.x, p.y), "x": (p.x, p.y, p.z), "y": (p.y, p.x, p.z)}[axis]
        r, h = length(*across) - radius + bevel, along.abs() - half_height + bevel
        return length(r.clamp(min=0), h.clamp(min=0)) + torch.maximum(r, h).clamp(max=0) - bevel

    return distance


def cone(bottom: Size, top: Size, half_height: Size, bevel: float = 0.02) -> Shape:
    """A truncated cone along Z with the two radii (a lower bound of the distance)."""

    def distance(p: Points) -> Tensor:
        share = (p.z / half_height).clamp(-1.5, 1.5) * 0.5 + 0.5
        slope = (bottom - top) / (2 * half_height)
        side = (length(p.x, p.y) - (bottom + (top - bottom) * share)) / (1 + slope * slope) ** 0.5 + bevel
        cap = p.z.abs() - half_height + bevel
        return length(side.clamp(min=0), cap.clamp(min=0)) + torch.maximum(side, cap).clamp(max=0) - bevel

    return distance


def torus(ring: Size, tube: Size, axis: str = "z") -> Shape:
    """A ring of radius `ring` in the plane across the axis, of thickness `tube`."""

    def distance(p: Points) -> Tensor:
        along, *across = {"z": (p.z, p.x, p.y), "x": (p.x, p.y, p.z), "y": (p.y, p.x, p.z)}[axis]
        return length(length(*across) - ring, along) - tube

    return distance


def roof(x: Size, y: Size, height: Size) -> Shape:
    """A gable roof: ridge along X at z = height, eaves at y = +-y and z = 0, half-length x."""

    def distance(p: Points) -> Tensor:
        norm = (height * height + y * y) ** 0.5
        slope = (height * p.y.abs() + y * p.z - y * height) / norm
        return torch.maximum(torch.maximum(slope, -p.z), p.x.abs() - x)

    return distance


def limb(start: Corner, end: Corner, radius: Size, end_radius: Size | None = None) -> Shape:
    """A bar with round ends between two places; its radius may change along it (about the distance)."""
    end_radius = radius if end_radius is None else end_radius
    bx, by, bz = (e - s for s, e in zip(start, end, strict=True))

    def distance(p: Points) -> Tensor:
        x, y, z = (c - s for c, s in zip(p, start, strict=True))
        share = ((x * bx + y * by + z * bz) / (bx * bx + by * by + bz * bz)).clamp(0, 1)
        return length(x - share * bx, y - share * by, z - share * bz) - (radius + share * (end_radius - radius))

    return distance


def arc(ring: Size, tube: Size, half_angle_deg: float, tip: Size | None = None, axis: str = "y") -> Shape:
    """Part of a torus about the "x" or "y" axis, its middle at the top; round ends, perhaps of another radius."""
    end, tip = math.radians(half_angle_deg), tube if tip is None else tip

    def distance(p: Points) -> Tensor:
        across, along = (p.x, p.y) if axis == "y" else (p.y, p.x)
        angle = torch.atan2(across, p.z).clamp(-end, end)
        radius = tube + (tip - tube) * (angle / end).square()
        return length(across - ring * angle.sin(), p.z - ring * angle.cos(), along) - radius

    return distance


def lathe(half_height: Size, *radii: Size) -> Shape:
    """A turned piece: its radius follows `radii`, evenly spaced from bottom to top, smoothly (about the distance).

    The curve is the quadratic B-spline of the radii, the first and the last of them doubled.
    """
    steepest = max(float(torch.as_tensor(b - a).abs().max()) for a, b in itertools.pairwise(radii))
    slope = steepest * (len(radii) - 1) / (2 * float(torch.as_tensor(half_height).min()))

    def distance(p: Points) -> Tensor:
        place = (p.z / half_height).clamp(-1, 1) * ((len(radii) - 1) / 2) + (len(radii) - 1) / 2
        radius = torch.zeros_like(p.z)
        for number, knot in enumerate((radii[0], *radii, radii[-1]), start=-1):
            far = (place - number).abs()
            radius = radius + knot * ((1.5 - far).clamp(min=0).square() / 2 - (0.5 - far).clamp(min=0).square() * 1.5)
        side = (length(p.x, p.y) - radius) / (1 + slope * slope) ** 0.5
        cap = p.z.abs() - half_height
        return length(side.clamp(min=0), cap.clamp(min=0)) + torch.maximum(side, cap).clamp(max=0)

    return distance
