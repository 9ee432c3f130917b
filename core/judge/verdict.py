"""From a classifier's answers to a verdict on one object. All eight views count alike: their mean log-probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from core.camera import Views
from core.judge.network import Guesses
from core.judge.shots import Shots, judge_views
from core.judge.subject import Subject
from core.prompt import view_index

Marks = tuple[bool, ...]  # one a view


class Classifier(Protocol):
    """What answers for pictures "V 3 H W": JudgeNetwork, or a double in tests."""

    def guess(self, images: Tensor, textureless: bool) -> Guesses:
        """Log-probabilities."""


@dataclass(frozen=True)
class Verdict:
    """What an object was asked to be, and what the judge takes it for."""

    asked: Subject
    taken_for: Subject  # by the pictures with colours; no colour where none was asked for
    taken_bare: int  # the concept, by the pictures without colours
    views: Marks  # which views alone would be right, with colours
    bare_views: Marks  # and without
    sides: Marks | None  # in which views the side is told right; None where it cannot be told

    @property
    def right(self) -> bool:
        """Whether concept and, where one was asked for, colour are right: DreamFusion's R-precision."""
        return self.taken_for == self.asked

    @property
    def right_bare(self) -> bool:
        """Whether the concept is right without colours: R-precision of the geometry."""
        return self.taken_bare == self.asked.concept


def judge(classifier: Classifier, shots: Shots, asked: Subject, facing: frozenset[int]) -> Verdict:
    """Look at the pictures of one object from :func:`judge_views`. `facing`: concepts whose side can be told."""
    seen, bare = classifier.guess(shots.textured, False), classifier.guess(shots.textureless, True)
    concept, color = seen.concept.mean(0).argmax(), seen.color.mean(0).argmax()
    return Verdict(
        asked=asked,
        taken_for=Subject(int(concept), None if asked.color is None else int(color)),
        taken_bare=int(bare.concept.mean(0).argmax()),
        views=right_pictures(seen, asked),
        bare_views=_marks(bare.concept.argmax(1) == asked.concept),
        sides=_right_sides(seen.side[:, asked.concept], judge_views()) if asked.concept in facing else None,
    )


def right_pictures(guesses: Guesses, asked: Subject) -> Marks:
    """Which pictures, each for itself, show what was asked for."""
    right = guesses.concept.argmax(1) == asked.concept
    if asked.color is not None:
        right &= guesses.color.argmax(1) == asked.color
    return _marks(right)


def _right_sides(guesses: Tensor, views: Views) -> Marks:
    return _marks(guesses.argmax(1) == view_index(views))


def _marks(right: Tensor) -> Marks:
    return tuple(bool(mark) for mark in right)


def share(marks: list[bool]) -> float | None:
    """The share that is true; None of nothing."""
    return sum(marks) / len(marks) if marks else None
