"""The judge judged: how often it is right about objects that are what they should be.

True objects of fresh proportions, sphere-traced from the judge's own views in its own light, go the same way to a
verdict as meshes do. What the judge gets wrong there, its verdicts on meshes cannot be trusted with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.camera import Views
from core.judge import shots
from core.judge.lessons import without_colors
from core.judge.network import INPUT_SIZE
from core.judge.shots import Shots, judge_light, judge_views
from core.judge.subject import COLOR_NAMES, NOUNS, Subject
from core.judge.verdict import Classifier, Verdict, judge, share
from core.prompt import view_index
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Concept, Draw
from core.starter.truth import Layers, trace_layers

REQUIRED = 0.98  # of the examined objects; with less, verdicts count for nothing
OBJECTS = 3  # of each concept
SEED = 90_000  # its proportions are nobody's to learn from
_SAME = 0.01  # mean difference of pictures below which they show the same; no concept is near: .007 or .023


class SameDraw(Draw):
    """The same random proportions for every object of a batch: one object, seen several times."""

    def __call__(self, mean: float, spread: float = 0.06) -> Tensor:
        """Uniform in mean * (1 - spread, 1 + spread), "B 1", all rows alike."""
        return super().__call__(mean, spread)[:1].expand(self.batch, 1)


@dataclass(frozen=True)
class Examination:
    """What the judge got right; None where nothing was asked."""

    objects: int
    textured: float | None  # share of the objects: concept and colour
    textureless: float | None  # share of the objects: concept, without colours
    sides: float | None  # share of the views

    def passed(self, measure: str) -> bool:
        """Whether the judge may be trusted with a measure: "textured", "textureless" or "sides"."""
        value = getattr(self, measure)
        return value is None or value >= REQUIRED


def examine(classifier: Classifier, facing: frozenset[int], on_object: Callable[[int, int], None]) -> Examination:
    """Judge OBJECTS true objects of each concept; `on_object` hears how many are done, and of how many."""
    subjects = list(_subjects())
    verdicts: list[Verdict] = []
    for number, subject in enumerate(subjects):
        verdicts.append(judge(classifier, true_shots(subject, SEED + number), subject, facing))
        on_object(number + 1, len(subjects))
    return Examination(
        objects=len(verdicts),
        textured=share([verdict.right for verdict in verdicts]),
        textureless=share([verdict.right_bare for verdict in verdicts]),
        sides=share([mark for verdict in verdicts for mark in verdict.sides or ()]),
    )


def _subjects() -> Iterator[Subject]:
    """Every concept OBJECTS times, the colours in turn."""
    for turn in range(OBJECTS):
        for number in range(len(NOUNS)):
            color = (number + turn * 5) % len(COLOR_NAMES) if CONCEPTS[number].takes_color else None
            yield Subject(number, color)


def true_shots(subject: Subject, seed: int) -> Shots:
    """Ground truth as :func:`core.judge.shots.photograph` would show it, 64 pixels along a side."""
    concept, views = CONCEPTS[subject.concept], judge_views()
    layers = trace(concept, views, judge_light(views), seed)
    count = len(views.radius)
    color = concept.default_color if subject.color is None else COLORS[COLOR_NAMES[subject.color]]
    ambient, background = torch.full((count,), shots.AMBIENT), torch.tensor(shots.BACKGROUND).expand(count, 3)
    main = torch.tensor(color).expand(count, 3)
    textured = layers.compose(main, main, ambient, background)
    return Shots(textured, without_colors(layers, torch.full((count,), shots.GREY), ambient, background))


def trace(concept: Concept, views: Views, light: Tensor, seed: int) -> Layers:
    """One random object of a concept from several views."""
    draw = SameDraw(len(views.radius), torch.Generator().manual_seed(seed))
    return trace_layers(concept.parts(draw), views, light, INPUT_SIZE)


@functools.cache
def facing_concepts() -> frozenset[int]:
    """Concepts whose sides can be told: those that have a front and do not look the same from two sides.

    A mug turned about is a mug mirrored, and of a tower whose only front is its door nobody can tell the side from the
    back: a picture cannot show whether such a mesh has two faces, nor can it be a mistake.
    """
    return frozenset(n for n, concept in enumerate(CONCEPTS) if concept.has_front and tells_sides(concept))


def tells_sides(concept: Concept) -> bool:
    """Whether any two of the judge's views of different sides differ, also where one of them is mirrored."""
    views = judge_views()
    layers = trace(concept, views, views.directions(), seed=0)
    color = torch.tensor(concept.default_color).expand(len(views.radius), 3)
    pictures = layers.compose(color, color, torch.full((len(color),), 0.5), torch.ones(len(color), 3))
    both = torch.stack([pictures, pictures.flip(-1)])
    differences = (both[:, :, None] - pictures).abs().mean((3, 4, 5)).amin(0)
    sides = view_index(views)
    return float(differences[sides[:, None] != sides].min()) > _SAME
