"""What lies about in a house: vessels, clothes, tools, instruments."""

from __future__ import annotations

from core.starter.colors import BARK, BLACK, CHERRY, COLORS, GOLD, SILVER, WHITE
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    arc,
    around_z,
    below,
    blend,
    box,
    cone,
    cut,
    cylinder,
    ellipsoid,
    lathe,
    limb,
    mirror_x,
    move,
    row,
    scale,
    sphere,
    tilt,
    torus,
    union,
)


def mug(draw: Draw) -> list[Part]:
    """A mug with its handle at +X."""
    radius, half = draw(0.44), draw(0.52)
    body = cut(cylinder(radius, half, 0.05), move(cylinder(radius * 0.82, half), z=0.12))
    handle = cut(move(torus(draw(0.26), 0.08, "y"), x=radius + 0.06), cylinder(radius * 0.9, 2.0))
    parts = [Part(union(body, handle))]
    return [Part(move(part.shape, x=-0.12), part.color) for part in parts]


def teapot(draw: Draw) -> list[Part]:
    """A round pot with a lid, its spout at -X and its handle at +X."""
    wide, high = draw(0.44, 0.06), draw(0.38)
    spout = union(
        limb((-0.30, 0.0, -0.20), (-0.60, 0.0, 0.04), 0.13, 0.08),
        limb((-0.60, 0.0, 0.04), (-0.70, 0.0, 0.22), 0.08, 0.065),
    )
    handle = move(tilt(arc(0.25, 0.075, 110), 90, "y"), wide - 0.02, 0.0, 0.02)
    lid = move(ellipsoid(0.29, 0.29, 0.13), z=high * 0.86)
    body = union(ellipsoid(wide, wide, high), spout, handle, lid, move(cylinder(0.26, 0.07), z=-high + 0.02))
    knob = move(sphere(0.09), z=high * 0.86 + 0.19)
    parts = [Part(body), Part(union(knob, move(torus(0.29, 0.04), z=high * 0.80)), GOLD)]
    return [Part(move(scale(part.shape, 1.06), z=-0.08), part.color) for part in parts]


def vase(draw: Draw) -> list[Part]:
    """A belly, a neck and a lip, hollow at the top."""
    body = lathe(0.72, 0.26, draw(0.50), draw(0.56), draw(0.30), draw(0.10), draw(0.34))
    return [Part(cut(body, move(cone(0.07, 0.18, 0.26), z=0.62)))]


def hat(draw: Draw) -> list[Part]:
    """A top hat with a band."""
    wide, brim, half = draw(0.38), draw(0.68, 0.06), draw(0.42, 0.15)
    top = move(lathe(half, wide, wide * 0.92, wide * 0.94, wide * 1.08), z=half - 0.45)
    curl = move(torus(brim, 0.07), z=-0.40)
    return [
        Part(union(top, move(cylinder(brim, 0.06, 0.05), z=-0.45), curl)),
        Part(move(cylinder(wide * 1.02, 0.09, 0.02), z=-0.30), CHERRY),
    ]


def crown(draw: Draw) -> list[Part]:
    """A ring with points, balls on them and jewels around it."""
    wide = draw(0.56, 0.06)
    point = move(cone(0.26, 0.05, draw(0.26)), wide - 0.06, 0.0, 0.10)
    ring = union(move(cone(wide, wide * 1.06, 0.26), z=-0.26), around_z(point, 6))
    hollow = cut(ring, move(cone(wide * 0.80, wide * 0.86, 1.0), z=0.10))
    rims = union(move(torus(wide * 0.97, 0.075), z=-0.48), move(torus(wide * 1.02, 0.06), z=-0.04))
    balls = around_z(move(sphere(0.10), wide - 0.06, 0.0, 0.40), 6)
    jewels = around_z(move(ellipsoid(0.08, 0.10, 0.11), wide * 1.02, 0.0, -0.26), 6)
    return [
        Part(union(hollow, rims)),
        Part(union(balls, tilt(jewels, 30, "z")), (0.82, 0.08, 0.14)),
        Part(jewels, (0.10, 0.42, 0.75)),
    ]


def guitar(draw: Draw) -> list[Part]:
    """A guitar that stands with its strings in front."""
    low, high = draw(0.44), draw(0.33)
    body = blend(move(cylinder(low, 0.16, 0.05, "y"), z=-0.34), move(cylinder(high, 0.16, 0.05, "y"), z=0.10), 0.12)
    neck = union(
        move(box(0.07, 0.06, 0.38, 0.02), 0.0, -0.14, 0.40), move(box(0.11, 0.07, 0.11, 0.03), 0.0, -0.10, 0.76)
    )
    return [
        Part(body),
        Part(move(cylinder(0.14, 0.06, 0.01, "y"), 0.0, -0.15, -0.10), BLACK),
        Part(union(neck, move(box(0.18, 0.05, 0.055, 0.02), 0.0, -0.17, -0.50)), BARK),
        Part(move(row(box(0.14, 0.03, 0.035, 0.01), 2, 0.10, "z"), 0.0, -0.13, 0.76), SILVER),
    ]


def chest(draw: Draw) -> list[Part]:
    """A treasure chest with a rounded lid, golden bands and a lock."""
    x, y = draw(0.64, 0.06), draw(0.42, 0.06)
    lid = cut(cylinder(y, x, 0.03, "x"), below(0.0))
    box_ = move(box(x, y, 0.26, 0.03), z=-0.26)
    bands = mirror_x(
        move(
            union(
                cut(cylinder(y + 0.035, 0.075, 0.02, "x"), below(0.0)), move(box(0.075, y + 0.035, 0.27, 0.02), z=-0.26)
            ),
            x=x * 0.62,
        )
    )
    rim = move(box(x + 0.03, y + 0.03, 0.05, 0.02), z=-0.02)
    lock = move(box(0.12, 0.06, 0.12, 0.03), 0.0, -y - 0.02, -0.06)
    hole = move(box(0.05, 0.03, 0.05, 0.02), 0.0, -y - 0.07, -0.08)
    return [Part(union(lid, box_)), Part(union(bands, rim, lock), GOLD), Part(hole, BLACK)]


CONCEPTS = (
    Concept("mug", mug, WHITE, has_front=True, other_nouns=("cup",), patterns=("dots", "stripes")),
    Concept("teapot", teapot, COLORS["blue"], has_front=True, patterns=("dots", "stripes")),
    Concept("vase", vase, COLORS["blue"], patterns=("dots", "stripes"), materials=("stone",)),
    Concept("hat", hat, COLORS["black"], other_nouns=("top hat",), patterns=("dots", "stripes")),
    Concept("crown", crown, COLORS["yellow"]),
    Concept("guitar", guitar, COLORS["orange"], has_front=True, materials=("wooden",)),
    Concept("treasure chest", chest, COLORS["brown"], has_front=True, other_nouns=("chest",), materials=("wooden",)),
)
