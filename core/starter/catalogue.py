"""What the starter model knows: concepts as parametric objects, and the colours that they can have.

A concept is a function from a Draw (random proportions for a batch of objects) to parts, each a signed-distance shape
with a colour; parts without one wear the object's main colour, the one a prompt names. Objects fill about
[-0.75, 0.75]^3, stand upright along Z and face -Y.
"""

from __future__ import annotations

from core.starter.colors import COLORS
from core.starter.concept import Concept
from core.starter.objects import animals, buildings, food, furniture, plants, things, toys, vehicles

__all__ = ["COLORS", "CONCEPTS"]

CONCEPTS: tuple[Concept, ...] = (
    *food.CONCEPTS,
    *furniture.CONCEPTS,
    *vehicles.CONCEPTS,
    *buildings.CONCEPTS,
    *plants.CONCEPTS,
    *toys.CONCEPTS,
    *things.CONCEPTS,
    *animals.CONCEPTS,
)
