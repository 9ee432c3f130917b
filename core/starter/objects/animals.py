"""Animals as toys; they look towards -Y."""

from __future__ import annotations

from core.starter.colors import BEAK, BLACK, CHERRY, COLORS, CREAM, WHITE
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    Shape,
    Size,
    below,
    blend,
    cone,
    cut,
    cylinder,
    ellipsoid,
    limb,
    mirror_x,
    mirror_xy,
    mirror_z,
    move,
    scale,
    sphere,
    tilt,
    torus,
    union,
)


def _eyes(x: float, y: float, z: float, radius: float = 0.075) -> Part:
    """A pair of black eyes."""
    return Part(mirror_x(move(sphere(radius), x, y, z)), BLACK)


def _legs(x: float, y: float, foot: float, radius: Size) -> Shape:
    """Four legs that end at a height."""
    return mirror_xy(limb((x, y, -0.20), (x, y, foot + 0.10), radius))


def duck(draw: Draw) -> list[Part]:
    """A bath duck."""
    body = ellipsoid(draw(0.40), draw(0.54), 0.34)
    tail = move(tilt(ellipsoid(0.16, 0.22, 0.10), 35, "x"), 0.0, 0.52, 0.06)
    head = move(sphere(draw(0.29, 0.06)), 0.0, -0.30, 0.38)
    wings = mirror_x(move(tilt(ellipsoid(0.10, 0.30, 0.19), 12, "x"), 0.38, 0.08, -0.16))
    bill = union(
        move(ellipsoid(0.16, 0.18, 0.06), 0.0, -0.60, 0.33), move(ellipsoid(0.11, 0.13, 0.06), 0.0, -0.58, 0.27)
    )
    return [
        Part(union(blend(move(union(body, tail), z=-0.24), head, 0.12), wings)),
        Part(bill, BEAK),
        _eyes(0.15, -0.52, 0.48),
    ]


def cat(draw: Draw) -> list[Part]:
    """A sitting cat with white muzzle, chest and paws; its tail lies beside it."""
    wide, head = draw(0.33), draw(0.31, 0.06)
    body = limb((0.0, 0.14, -0.40), (0.0, -0.04, 0.02), wide, 0.22)
    legs = mirror_x(
        union(
            limb((0.13, -0.22, -0.10), (0.14, -0.30, -0.62), 0.10), move(ellipsoid(0.14, 0.24, 0.16), 0.27, 0.02, -0.56)
        )
    )
    ears = mirror_x(move(tilt(cone(0.14, 0.02, 0.14), 18, "y"), 0.19, -0.10, 0.62))
    tail = union(
        limb((0.10, 0.42, -0.60), (0.46, 0.30, -0.62), 0.085),
        limb((0.46, 0.30, -0.62), (0.50, -0.02, -0.60), 0.085, 0.075),
    )
    inner = mirror_x(move(tilt(cone(0.085, 0.02, 0.10), 18, "y"), 0.185, -0.16, 0.60))
    white = union(
        mirror_x(move(ellipsoid(0.10, 0.09, 0.08), 0.07, -0.36, 0.25)),
        move(ellipsoid(0.15, 0.12, 0.20), 0.0, -0.20, -0.06),
        mirror_x(move(ellipsoid(0.11, 0.14, 0.08), 0.14, -0.34, -0.66)),
    )
    return [
        Part(union(blend(body, move(ellipsoid(head, 0.27, 0.26), 0.0, -0.12, 0.34), 0.06), legs, ears, tail)),
        Part(white, WHITE),
        Part(union(inner, move(ellipsoid(0.055, 0.05, 0.05), 0.0, -0.43, 0.30)), (0.92, 0.52, 0.56)),
        _eyes(0.13, -0.35, 0.40),
    ]


def dog(draw: Draw) -> list[Part]:
    """A standing dog with hanging ears, a long snout and a red collar."""
    wide, long = draw(0.22), draw(0.36, 0.06)
    body = limb((0.0, -0.28, -0.10), (0.0, long, -0.10), wide * 1.06, wide)
    neck = limb((0.0, -0.30, 0.0), (0.0, -0.40, 0.26), 0.18, 0.16)
    head = union(
        move(ellipsoid(0.25, 0.25, 0.23), 0.0, -0.42, 0.36), limb((0.0, -0.55, 0.29), (0.0, -0.70, 0.27), 0.14, 0.11)
    )
    legs = move(_legs(0.15, 0.32, -0.70, 0.095), y=0.02)
    tail = limb((0.0, long + 0.12, 0.0), (0.0, long + 0.30, 0.32), 0.085, 0.06)
    ears = mirror_x(move(tilt(ellipsoid(0.07, 0.14, 0.24), 14, "y"), 0.27, -0.36, 0.30))
    collar = move(tilt(torus(0.175, 0.055), 20, "x"), 0.0, -0.36, 0.13)
    return [
        Part(union(blend(body, neck, 0.08), head, legs, tail)),
        Part(ears, (0.30, 0.18, 0.10)),
        Part(collar, CHERRY),
        Part(move(ellipsoid(0.08, 0.06, 0.065), 0.0, -0.80, 0.32), BLACK),
        _eyes(0.11, -0.62, 0.45),
    ]


def pig(draw: Draw) -> list[Part]:
    """A fat pig with a flat snout and a curly tail."""
    wide, long = draw(0.40), draw(0.52)
    body = blend(ellipsoid(wide, long, wide * 0.95), move(ellipsoid(0.30, 0.26, 0.28), 0.0, -0.44, 0.12), 0.10)
    legs = _legs(0.21, 0.28, -0.58, 0.12)
    ears = mirror_x(move(tilt(tilt(ellipsoid(0.11, 0.06, 0.15), 30, "x"), 25, "y"), 0.21, -0.46, 0.40))
    snout = move(cylinder(0.145, 0.08, 0.03, "y"), 0.0, -0.72, 0.08)
    tail = move(torus(0.09, 0.05, "x"), 0.0, 0.56, 0.14)
    nostrils = mirror_x(move(ellipsoid(0.05, 0.03, 0.06), 0.06, -0.80, 0.08))
    hooves = mirror_xy(move(cylinder(0.125, 0.06, 0.03), 0.21, 0.28, -0.56))
    return [
        Part(union(body, legs, ears, tail)),
        Part(snout, (0.88, 0.42, 0.52)),
        Part(union(nostrils, hooves), (0.40, 0.20, 0.20)),
        _eyes(0.15, -0.65, 0.26),
    ]


def rabbit(draw: Draw) -> list[Part]:
    """A sitting rabbit with long ears, white belly and tail."""
    wide, ear = draw(0.34), draw(0.27, 0.12)
    body = move(ellipsoid(wide, 0.34, 0.38), 0.0, 0.08, -0.36)
    head = move(ellipsoid(0.27, 0.25, 0.25), 0.0, -0.10, 0.14)
    ears = mirror_x(move(tilt(ellipsoid(0.10, 0.075, ear), 10, "y"), 0.14, -0.02, 0.34 + ear * 0.7))
    inner = mirror_x(move(tilt(ellipsoid(0.055, 0.055, ear * 0.75), 10, "y"), 0.14, -0.065, 0.34 + ear * 0.7))
    feet = mirror_x(
        union(
            move(ellipsoid(0.13, 0.26, 0.10), 0.20, -0.22, -0.64),
            limb((0.15, -0.18, -0.20), (0.12, -0.34, -0.36), 0.09),
        )
    )
    white = union(
        move(ellipsoid(0.22, 0.14, 0.25), 0.0, -0.18, -0.38),
        move(sphere(0.14), 0.0, 0.42, -0.52),
        mirror_x(move(ellipsoid(0.10, 0.09, 0.08), 0.07, -0.31, 0.06)),
    )
    nose = move(ellipsoid(0.06, 0.05, 0.05), 0.0, -0.38, 0.12)
    return [
        Part(union(body, head, ears, feet)),
        Part(white, WHITE),
        Part(union(inner, nose), (0.93, 0.56, 0.62)),
        _eyes(0.14, -0.29, 0.22),
    ]


def penguin(draw: Draw) -> list[Part]:
    """White belly and face, orange beak and feet; the rest in the main colour."""
    wide = draw(0.40, 0.08)
    body = blend(move(ellipsoid(wide, 0.36, 0.48), z=-0.20), move(sphere(0.31), z=0.40), 0.20)
    flippers = mirror_x(move(tilt(ellipsoid(0.08, 0.16, 0.34), -22, "y"), wide + 0.06, 0.0, -0.10))
    white = union(
        move(ellipsoid(wide * 0.80, 0.24, 0.40), 0.0, -0.17, -0.22),
        mirror_x(move(ellipsoid(0.13, 0.14, 0.15), 0.10, -0.21, 0.42)),
    )
    beak = move(tilt(cone(0.10, 0.02, 0.12), 90, "x"), 0.0, -0.40, 0.36)
    feet = mirror_x(move(ellipsoid(0.16, 0.22, 0.075), 0.19, -0.16, -0.66))
    tail = limb((0.0, 0.22, -0.50), (0.0, 0.42, -0.62), 0.13, 0.06)
    return [
        Part(union(body, flippers, tail)),
        Part(white, WHITE),
        Part(union(beak, feet), BEAK),
        _eyes(0.11, -0.33, 0.47),
    ]


def fish(draw: Draw) -> list[Part]:
    """A fish with large fins and eyes."""
    wide, long, high = draw(0.25), draw(0.50, 0.06), draw(0.36)
    body = move(ellipsoid(wide, long, high), y=-0.16)
    fork = mirror_z(move(tilt(ellipsoid(0.06, 0.27, 0.13), 42, "x"), 0.0, 0.48, 0.16))
    back = move(tilt(ellipsoid(0.06, 0.28, 0.18), -16, "x"), 0.0, -0.04, high)
    sides = mirror_x(move(tilt(tilt(ellipsoid(0.06, 0.17, 0.11), -25, "x"), 35, "z"), wide + 0.06, -0.06, -0.12))
    belly = move(tilt(ellipsoid(0.06, 0.16, 0.12), 30, "x"), 0.0, 0.08, -high)
    eyes = mirror_x(move(sphere(0.12), wide * 0.62, -0.44, 0.10))
    lips = move(torus(0.07, 0.05, "y"), 0.0, -0.16 - long, -0.04)
    parts = [
        Part(body),
        Part(union(fork, back, sides, belly, lips), (0.98, 0.72, 0.16)),
        Part(eyes, WHITE),
        Part(mirror_x(move(sphere(0.085), wide * 0.62 + 0.065, -0.485, 0.11)), BLACK),
    ]
    return [Part(scale(part.shape, 1.12), part.color) for part in parts]


def turtle(draw: Draw) -> list[Part]:
    """Head, legs and tail of green; the shell in the main colour with a cream rim."""
    wide, long, high = draw(0.50), draw(0.54), draw(0.46)
    shell = cut(ellipsoid(wide, long, high), below(0.0))
    legs = mirror_xy(limb((0.32, 0.32, -0.04), (0.50, 0.44, -0.24), 0.14, 0.12))
    head = union(
        limb((0.0, -0.44, 0.02), (0.0, -0.62, 0.16), 0.13), move(ellipsoid(0.18, 0.19, 0.17), 0.0, -0.70, 0.20)
    )
    parts = [
        Part(move(shell, z=-0.02)),
        Part(move(cut(ellipsoid(wide * 1.06, long * 1.06, 0.14), below(-0.09)), z=0.0), CREAM),
        Part(union(head, legs, limb((0.0, 0.5, -0.05), (0.0, 0.68, -0.10), 0.08, 0.05)), (0.42, 0.66, 0.26)),
        _eyes(0.10, -0.83, 0.27),
    ]
    return [Part(move(part.shape, 0.0, 0.10, -0.10), part.color) for part in parts]


def elephant(draw: Draw) -> list[Part]:
    """A stout elephant with large ears, a trunk and tusks."""
    wide, ear = draw(0.38), draw(0.27)
    body = move(ellipsoid(wide, 0.46, 0.37), 0.0, 0.18, 0.0)
    head = move(ellipsoid(0.28, 0.27, 0.29), 0.0, -0.36, 0.26)
    legs = move(_legs(0.22, 0.24, -0.72, 0.14), y=0.16)
    trunk = union(
        limb((0.0, -0.56, 0.20), (0.0, -0.70, -0.20), 0.13, 0.09),
        limb((0.0, -0.70, -0.20), (0.0, -0.80, -0.36), 0.09, 0.07),
    )
    ears = mirror_x(move(tilt(ellipsoid(ear, 0.06, ear * 1.1), -25, "z"), 0.42, -0.24, 0.28))
    tail = limb((0.0, 0.60, 0.10), (0.0, 0.70, -0.26), 0.055)
    tusks = mirror_x(limb((0.15, -0.56, 0.06), (0.18, -0.72, -0.04), 0.065, 0.05))
    toes = move(mirror_xy(move(ellipsoid(0.13, 0.13, 0.06), 0.22, 0.25, -0.71)), y=0.14)
    return [
        Part(union(blend(body, head, 0.08), legs, trunk, ears, tail)),
        Part(union(tusks, toes), WHITE),
        Part(
            mirror_x(move(tilt(ellipsoid(ear * 0.7, 0.05, ear * 0.8), -25, "z"), 0.42, -0.265, 0.28)),
            (0.90, 0.62, 0.64),
        ),
        _eyes(0.17, -0.56, 0.36),
    ]


CONCEPTS = (
    Concept("duck", duck, COLORS["yellow"], has_front=True, other_nouns=("rubber duck",)),
    Concept("cat", cat, COLORS["orange"], has_front=True, patterns=("stripes",), stripes_along="z"),
    Concept("dog", dog, (0.66, 0.44, 0.24), has_front=True, patterns=("dots",)),
    Concept("pig", pig, COLORS["pink"], has_front=True),
    Concept("rabbit", rabbit, COLORS["grey"], has_front=True, other_nouns=("bunny",)),
    Concept("penguin", penguin, COLORS["black"], has_front=True),
    Concept("fish", fish, COLORS["orange"], has_front=True, patterns=("dots", "stripes"), stripes_along="y"),
    Concept(
        "turtle",
        turtle,
        COLORS["brown"],
        phrase="{noun} with a {color} shell",
        has_front=True,
        other_nouns=("tortoise",),
        patterns=("dots",),
    ),
    Concept("elephant", elephant, COLORS["grey"], has_front=True),
)
