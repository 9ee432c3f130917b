"""What a concept of the catalogue is made of: parts with colours, and random proportions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.starter.colors import RGB
from core.starter.shapes import Shape


@dataclass(frozen=True)
class Part:
    """A shape and its colour; None stands for the object's main colour."""

    shape: Shape
    color: RGB | None = None


class Draw:
    """Random proportions, one for each object of a batch."""

    def __init__(self, batch: int, generator: torch.Generator) -> None:
        """All numbers come from `generator`."""
        self.batch = batch
        self.generator = generator

    def __call__(self, mean: float, spread: float = 0.06) -> Tensor:
        """Uniform in mean * (1 - spread, 1 + spread), "B 1"."""
        noise = torch.rand(self.batch, 1, generator=self.generator) * 2 - 1
        return mean * (1 + spread * noise)


Parts = Callable[[Draw], list[Part]]


@dataclass(frozen=True)
class Concept:
    """An object the model knows: its noun, what builds it, and its main colour where none is named.

    Its parts in the main colour can wear the patterns, in a second colour, or be of the materials: names that
    core.starter.patterns knows.
    """

    noun: str
    parts: Parts
    default_color: RGB
    phrase: str = "{color} {noun}"  # how a prompt names the main colour
    takes_color: bool = True
    has_front: bool = False  # its sides differ, so that a picture shows which way it is turned
    other_nouns: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    stripes_along: str = "z"

    def name_with(self, color: str) -> str:
        """The noun with a named main colour: "red mug", "snowman with a red hat"."""
        return self.phrase.format(color=color, noun=self.noun)
