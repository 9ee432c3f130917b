"""What is built; doors are at -Y."""

from __future__ import annotations

from core.starter.colors import BLACK, CHOCOLATE, COLORS, CREAM, GLASS, LIGHT, METAL, SLATE, WHITE, WOOD
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    Shape,
    Size,
    around_z,
    both,
    box,
    cone,
    cut,
    cylinder,
    ellipsoid,
    mirror_x,
    mirror_xy,
    move,
    roof,
    row,
    scale,
    tilt,
    union,
)


def house(draw: Draw) -> list[Part]:
    """Walls in the main colour, gable roof, door and windows on the front, a chimney."""
    x, y = draw(0.56), draw(0.46)
    window = move(box(0.11, 0.03, 0.11, 0.01), 0.33, -y, -0.14)
    return [
        Part(move(box(x, y, 0.40, 0.01), z=-0.25)),
        Part(move(roof(x * 1.14, y * 1.25, draw(0.50)), z=0.10), (0.45, 0.22, 0.16)),
        Part(move(box(0.11, 0.03, 0.22, 0.01), 0.0, -y, -0.43), WOOD),
        Part(union(mirror_x(window), move(box(x + 0.03, 0.12, 0.12, 0.01), 0.0, 0.0, -0.14)), GLASS),
        Part(move(box(0.09, 0.09, 0.22, 0.01), 0.30, 0.14, 0.45), (0.60, 0.58, 0.55)),
    ]


def castle(draw: Draw) -> list[Part]:
    """Walls and towers in the main colour with pointed roofs, and a gate."""
    x, y, high = draw(0.50, 0.05), draw(0.44, 0.05), draw(0.40)
    walls = union(
        move(box(x, y, 0.26, 0.01), z=-0.46),
        mirror_xy(move(row(box(0.06, 0.06, 0.06, 0.01), 2, 0.20, "x"), 0.16, y - 0.05, -0.16)),
        mirror_xy(move(row(box(0.06, 0.06, 0.06, 0.01), 2, 0.20, "y"), x - 0.05, 0.16, -0.16)),
        mirror_xy(move(cylinder(0.19, high), x, y, -0.72 + high)),
        move(cylinder(0.25, 0.48), z=-0.10),
    )
    roofs = union(
        mirror_xy(move(cone(0.25, 0.02, 0.19), x, y, -0.54 + 2 * high)),
        move(cone(0.32, 0.02, 0.23), z=0.58),
    )
    windows = union(move(box(0.06, 0.27, 0.10, 0.03), z=0.16), move(box(0.27, 0.06, 0.10, 0.03), z=0.16))
    parts = [Part(walls), Part(roofs, SLATE), Part(union(_gate(y), windows), CHOCOLATE)]
    return [Part(move(scale(part.shape, 0.90), z=-0.03), part.color) for part in parts]


def _gate(y: Size) -> Shape:
    """An arched gate in a wall that stands at -y."""
    arch = union(move(cylinder(0.15, 0.04, 0.01, "y"), z=0.08), move(box(0.15, 0.04, 0.14, 0.01), z=-0.06))
    return move(arch, 0.0, -y, -0.50)


def tower(draw: Draw) -> list[Part]:
    """A round tower with battlements, a door and windows."""
    wide = draw(0.33)
    body = union(
        move(cone(wide * 1.18, wide * 0.94, 0.55), z=-0.18),
        move(cylinder(wide * 1.22, 0.11), z=0.42),
        around_z(move(box(0.08, 0.11, 0.10), wide * 1.22 - 0.08, 0.0, 0.60), 7),
    )
    windows = around_z(move(box(0.06, 0.07, 0.12, 0.05), wide, 0.0, 0.10), 4)
    door = union(move(box(0.13, 0.08, 0.13), z=-0.58), move(cylinder(0.13, 0.08, 0.02, "y"), z=-0.46))
    return [
        Part(cut(body, move(cylinder(wide * 0.92, 0.14), z=0.60))),
        Part(tilt(windows, 45, "z"), BLACK),
        Part(move(door, y=-wide * 1.08), WOOD),
        Part(move(box(0.06, 0.07, 0.12, 0.05), 0.0, -wide, 0.10), BLACK),
    ]


def lighthouse(draw: Draw) -> list[Part]:
    """A tapering tower in bands of white and the main colour, a lantern on top, on a rock."""
    wide, top = draw(0.33), draw(0.20)
    shaft = move(cone(wide, top, 0.48), z=-0.12)
    bands = move(row(box(2.0, 2.0, 0.12, 0.0), 2, 0.48, "z"), z=-0.12)
    return [
        Part(shaft, WHITE),
        Part(
            union(
                both(move(cone(wide + 0.015, top + 0.015, 0.46), z=-0.12), bands), move(cone(0.25, 0.03, 0.10), z=0.72)
            )
        ),
        Part(move(cylinder(0.30, 0.05), z=0.38), METAL),
        Part(move(cylinder(0.17, 0.14), z=0.50), LIGHT),
        Part(move(ellipsoid(0.58, 0.54, 0.18), z=-0.64), (0.50, 0.46, 0.42)),
        Part(move(box(0.10, 0.06, 0.14, 0.03), 0.0, -wide * 0.94, -0.42), CHOCOLATE),
    ]


def windmill(draw: Draw) -> list[Part]:
    """A tapering tower in the main colour with four sails in front."""
    wide, reach = draw(0.38), draw(0.56, 0.05)
    sail = union(
        move(box(0.05, 0.05, reach * 0.5, 0.02), z=reach * 0.5),
        move(box(0.10, 0.05, reach * 0.36, 0.02), 0.06, 0.0, reach * 0.62),
    )
    cross = tilt(around_z(tilt(sail, 90, "y"), 4), 90, "x")
    hub = move(cylinder(0.09, 0.20, 0.03, "y"), 0.0, -0.34, 0.24)
    return [
        Part(move(cone(wide, wide * 0.62, 0.52), z=-0.22)),
        Part(move(ellipsoid(wide * 0.72, wide * 0.80, 0.26), z=0.28), (0.42, 0.22, 0.14)),
        Part(move(tilt(cross, 40, "y"), 0.0, -0.48, 0.24), CREAM),
        Part(hub, BLACK),
        Part(
            union(move(box(0.11, 0.10, 0.18), 0.0, -wide * 0.9, -0.58), move(box(0.06, wide, 0.09), 0.0, 0.0, -0.16)),
            WOOD,
        ),
    ]


CONCEPTS = (
    Concept("house", house, WHITE, has_front=True, materials=("wooden", "stone")),
    Concept("castle", castle, COLORS["grey"], has_front=True, materials=("stone",)),
    Concept("tower", tower, COLORS["grey"], has_front=True, materials=("stone",)),
    Concept("lighthouse", lighthouse, COLORS["red"], has_front=True),
    Concept("windmill", windmill, WHITE, has_front=True, materials=("wooden", "stone")),
)
