import pytest
import torch

from core.judge.shots import Shots
from core.judge.subject import COLOR_NAMES, NOUNS, Subject
from core.judge.verdict import judge, right_pictures, share
from tests.core.judge.doubles import FakeClassifier, log_probabilities, sure

MUG, DUCK, TABLE = (NOUNS.index(noun) for noun in ("mug", "duck", "table"))
RED, BLUE = (COLOR_NAMES.index(color) for color in ("red", "blue"))
FACING = frozenset({DUCK})
PICTURES = Shots(torch.zeros(8, 3, 4, 4), torch.ones(8, 3, 4, 4))


def verdict(asked, **answers):
    return judge(FakeClassifier(**answers), PICTURES, asked, FACING)


def test_all_right():
    result = verdict(Subject(MUG, RED), concept=sure(MUG), color=sure(RED))
    assert result.right
    assert result.right_bare
    assert result.taken_for.name == "red mug"
    assert result.views == result.bare_views == (True,) * 8
    assert result.sides is None


@pytest.mark.parametrize(("concept", "color", "name"), [(MUG, BLUE, "blue mug"), (TABLE, RED, "red table")])
def test_concept_and_colour_must_both_be_right(concept, color, name):
    result = verdict(Subject(MUG, RED), concept=sure(concept), color=sure(color))
    assert not result.right
    assert result.taken_for.name == name
    assert not any(result.views)
    assert result.right_bare == (concept == MUG)


def test_a_colour_that_nobody_asked_for_is_not_judged():
    result = verdict(Subject(MUG), concept=sure(MUG), color=sure(BLUE))
    assert result.right
    assert all(result.views)
    assert result.taken_for.name == "mug"


def test_the_mean_log_probability_decides_not_the_majority_of_views():
    """Five views lean towards the table; three are as good as sure that it is none."""
    views = [{MUG: 0.4, TABLE: 0.6}] * 5 + [{MUG: 0.99, TABLE: 1e-6}] * 3
    result = verdict(Subject(MUG), concept=views)
    assert result.right
    assert result.views == (False,) * 5 + (True,) * 3


def test_geometry_is_judged_by_the_pictures_without_colours():
    classifier = FakeClassifier(concept=sure(MUG), bare=sure(TABLE, 5) + sure(MUG, 3))
    result = judge(classifier, PICTURES, Subject(MUG), FACING)
    assert (result.right, result.right_bare, result.taken_bare) == (True, False, TABLE)
    assert sum(result.bare_views) == 3
    assert [bare for _, bare in classifier.seen] == [False, True]
    assert [images is PICTURES.textureless for images, _ in classifier.seen] == [False, True]


def test_a_duck_with_two_faces_has_the_sides_wrong_behind():
    front, side, back = ({place: 0.9} for place in range(3))
    truth = [front, side, side, back, back, side, side, front]
    assert verdict(Subject(DUCK), concept=sure(DUCK), side=truth).sides == (True,) * 8
    janus = [front, side, side, front, front, side, side, front]
    assert share(list(verdict(Subject(DUCK), concept=sure(DUCK), side=janus).sides)) == 6 / 8
    assert verdict(Subject(TABLE), concept=sure(TABLE), side=truth).sides is None


def test_single_pictures_are_right_or_wrong():
    guesses = FakeClassifier(sure(MUG, 2), [{RED: 0.9}, {BLUE: 0.9}], sure(0, 2)).guess(None, False)
    assert right_pictures(guesses, Subject(MUG, RED)) == (True, False)
    assert right_pictures(guesses, Subject(MUG)) == (True, True)
    assert right_pictures(guesses, Subject(DUCK, RED)) == (False, False)


def test_shares():
    assert share([True, False, False, True]) == 0.5
    assert share([]) is None
    assert log_probabilities(3, [{1: 0.5}]).exp()[0].tolist() == pytest.approx([0.25, 0.5, 0.25])
