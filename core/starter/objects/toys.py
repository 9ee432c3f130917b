"""What children play with."""

from __future__ import annotations

from core.starter.colors import BLACK, COLORS, CREAM, GOLD, METAL, WHITE
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    box,
    cone,
    cylinder,
    ellipsoid,
    limb,
    mirror_x,
    move,
    row,
    sphere,
    tilt,
    torus,
    union,
)


def snowman(draw: Draw) -> list[Part]:
    """Three balls, a hat and scarf in the main colour, a carrot nose, coal eyes and buttons."""
    low, mid = draw(0.40), draw(0.30)
    eyes = mirror_x(move(sphere(0.075), 0.10, -0.19, 0.48))
    buttons = union(move(sphere(0.085), 0.0, -mid, 0.10), move(sphere(0.085), 0.0, -mid * 0.94, -0.12))
    nose = move(tilt(cone(0.07, 0.01, 0.14), 90, "x"), 0.0, -0.34, 0.39)
    hat = union(move(cylinder(0.30, 0.05), z=0.58), move(cylinder(0.20, 0.15), z=0.70))
    return [
        Part(union(move(sphere(low), z=-0.40), move(sphere(mid), z=0.06), move(sphere(0.23), z=0.42)), WHITE),
        Part(union(hat, move(torus(0.21, 0.065), z=0.23))),
        Part(nose, (0.95, 0.48, 0.05)),
        Part(union(eyes, buttons), BLACK),
    ]


def ball(draw: Draw) -> list[Part]:
    """A ball."""
    return [Part(sphere(draw(0.66)))]


def robot(draw: Draw) -> list[Part]:
    """Head and body in the main colour; glowing eyes, an antenna, buttons, grey limbs."""
    head, body = draw(0.28), draw(0.34)
    eyes = mirror_x(move(cylinder(0.085, 0.05, 0.02, "y"), 0.13, -0.23, 0.44))
    feet = mirror_x(move(box(0.13, 0.19, 0.07, 0.05), 0.18, -0.05, -0.68))
    arms = mirror_x(
        union(limb((body, 0.0, 0.08), (body + 0.16, -0.04, -0.24), 0.08), move(sphere(0.11), body + 0.17, -0.05, -0.30))
    )
    legs = mirror_x(move(cylinder(0.09, 0.16), 0.18, 0.0, -0.50))
    antenna = union(
        limb((0.0, 0.0, 0.6), (0.0, 0.0, 0.74), 0.05), mirror_x(move(cylinder(0.08, 0.06, 0.02, "x"), head, 0.0, 0.42))
    )
    return [
        Part(union(move(box(head, 0.23, 0.20, 0.06), z=0.42), move(box(body, 0.25, 0.28, 0.06), z=-0.10), feet)),
        Part(union(arms, legs, antenna, move(cylinder(0.10, 0.10), z=0.18)), METAL),
        Part(eyes, (0.99, 0.88, 0.30)),
        Part(
            union(
                move(sphere(0.09), z=0.77), move(row(cylinder(0.08, 0.03, 0.02, "y"), 2, 0.24, "x"), 0.0, -0.27, -0.22)
            ),
            (0.85, 0.15, 0.12),
        ),
        Part(
            union(
                move(box(0.20, 0.03, 0.09, 0.02), 0.0, -0.25, 0.0), move(box(0.15, 0.03, 0.05, 0.02), 0.0, -0.23, 0.29)
            ),
            (0.18, 0.22, 0.28),
        ),
    ]


def teddy_bear(draw: Draw) -> list[Part]:
    """A sitting bear in the main colour with cream belly, snout and soles, and a red bow tie."""
    belly, head = draw(0.35), draw(0.31)
    limbs = mirror_x(
        union(
            limb((0.26, -0.04, 0.00), (0.44, -0.24, -0.20), 0.13, 0.12),
            limb((0.20, -0.10, -0.50), (0.32, -0.46, -0.56), 0.17, 0.16),
        )
    )
    ears = mirror_x(move(ellipsoid(0.14, 0.09, 0.14), 0.24, 0.0, 0.58))
    cream = union(
        move(ellipsoid(0.25, 0.14, 0.26), 0.0, -belly * 0.72, -0.30),
        move(ellipsoid(0.16, 0.15, 0.12), 0.0, -0.28, 0.24),
        mirror_x(move(ellipsoid(0.12, 0.08, 0.12), 0.335, -0.56, -0.57)),
        mirror_x(move(ellipsoid(0.08, 0.06, 0.08), 0.24, -0.06, 0.58)),
    )
    face = union(mirror_x(move(sphere(0.08), 0.13, -0.26, 0.41)), move(ellipsoid(0.075, 0.06, 0.055), 0.0, -0.42, 0.29))
    tie = union(mirror_x(move(ellipsoid(0.12, 0.07, 0.09), 0.10, -0.32, 0.02)), move(sphere(0.06), 0.0, -0.36, 0.02))
    return [
        Part(union(move(ellipsoid(belly, 0.32, 0.38), z=-0.32), move(sphere(head), z=0.32), limbs, ears)),
        Part(cream, CREAM),
        Part(face, BLACK),
        Part(tie, (0.80, 0.10, 0.12)),
    ]


def gift(draw: Draw) -> list[Part]:
    """A box with a lid, a ribbon around it and a bow."""
    x, y, half = draw(0.53), draw(0.53), draw(0.38)
    top = half * 2 - 0.70
    ribbon = union(
        move(box(0.09, y + 0.075, half + 0.09, 0.02), z=half - 0.66),
        move(box(x + 0.075, 0.09, half + 0.09, 0.02), z=half - 0.66),
    )
    loop = move(tilt(torus(0.15, 0.06, "y"), 25, "y"), 0.19, 0.0, 0.20)
    bow = union(mirror_x(loop), move(sphere(0.10), z=0.08), mirror_x(limb((0.0, 0.0, 0.06), (0.26, -0.20, 0.04), 0.06)))
    return [
        Part(union(move(box(x, y, half), z=half - 0.70), move(box(x + 0.05, y + 0.05, 0.11, 0.03), z=top - 0.06))),
        Part(union(ribbon, move(bow, z=top + 0.02)), GOLD),
    ]


CONCEPTS = (
    Concept("snowman", snowman, COLORS["red"], phrase="{noun} with a {color} hat", has_front=True),
    Concept("ball", ball, COLORS["red"], patterns=("dots", "stripes")),
    Concept("robot", robot, COLORS["blue"], has_front=True),
    Concept("teddy bear", teddy_bear, COLORS["brown"], has_front=True, other_nouns=("teddy", "bear")),
    Concept("gift", gift, COLORS["purple"], other_nouns=("present", "gift box"), patterns=("dots", "stripes")),
)
