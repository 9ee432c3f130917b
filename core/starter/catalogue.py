"""What the starter model knows: named colours, and concepts as parametric objects.

A concept is a function from a Draw (random proportions for a batch of objects) to parts, each a signed-distance shape
with a colour; parts without one wear the object's main colour, the one a prompt names. Objects fill about
[-0.75, 0.75]^3, stand upright along Z and face -Y. Colours are sRGB in [0, 1].
"""

from __future__ import annotations

from core.starter.concept import RGB, Concept, Draw, Part
from core.starter.shapes import (
    around_z,
    below,
    blend,
    box,
    cone,
    cut,
    cylinder,
    ellipsoid,
    mirror_x,
    mirror_xy,
    move,
    roof,
    sphere,
    tilt,
    torus,
    union,
)

COLORS: dict[str, RGB] = {
    "red": (0.82, 0.10, 0.10),
    "orange": (0.95, 0.50, 0.08),
    "yellow": (0.95, 0.83, 0.12),
    "green": (0.16, 0.58, 0.18),
    "blue": (0.12, 0.28, 0.82),
    "purple": (0.50, 0.18, 0.66),
    "white": (0.92, 0.92, 0.90),
    "black": (0.13, 0.13, 0.14),
}

WHITE: RGB = (0.93, 0.92, 0.88)
BLACK: RGB = (0.08, 0.08, 0.09)
WOOD: RGB = (0.55, 0.34, 0.16)
BARK: RGB = (0.40, 0.26, 0.14)
BREAD: RGB = (0.83, 0.55, 0.24)
PINK: RGB = (0.93, 0.50, 0.62)
GLASS: RGB = (0.55, 0.75, 0.88)
METAL: RGB = (0.45, 0.46, 0.50)


def hamburger(draw: Draw) -> list[Part]:
    """Bun, lettuce, tomato, patty, cheese; seeds on top."""
    wide = draw(0.64, 0.05)
    bun = cut(ellipsoid(wide, wide, draw(0.46)), below(0.0))
    seed = move(tilt(ellipsoid(0.07, 0.045, 0.04), 35, "y"), 0.32, 0.0, 0.50)
    seeds = union(around_z(seed, 6), move(sphere(0.05), z=0.57))
    cheese = tilt(box(wide * 0.76, wide * 0.76, 0.025, 0.02), 45, "z")
    return [
        Part(move(bun, z=0.12)),
        Part(seeds, (0.97, 0.90, 0.68)),
        Part(move(cylinder(wide * 1.07, 0.045, 0.04), z=0.08), (0.30, 0.68, 0.18)),
        Part(move(cylinder(wide * 0.97, 0.04), z=0.0), (0.82, 0.16, 0.10)),
        Part(move(cheese, z=-0.06), (0.98, 0.76, 0.12)),
        Part(move(cylinder(wide * 1.0, 0.09, 0.05), z=-0.16), (0.33, 0.17, 0.09)),
        Part(move(cylinder(wide * 0.95, 0.13, 0.08), z=-0.36)),
    ]


def mug(draw: Draw) -> list[Part]:
    """A mug with its handle at +X."""
    radius, half = draw(0.44), draw(0.52)
    body = cut(cylinder(radius, half, 0.04), move(cylinder(radius * 0.84, half), z=0.12))
    handle = cut(move(torus(draw(0.26), 0.075, "y"), x=radius + 0.06), cylinder(radius * 0.9, 2.0))
    return [Part(union(body, handle))]


def chair(draw: Draw) -> list[Part]:
    """Seat, back rest at +Y, four legs."""
    half = draw(0.42)
    legs = mirror_xy(move(box(0.065, 0.065, 0.36), half - 0.07, half - 0.07, -0.40))
    back = move(box(half, 0.06, 0.42, 0.04), y=half - 0.06, z=0.40)
    return [Part(union(box(half, half, 0.07, 0.04), legs, back))]


def table(draw: Draw) -> list[Part]:
    """A top on four legs."""
    x, y = draw(0.72), draw(0.54)
    legs = mirror_xy(move(box(0.075, 0.075, 0.40), x - 0.12, y - 0.12, -0.10))
    return [Part(union(move(box(x, y, 0.065, 0.04), z=0.33), legs))]


def snowman(draw: Draw) -> list[Part]:
    """Three balls, a hat and scarf in the main colour, a carrot nose, coal eyes and buttons."""
    low, mid = draw(0.40), draw(0.30)
    eyes = mirror_x(move(sphere(0.05), 0.09, -0.20, 0.47))
    buttons = union(move(sphere(0.055), 0.0, -mid, 0.10), move(sphere(0.055), 0.0, -mid, -0.06))
    nose = move(tilt(cone(0.07, 0.01, 0.14), 90, "x"), 0.0, -0.34, 0.39)
    hat = union(move(cylinder(0.30, 0.035), z=0.56), move(cylinder(0.20, 0.15), z=0.68))
    return [
        Part(union(move(sphere(low), z=-0.40), move(sphere(mid), z=0.06), move(sphere(0.23), z=0.42)), WHITE),
        Part(union(hat, move(torus(0.21, 0.065), z=0.23))),
        Part(nose, (0.95, 0.48, 0.05)),
        Part(union(eyes, buttons), BLACK),
    ]


def mushroom(draw: Draw) -> list[Part]:
    """A cap with white spots on a stem."""
    wide, high = draw(0.64), draw(0.50)
    cap = cut(ellipsoid(wide, wide, high), below(0.0))
    low_spots = around_z(move(sphere(0.12), wide * 0.84, 0.0, high * 0.42), 6)
    high_spots = around_z(move(sphere(0.10), wide * 0.46, 0.0, high * 0.82), 3)
    spots = union(low_spots, high_spots, move(sphere(0.09), z=high * 0.97))
    return [
        Part(cap),
        Part(spots, WHITE),
        Part(move(cone(draw(0.22), draw(0.17), 0.36, 0.05), z=-0.32), (0.93, 0.88, 0.76)),
    ]


def donut(draw: Draw) -> list[Part]:
    """Dough with icing in the main colour, and sprinkles."""
    ring, tube = draw(0.44, 0.06), draw(0.23)
    icing = cut(move(torus(ring, tube * 1.06), z=0.02), below(0.04))
    sprinkles = union(
        around_z(move(sphere(0.045), ring - 0.06, 0.0, tube * 1.0), 7),
        around_z(move(sphere(0.045), ring * 0.9 + 0.12, 0.1, tube * 0.85), 8),
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
        Part(move(sphere(0.11), z=0.62), (0.80, 0.06, 0.12)),
    ]


def house(draw: Draw) -> list[Part]:
    """Walls in the main colour, gable roof, door and windows on the front, a chimney."""
    x, y = draw(0.56), draw(0.46)
    window = move(box(0.11, 0.03, 0.11, 0.01), 0.33, -y, -0.08)
    return [
        Part(move(box(x, y, 0.40, 0.01), z=-0.25)),
        Part(move(roof(x * 1.14, y * 1.25, draw(0.50)), z=0.10), (0.45, 0.22, 0.16)),
        Part(move(box(0.11, 0.03, 0.22, 0.01), 0.0, -y, -0.43), WOOD),
        Part(union(mirror_x(window), move(box(x, 0.12, 0.12, 0.01), 0.02, 0.0, -0.10)), GLASS),
        Part(move(box(0.09, 0.09, 0.22, 0.01), 0.30, 0.14, 0.45), (0.60, 0.58, 0.55)),
    ]


def tree(draw: Draw) -> list[Part]:
    """A fir: three cones of foliage on a trunk."""
    wide = draw(0.56)
    foliage = union(
        move(cone(wide, wide * 0.30, 0.24), z=-0.16),
        move(cone(wide * 0.80, wide * 0.20, 0.23), z=0.18),
        move(cone(wide * 0.58, 0.02, 0.24), z=0.52),
    )
    return [Part(foliage), Part(move(cylinder(draw(0.13), 0.24), z=-0.58), BARK)]


def car(draw: Draw) -> list[Part]:
    """A car that drives towards -Y: body, cabin, windows, wheels, lamps."""
    half, wide = draw(0.76, 0.05), draw(0.36)
    cabin = move(box(wide * 0.86, 0.38, 0.19, 0.09), y=0.08, z=0.22)
    panes = union(
        move(box(wide * 0.89, 0.27, 0.09, 0.02), y=0.08, z=0.24),
        move(box(wide * 0.68, 0.40, 0.09, 0.02), y=0.08, z=0.24),
    )
    wheels = mirror_xy(move(cylinder(0.18, 0.08, 0.03, "x"), wide, 0.45, -0.24))
    lamps = mirror_x(move(sphere(0.085), wide * 0.62, -half + 0.03, -0.02))
    rear = mirror_x(move(box(0.08, 0.03, 0.05), wide * 0.62, half, 0.0))
    return [
        Part(union(move(box(wide, half, 0.18, 0.09), z=-0.06), cabin)),
        Part(panes, GLASS),
        Part(wheels, BLACK),
        Part(lamps, (0.98, 0.95, 0.70)),
        Part(rear, (0.60, 0.05, 0.05)),
    ]


def rocket(draw: Draw) -> list[Part]:
    """A white hull with nose, fins and engine; a porthole on the front."""
    wide = draw(0.26)
    hull = ellipsoid(wide, wide, 0.80)
    fin = move(tilt(box(0.14, 0.045, 0.24, 0.03), -25, "y"), wide + 0.02, 0.0, -0.48)
    nose = cut(ellipsoid(wide * 1.03, wide * 1.03, 0.82), below(0.36))
    porthole = move(cylinder(0.12, 0.05, 0.02, "y"), 0.0, -wide, 0.12)
    return [
        Part(cut(hull, below(-0.66)), WHITE),
        Part(union(nose, around_z(fin, 4))),
        Part(porthole, GLASS),
        Part(move(cone(0.17, 0.11, 0.08), z=-0.68), METAL),
    ]


def lamp(draw: Draw) -> list[Part]:
    """A table lamp with a shade in the main colour."""
    wide = draw(0.50)
    shade = cone(wide, wide * 0.58, 0.27, 0.03)
    return [
        Part(move(shade, z=0.36)),
        Part(union(move(cylinder(0.065, 0.50), z=-0.20), move(cylinder(draw(0.32), 0.06, 0.03), z=-0.62)), METAL),
    ]


def ice_cream(draw: Draw) -> list[Part]:
    """Two scoops on a wafer cone."""
    wide = draw(0.36, 0.06)
    scoops = blend(move(sphere(wide), z=0.12), move(sphere(wide * 0.86), z=0.50), 0.04)
    return [
        Part(scoops),
        Part(move(cone(0.04, wide * 0.95, 0.42), z=-0.32), (0.84, 0.58, 0.28)),
        Part(move(torus(wide * 0.88, 0.08), z=0.06)),
    ]


def duck(draw: Draw) -> list[Part]:
    """A toy duck that looks towards -Y."""
    body = ellipsoid(draw(0.40), draw(0.54), 0.34)
    tail = move(tilt(ellipsoid(0.16, 0.22, 0.10), 35, "x"), 0.0, 0.52, 0.02)
    head = move(sphere(draw(0.29, 0.06)), 0.0, -0.30, 0.38)
    wings = mirror_x(move(ellipsoid(0.10, 0.30, 0.18), 0.38, 0.06, -0.18))
    bill = move(ellipsoid(0.15, 0.19, 0.06), 0.0, -0.60, 0.33)
    eyes = mirror_x(move(sphere(0.055), 0.15, -0.52, 0.48))
    return [
        Part(union(blend(move(union(body, tail), z=-0.24), head, 0.12), wings)),
        Part(bill, (0.95, 0.48, 0.05)),
        Part(eyes, BLACK),
    ]


CONCEPTS: tuple[Concept, ...] = (
    Concept("hamburger", hamburger, BREAD, takes_color=False),
    Concept("mug", mug, WHITE, has_front=True),
    Concept("chair", chair, WOOD, has_front=True),
    Concept("table", table, WOOD),
    Concept("snowman", snowman, COLORS["red"], phrase="{noun} with a {color} hat", has_front=True),
    Concept("mushroom", mushroom, COLORS["red"]),
    Concept("donut", donut, PINK),
    Concept("cupcake", cupcake, PINK),
    Concept("house", house, WHITE, has_front=True),
    Concept("tree", tree, COLORS["green"]),
    Concept("car", car, COLORS["red"], has_front=True),
    Concept("rocket", rocket, COLORS["red"]),
    Concept("lamp", lamp, COLORS["yellow"]),
    Concept("ice cream", ice_cream, PINK),
    Concept("duck", duck, COLORS["yellow"], has_front=True),
)
