"""What grows, some of it in pots."""

from __future__ import annotations

from core.starter.colors import BARK, CHOCOLATE, CLAY, COLORS, LEAF, WHITE
from core.starter.concept import Concept, Draw, Part
from core.starter.shapes import (
    Shape,
    around_z,
    below,
    cone,
    cut,
    cylinder,
    ellipsoid,
    limb,
    mirror_x,
    move,
    sphere,
    tilt,
    union,
)


def tree(draw: Draw) -> list[Part]:
    """A fir: three cones of foliage on a trunk."""
    wide = draw(0.56)
    foliage = union(
        move(cone(wide, wide * 0.30, 0.24), z=-0.16),
        move(cone(wide * 0.80, wide * 0.20, 0.23), z=0.18),
        move(cone(wide * 0.58, 0.02, 0.24), z=0.52),
    )
    return [Part(foliage), Part(move(cylinder(draw(0.13), 0.24), z=-0.58), BARK)]


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


def _pot() -> Shape:
    """A flower pot with a rim, its foot at z = -0.75."""
    return union(move(cone(0.22, 0.31, 0.20), z=-0.55), move(cylinder(0.36, 0.075, 0.03), z=-0.34))


def cactus(draw: Draw) -> list[Part]:
    """A column with an arm on each side and a blossom, in a pot of the main colour."""
    wide, right, left = draw(0.18), draw(0.42), draw(0.26)
    arms = union(
        limb((0.0, 0.0, -0.02), (0.42, 0.0, 0.0), 0.10),
        limb((0.42, 0.0, 0.0), (0.42, 0.0, right), 0.11),
        limb((0.0, 0.0, 0.12), (-0.40, 0.0, 0.14), 0.10),
        limb((-0.40, 0.0, 0.14), (-0.40, 0.0, 0.14 + left), 0.11),
    )
    blossom = around_z(move(sphere(0.07), 0.07, 0.0, 0.70), 5)
    return [
        Part(_pot()),
        Part(union(limb((0.0, 0.0, -0.4), (0.0, 0.0, 0.52), wide), arms), (0.22, 0.50, 0.22)),
        Part(blossom, (0.95, 0.45, 0.62)),
        Part(move(cylinder(0.30, 0.05), z=-0.30), CHOCOLATE),
    ]


def flower(draw: Draw) -> list[Part]:
    """A blossom in the main colour that looks forward and up, on a stem with two leaves, in a pot."""
    petal, heart, high = draw(0.17, 0.15), draw(0.16, 0.15), draw(0.42, 0.15)
    petals = around_z(move(ellipsoid(petal + 0.03, petal, 0.06), x=petal + 0.10), 7)
    turned = (40.0, "x")
    leaf = move(tilt(ellipsoid(0.24, 0.11, 0.06), -35, "y"), 0.22, 0.0, -0.06)
    return [
        Part(move(tilt(petals, *turned), 0.0, -0.06, high)),
        Part(move(tilt(move(ellipsoid(heart, heart, 0.10), z=0.04), *turned), 0.0, -0.06, high), (0.98, 0.80, 0.15)),
        Part(union(limb((0.0, 0.0, -0.3), (0.0, 0.0, high - 0.02), 0.065), mirror_x(leaf)), LEAF),
        Part(_pot(), CLAY),
        Part(move(cylinder(0.30, 0.05), z=-0.30), CHOCOLATE),
    ]


CONCEPTS = (
    Concept("tree", tree, COLORS["green"], other_nouns=("fir tree", "pine tree")),
    Concept("mushroom", mushroom, COLORS["red"], other_nouns=("toadstool",)),
    Concept("cactus", cactus, CLAY, phrase="{noun} in a {color} pot", has_front=True),
    Concept("flower", flower, COLORS["pink"], has_front=True),
)
