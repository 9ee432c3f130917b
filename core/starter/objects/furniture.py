"""What stands in a room or a garden."""

from __future__ import annotations

from core.starter.colors import COLORS, CREAM, METAL, WHITE, WOOD
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    box,
    cone,
    cylinder,
    mirror_x,
    mirror_xy,
    move,
    row,
    scale,
    tilt,
    union,
)


def chair(draw: Draw) -> list[Part]:
    """Seat, back rest of two slats at +Y, four legs."""
    half = draw(0.42)
    legs = mirror_xy(move(box(0.07, 0.07, 0.36), half - 0.07, half - 0.07, -0.40))
    posts = mirror_x(move(box(0.07, 0.07, 0.42), half - 0.07, half - 0.07, 0.36))
    slats = move(row(box(half - 0.03, 0.055, 0.13, 0.04), 2, 0.36, "z"), y=half - 0.07, z=0.44)
    return [Part(union(box(half, half, 0.08, 0.04), legs, posts, slats))]


def table(draw: Draw) -> list[Part]:
    """A top on four legs."""
    x, y = draw(0.72), draw(0.54)
    legs = mirror_xy(move(box(0.075, 0.075, 0.40), x - 0.12, y - 0.12, -0.10))
    return [Part(union(move(box(x, y, 0.065, 0.04), z=0.33), legs))]


def sofa(draw: Draw) -> list[Part]:
    """Seat, back and arms in the main colour, two cushions, wooden feet."""
    wide, high = draw(0.72, 0.05), draw(0.34)
    arms = mirror_x(move(box(0.12, 0.38, 0.27, 0.09), wide - 0.10, 0.0, -0.10))
    seats = mirror_x(move(box(wide * 0.41, 0.32, 0.10, 0.07), wide * 0.41, -0.05, -0.04))
    rests = mirror_x(move(box(wide * 0.41, 0.12, high * 0.72, 0.09), wide * 0.41, 0.18, high * 0.5))
    back = move(box(wide * 0.98, 0.10, high, 0.07), y=0.30, z=0.06)
    cushion = mirror_x(move(tilt(tilt(box(0.17, 0.08, 0.17, 0.07), -20, "x"), 18, "y"), 0.40, -0.02, 0.20))
    return [
        Part(union(move(box(wide, 0.36, 0.14, 0.05), z=-0.24), arms, seats, rests, back)),
        Part(cushion, CREAM),
        Part(mirror_xy(move(cylinder(0.07, 0.09), wide - 0.14, 0.26, -0.42)), WOOD),
    ]


def bed(draw: Draw) -> list[Part]:
    """A wooden frame, its head at +Y, pillows, and a blanket in the main colour."""
    wide, head = draw(0.50), draw(0.42)
    boards = union(
        move(box(wide, 0.06, head, 0.05), y=0.72, z=-0.44 + head),
        move(box(wide, 0.06, 0.22, 0.05), y=-0.72, z=-0.24),
        move(box(wide * 0.94, 0.70, 0.09), z=-0.30),
    )
    parts = [
        Part(move(box(wide * 0.95, 0.54, 0.15, 0.08), y=-0.16, z=-0.10)),
        Part(boards, WOOD),
        Part(move(box(wide * 0.90, 0.68, 0.12, 0.05), z=-0.12), WHITE),
        Part(mirror_x(move(tilt(box(0.19, 0.14, 0.09, 0.08), 20, "x"), wide * 0.45, 0.52, 0.05)), WHITE),
        Part(mirror_xy(move(box(0.07, 0.07, 0.10), wide - 0.07, 0.71, -0.44)), WOOD),
    ]
    return [Part(scale(part.shape, 0.95), part.color) for part in parts]


def lamp(draw: Draw) -> list[Part]:
    """A table lamp with a shade in the main colour."""
    wide = draw(0.50)
    shade = cone(wide, wide * 0.58, 0.27, 0.03)
    return [
        Part(move(shade, z=0.36)),
        Part(union(move(cylinder(0.065, 0.50), z=-0.20), move(cylinder(draw(0.32), 0.06, 0.03), z=-0.62)), METAL),
    ]


CONCEPTS = (
    Concept("chair", chair, WOOD, has_front=True, materials=("wooden",)),
    Concept("table", table, WOOD, materials=("wooden", "stone")),
    Concept("sofa", sofa, COLORS["blue"], has_front=True, other_nouns=("couch",), patterns=("dots", "stripes")),
    Concept("bed", bed, COLORS["blue"], has_front=True, patterns=("dots", "stripes"), stripes_along="x"),
    Concept("lamp", lamp, COLORS["yellow"], patterns=("dots", "stripes")),
)
