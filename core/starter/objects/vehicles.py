"""What drives, floats and flies; all of it towards -Y."""

from __future__ import annotations

from core.starter.colors import BLACK, COLORS, GLASS, GOLD, LIGHT, METAL, SILVER, WHITE, WOOD
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    around_z,
    below,
    blend,
    box,
    cone,
    cut,
    cylinder,
    ellipsoid,
    limb,
    mirror_x,
    mirror_xy,
    move,
    row,
    sphere,
    tilt,
    torus,
    union,
)


def car(draw: Draw) -> list[Part]:
    """Body, cabin, windows, wheels, lamps."""
    half, wide = draw(0.76, 0.05), draw(0.36)
    cabin = move(box(wide * 0.86, 0.38, 0.19, 0.09), y=0.08, z=0.22)
    panes = union(
        move(box(wide * 0.89, 0.27, 0.09, 0.02), y=0.08, z=0.24),
        move(box(wide * 0.68, 0.40, 0.09, 0.02), y=0.08, z=0.24),
    )
    wheels = mirror_xy(move(cylinder(0.19, 0.08, 0.04, "x"), wide, 0.45, -0.24))
    hubs = mirror_xy(move(cylinder(0.085, 0.10, 0.02, "x"), wide, 0.45, -0.24))
    lamps = mirror_x(move(sphere(0.085), wide * 0.62, -half + 0.03, -0.02))
    rear = mirror_x(move(box(0.08, 0.03, 0.05), wide * 0.62, half, 0.0))
    return [
        Part(union(move(box(wide, half, 0.18, 0.09), z=-0.06), cabin)),
        Part(panes, GLASS),
        Part(wheels, BLACK),
        Part(hubs, SILVER),
        Part(lamps, LIGHT),
        Part(rear, (0.60, 0.05, 0.05)),
    ]


def bus(draw: Draw) -> list[Part]:
    """A long body with a row of windows, a white roof and a wide windscreen."""
    half, wide, high = draw(0.76, 0.05), draw(0.30), draw(0.36, 0.08)
    sides = move(row(box(wide + 0.02, 0.095, 0.105, 0.02), 5, 0.25, "y"), z=0.14)
    ends = move(box(wide * 0.80, half + 0.02, 0.14, 0.02), z=0.12)
    wheels = mirror_xy(move(cylinder(0.16, 0.08, 0.04, "x"), wide - 0.03, 0.44, -0.34))
    lamps = mirror_x(move(sphere(0.075), wide * 0.64, -half, -0.18))
    return [
        Part(box(wide, half, high, 0.08)),
        Part(union(sides, ends), (0.40, 0.62, 0.78)),
        Part(wheels, BLACK),
        Part(lamps, LIGHT),
        Part(move(box(wide * 0.86, half * 0.92, 0.06, 0.05), z=high), WHITE),
        Part(mirror_x(move(box(0.07, 0.03, 0.06), wide * 0.64, half, -0.16)), (0.60, 0.05, 0.05)),
    ]


def train(draw: Draw) -> list[Part]:
    """A steam engine: boiler and cab in the main colour, chimney, dome, three pairs of wheels."""
    wide, tall = draw(0.26), draw(0.18)
    cab = cut(box(0.32, 0.22, 0.34, 0.03), move(box(0.40, 0.11, 0.11), z=0.12))
    wheels = mirror_x(move(row(cylinder(0.18, 0.07, 0.03, "x"), 3, 0.42, "y"), 0.27, 0.0, -0.40))
    chimney = move(cone(0.08, 0.15, tall), 0.0, -0.46, 0.18 + tall)
    catcher = move(tilt(box(0.26, 0.06, 0.20, 0.03), 35, "x"), 0.0, -0.74, -0.40)
    return [
        Part(union(move(cylinder(wide, 0.46, 0.04, "y"), y=-0.20, z=0.02), move(cab, y=0.46, z=0.10))),
        Part(
            union(chimney, move(box(0.28, 0.70, 0.09, 0.03), z=-0.28), move(box(0.38, 0.29, 0.05), y=0.46, z=0.46)),
            BLACK,
        ),
        Part(union(wheels, catcher), (0.70, 0.13, 0.10)),
        Part(
            union(move(sphere(0.13), 0.0, -0.12, 0.28), move(cylinder(wide * 1.04, 0.05, 0.02, "y"), 0.0, -0.28, 0.02)),
            GOLD,
        ),
        Part(move(cylinder(0.10, 0.05, 0.02, "y"), 0.0, -0.68, 0.06), LIGHT),
    ]


def boat(draw: Draw) -> list[Part]:
    """A tug: hull in the main colour, white cabin, a funnel."""
    wide, high = draw(0.40), draw(0.20)
    hull = cut(ellipsoid(wide, 0.80, 0.52), move(box(2.0, 2.0, 2.0), z=1.92))
    deck = cut(ellipsoid(wide * 0.86, 0.70, 0.46), move(box(2.0, 2.0, 2.0), z=1.90))
    cabin = move(box(0.23, 0.28, high + 0.08, 0.04), y=0.14)
    windows = union(
        move(row(box(0.25, 0.08, 0.07, 0.02), 2, 0.26, "y"), y=0.14, z=0.12),
        move(box(0.14, 0.30, 0.07, 0.02), y=0.14, z=0.12),
    )
    return [
        Part(move(hull, z=-0.12)),
        Part(move(deck, z=-0.06), WOOD),
        Part(union(cabin, move(box(0.28, 0.34, 0.05), y=0.14, z=0.10 + high)), WHITE),
        Part(windows, GLASS),
        Part(move(cylinder(0.12, 0.18), 0.0, 0.20, 0.30 + high), (0.86, 0.32, 0.10)),
        Part(move(cylinder(0.14, 0.06), 0.0, 0.20, 0.46 + high), BLACK),
    ]


def airplane(draw: Draw) -> list[Part]:
    """A propeller plane with wings and tail in the main colour."""
    span, body = draw(0.76, 0.04), draw(0.23)
    hull = limb((0.0, -0.46, 0.0), (0.0, 0.66, 0.08), body, 0.08)
    wings = move(box(span, 0.21, 0.065, 0.05), y=-0.12, z=-0.05)
    tail = union(move(box(0.34, 0.13, 0.055, 0.04), y=0.62, z=0.08), move(box(0.055, 0.15, 0.20, 0.04), y=0.64, z=0.24))
    blades = union(box(0.055, 0.05, 0.32, 0.04), box(0.32, 0.05, 0.055, 0.04))
    return [
        Part(union(hull, tail, wings)),
        Part(mirror_x(move(box(0.10, 0.22, 0.075, 0.05), span - 0.07, -0.12, -0.05)), WHITE),
        Part(move(ellipsoid(body * 0.75, 0.22, 0.16), 0.0, -0.16, body * 0.75), GLASS),
        Part(move(tilt(blades, 25, "y"), y=-0.68), (0.30, 0.30, 0.33)),
        Part(move(ellipsoid(0.10, 0.14, 0.10), y=-0.68), GOLD),
    ]


def rocket(draw: Draw) -> list[Part]:
    """A white hull with nose, fins and engine; a porthole on the front."""
    wide = draw(0.26)
    hull = ellipsoid(wide, wide, 0.80)
    fin = move(tilt(box(0.15, 0.05, 0.24, 0.03), -25, "y"), wide + 0.02, 0.0, -0.48)
    nose = cut(ellipsoid(wide * 1.03, wide * 1.03, 0.82), below(0.36))
    porthole = move(cylinder(0.12, 0.06, 0.02, "y"), 0.0, -wide, 0.12)
    return [
        Part(cut(hull, below(-0.66)), WHITE),
        Part(union(nose, around_z(fin, 4))),
        Part(porthole, GLASS),
        Part(move(torus(0.125, 0.05, "y"), 0.0, -wide + 0.01, 0.12), METAL),
        Part(move(cone(0.17, 0.11, 0.08), z=-0.68), METAL),
    ]


def balloon(draw: Draw) -> list[Part]:
    """A hot-air balloon: a drop in the main colour, ropes and a basket."""
    wide = draw(0.56, 0.05)
    envelope = blend(move(sphere(wide), z=0.24), move(cone(0.18, wide * 0.80, 0.20), z=-0.20), 0.12)
    ropes = mirror_xy(limb((0.13, 0.13, -0.34), (0.13, 0.13, -0.66), 0.05))
    return [
        Part(envelope),
        Part(ropes, WOOD),
        Part(move(box(0.19, 0.19, 0.13, 0.04), z=-0.66), (0.62, 0.42, 0.20)),
        Part(move(torus(wide, 0.05), z=0.24), WHITE),
    ]


CONCEPTS = (
    Concept("car", car, COLORS["red"], has_front=True),
    Concept("bus", bus, COLORS["yellow"], has_front=True),
    Concept("train", train, COLORS["green"], has_front=True, other_nouns=("locomotive", "steam engine")),
    Concept("boat", boat, COLORS["red"], has_front=True, other_nouns=("ship",)),
    Concept("airplane", airplane, COLORS["red"], has_front=True, other_nouns=("plane",)),
    Concept("rocket", rocket, COLORS["red"], has_front=True, other_nouns=("spaceship",)),
    Concept("hot air balloon", balloon, COLORS["red"], patterns=("dots", "stripes")),
)
