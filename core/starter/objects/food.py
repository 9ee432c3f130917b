"""Things to eat."""

from __future__ import annotations

from core.starter.colors import (
    BARK,
    BREAD,
    CHERRY,
    CHOCOLATE,
    COLORS,
    CREAM,
    LEAF,
    WHITE,
)
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    arc,
    around_z,
    below,
    blend,
    both,
    box,
    cone,
    cut,
    cylinder,
    ellipsoid,
    limb,
    move,
    sphere,
    taper,
    tilt,
    torus,
    union,
    wedge,
)


def hamburger(draw: Draw) -> list[Part]:
    """Bun, lettuce, tomato, patty, cheese; seeds on top."""
    wide = draw(0.64, 0.05)
    bun = cut(ellipsoid(wide, wide, draw(0.46)), below(0.0))
    seed = move(tilt(ellipsoid(0.10, 0.075, 0.055), 35, "y"), 0.34, 0.0, 0.49)
    seeds = union(around_z(seed, 6), move(ellipsoid(0.09, 0.09, 0.055), z=0.57))
    cheese = tilt(box(wide * 0.80, wide * 0.80, 0.03, 0.02), 45, "z")
    return [
        Part(move(bun, z=0.12)),
        Part(seeds, (0.97, 0.90, 0.68)),
        Part(move(cylinder(wide * 1.07, 0.05, 0.04), z=0.08), LEAF),
        Part(move(cylinder(wide * 0.97, 0.04), z=0.0), (0.82, 0.16, 0.10)),
        Part(move(cheese, z=-0.06), (0.98, 0.76, 0.12)),
        Part(move(cylinder(wide * 1.0, 0.09, 0.05), z=-0.16), CHOCOLATE),
        Part(move(cylinder(wide * 0.95, 0.13, 0.08), z=-0.36)),
    ]


def donut(draw: Draw) -> list[Part]:
    """Dough with icing in the main colour, and sprinkles."""
    ring, tube = draw(0.44, 0.06), draw(0.23)
    icing = cut(move(torus(ring, tube * 1.06), z=0.02), below(0.04))
    sprinkles = union(
        around_z(move(sphere(0.075), ring - 0.06, 0.0, tube * 1.0), 6),
        around_z(move(sphere(0.075), ring * 0.9 + 0.12, 0.1, tube * 0.85), 7),
    )
    return [Part(torus(ring, tube), (0.80, 0.54, 0.27)), Part(icing), Part(sprinkles, WHITE)]


def cupcake(draw: Draw) -> list[Part]:
    """A paper cup, three rings of frosting, a cherry."""
    wide = draw(0.46)
    frosting = union(
        move(ellipsoid(wide * 1.08, wide * 1.08, 0.18), z=0.06),
        move(ellipsoid(wide * 0.80, wide * 0.80, 0.17), z=0.25),
        move(ellipsoid(wide * 0.48, wide * 0.48, 0.17), z=0.43),
    )
    return [
        Part(move(cone(wide * 0.70, wide * 0.96, 0.30), z=-0.28), (0.62, 0.40, 0.24)),
        Part(frosting),
        Part(move(sphere(0.11), z=0.62), CHERRY),
    ]


def ice_cream(draw: Draw) -> list[Part]:
    """Two scoops on a wafer cone."""
    wide = draw(0.40, 0.06)
    scoops = blend(move(sphere(wide), z=0.10), move(sphere(wide * 0.84), z=0.48), 0.04)
    return [
        Part(scoops),
        Part(move(cone(0.04, wide * 0.95, 0.42), z=-0.32), (0.84, 0.58, 0.28)),
        Part(move(torus(wide * 0.88, 0.08), z=0.06)),
    ]


def apple(draw: Draw) -> list[Part]:
    """A body with a dimple, a stem and a leaf."""
    wide, low = draw(0.40, 0.06), draw(0.34)
    body = blend(move(torus(0.22, wide), z=0.10), move(torus(0.14, low), z=-0.28), 0.20)
    leaf = move(tilt(ellipsoid(0.20, 0.11, 0.055), -25, "y"), 0.20, 0.0, 0.58)
    return [
        Part(move(body, z=-0.12)),
        Part(limb((0.0, 0.0, 0.05), (0.07, 0.0, 0.66), 0.05, 0.06), BARK),
        Part(leaf, LEAF),
    ]


def pumpkin(draw: Draw) -> list[Part]:
    """Eight ribs and a stem."""
    wide, high = draw(0.40, 0.08), draw(0.48)
    rib = move(ellipsoid(0.32, 0.25, high), wide, 0.0, 0.0)
    body = union(around_z(rib, 8), ellipsoid(wide, wide, high * 0.85))
    stem = union(limb((0.0, 0.0, 0.2), (0.0, 0.0, 0.52), 0.13, 0.08), limb((0.0, 0.0, 0.5), (0.14, 0.0, 0.62), 0.08))
    return [Part(move(body, z=-0.12)), Part(stem, (0.30, 0.42, 0.14))]


def strawberry(draw: Draw) -> list[Part]:
    """A berry with seeds and green leaves on top."""
    wide = draw(0.50, 0.06)
    body = taper(ellipsoid(wide, wide, 0.66), 0.50)
    seed = sphere(0.08)
    seeds = union(
        around_z(move(seed, wide * 1.00, 0.0, 0.16), 7),
        tilt(around_z(move(seed, wide * 0.87, 0.0, -0.14), 6), 25, "z"),
        around_z(move(seed, wide * 0.60, 0.0, -0.40), 4),
    )
    leaves = around_z(move(tilt(ellipsoid(0.26, 0.13, 0.06), 20, "y"), 0.26, 0.0, 0.54), 6)
    return [
        Part(move(body, z=-0.06)),
        Part(seeds, (0.98, 0.86, 0.45)),
        Part(union(leaves, limb((0.0, 0.0, 0.5), (0.0, 0.0, 0.72), 0.06)), LEAF),
    ]


def pizza_slice(draw: Draw) -> list[Part]:
    """A slice that stands on its tip: cheese with salami in front, the crust on top."""
    half, reach = 27.0, draw(1.22, 0.04)
    opening = tilt(tilt(wedge(half), -90, "y"), 90, "z")
    slice_ = both(cylinder(reach, 0.07, 0.0, "y"), opening)
    base = both(cylinder(reach, 0.05, 0.0, "y"), opening)
    salami = union(*(move(cylinder(0.125, 0.05, 0.02, "y"), x, -0.09, z) for x, z in _SALAMI))
    olives = union(*(move(sphere(0.06), x, -0.09, z) for x, z in ((0.05, 0.66), (-0.14, 0.72), (0.10, 1.08))))
    parts = [
        Part(move(slice_, y=-0.03), (0.98, 0.80, 0.30)),
        Part(move(base, y=0.08), BREAD),
        Part(arc(reach, draw(0.13), half - 1), (0.72, 0.44, 0.18)),
        Part(salami, (0.76, 0.16, 0.10)),
        Part(olives, (0.20, 0.42, 0.14)),
    ]
    return [Part(move(part.shape, z=-0.66), part.color) for part in parts]


_SALAMI = ((0.0, 0.42), (-0.16, 0.92), (0.24, 0.86), (0.04, 1.16 - 0.10))


def cake(draw: Draw) -> list[Part]:
    """Two tiers with dripping icing in the main colour, cherries and a candle."""
    wide, small = draw(0.62, 0.05), draw(0.38)
    drip = move(limb((0.0, 0.0, -0.08), (0.0, 0.0, -0.20), 0.09), wide - 0.04, 0.0, 0.0)
    icing = union(move(cylinder(wide * 1.03, 0.09, 0.06), z=-0.06), around_z(drip, 10))
    top = union(cylinder(small * 1.04, 0.08, 0.06), around_z(move(sphere(0.09), small, 0.0, -0.08), 7))
    cherries = around_z(move(sphere(0.085), (wide + small) * 0.5 + 0.03, 0.0, 0.08), 8)
    return [
        Part(move(cylinder(wide, 0.26, 0.03), z=-0.36), CREAM),
        Part(move(cylinder(small, 0.16), z=0.14), CREAM),
        Part(union(icing, move(top, z=0.30))),
        Part(cherries, CHERRY),
        Part(limb((0.0, 0.0, 0.3), (0.0, 0.0, 0.58), 0.065), WHITE),
        Part(move(ellipsoid(0.07, 0.07, 0.11), z=0.70), (1.0, 0.66, 0.12)),
    ]


CONCEPTS = (
    Concept("hamburger", hamburger, BREAD, takes_color=False, other_nouns=("burger", "cheeseburger")),
    Concept("donut", donut, COLORS["pink"], other_nouns=("doughnut",)),
    Concept("cupcake", cupcake, COLORS["pink"], other_nouns=("muffin",)),
    Concept("ice cream", ice_cream, COLORS["pink"], other_nouns=("ice cream cone",)),
    Concept("apple", apple, COLORS["red"]),
    Concept("pumpkin", pumpkin, COLORS["orange"]),
    Concept("strawberry", strawberry, COLORS["red"]),
    Concept("pizza slice", pizza_slice, BREAD, takes_color=False, has_front=True),
    Concept("cake", cake, COLORS["pink"]),
)
