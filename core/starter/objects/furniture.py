"""What stands in a room or a garden."""

from __future__ import annotations

from core.starter.colors import COLORS, CREAM, METAL, WHITE, WOOD
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    box,
    cone,
    cut,
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


def stool(draw: Draw) -> list[Part]:
    """A round seat on four legs that spread."""
    wide, high = draw(0.48), draw(0.55)
    leg = move(tilt(cylinder(0.075, 0.58, 0.03), 12, "y"), 0.36, 0.0, -0.12)
    return [Part(union(move(cylinder(wide, 0.09, 0.05), z=high - 0.08), leg))]


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


def bookshelf(draw: Draw) -> list[Part]:
    """Three boards full of books, open to the front."""
    wide = draw(0.48)
    shelf = row(move(box(wide - 0.07, 0.22, 0.175, 0.01), y=-0.06), 3, 0.46, "z")
    book, high = box(0.06, 0.15, 0.135, 0.02), box(0.06, 0.15, 0.16, 0.02)
    return [
        Part(cut(box(wide, 0.22, 0.76, 0.03), shelf)),
        Part(move(row(row(high, 2, 0.39, "x"), 3, 0.46, "z"), -0.13, 0.0, -0.02), (0.74, 0.14, 0.12)),
        Part(move(row(row(book, 2, 0.39, "x"), 3, 0.46, "z"), 0.0, 0.02, -0.04), (0.15, 0.34, 0.68)),
        Part(move(row(row(high, 2, 0.39, "x"), 3, 0.46, "z"), 0.13, 0.0, -0.02), (0.93, 0.78, 0.34)),
    ]


def bench(draw: Draw) -> list[Part]:
    """A garden bench: seat and back rest of two boards each, between two sides."""
    wide = draw(0.74, 0.04)
    boards = union(
        move(row(box(wide, 0.125, 0.06), 2, 0.30, "y"), y=-0.10, z=-0.06),
        move(tilt(row(box(wide, 0.055, 0.11), 2, 0.30, "z"), -8, "x"), y=0.25, z=0.34),
    )
    side = union(
        move(box(0.085, 0.30, 0.07), y=-0.04, z=-0.16),
        move(box(0.085, 0.075, 0.26), y=-0.26, z=-0.32),
        move(tilt(box(0.085, 0.06, 0.60), -8, "x"), y=0.25, z=0.02),
    )
    return [Part(union(boards, mirror_x(move(side, x=wide - 0.16))))]


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
    Concept("bookshelf", bookshelf, COLORS["brown"], has_front=True, materials=("wooden",)),
    Concept("bench", bench, WOOD, has_front=True, materials=("wooden", "stone")),
    Concept("lamp", lamp, COLORS["yellow"], patterns=("dots", "stripes")),
)
