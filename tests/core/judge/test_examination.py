import pytest
import torch

from core.judge import examination
from core.judge.examination import Examination, SameDraw, examine, facing_concepts, tells_sides, true_shots
from core.judge.shots import BACKGROUND
from core.judge.subject import COLOR_NAMES, NOUNS, Subject
from core.starter.catalogue import COLORS, CONCEPTS
from tests.core.judge.doubles import FakeClassifier, sure


def concept_of(noun):
    return CONCEPTS[NOUNS.index(noun)]


def test_one_object_has_one_set_of_proportions():
    draw = SameDraw(4, torch.Generator().manual_seed(0))
    first, second = draw(1.0), draw(1.0)
    assert first.shape == (4, 1)
    assert first.unique().numel() == second.unique().numel() == 1
    assert first[0] != second[0]


def test_true_pictures_show_the_colour_and_nothing_of_it_without_colours():
    shots = true_shots(Subject(NOUNS.index("table"), COLOR_NAMES.index("red")), seed=1)
    assert shots.textured.shape == shots.textureless.shape == (8, 3, 64, 64)
    assert torch.allclose(shots.textured[0, :, 0, 0], torch.tensor(BACKGROUND))
    table = shots.textured[0, :, 25, 32]  # its top
    assert torch.allclose(table / table[0], torch.tensor(COLORS["red"]) / COLORS["red"][0], atol=1e-2)
    assert shots.textureless[0, :, 25, 32].unique().numel() == 1


@pytest.mark.parametrize("noun", ["mug", "tower", "rocket", "duck", "chair", "house"])
def test_sides_cannot_be_told_of_what_is_its_mirror_image_or_round_but_for_a_door(noun):
    told = noun in ("duck", "chair", "house")
    assert tells_sides(concept_of(noun)) == told


def test_only_concepts_with_a_front_face_anywhere(monkeypatch):
    monkeypatch.setattr(examination, "tells_sides", lambda concept: concept.noun != "mug")
    facing_concepts.cache_clear()
    expected = {n for n, concept in enumerate(CONCEPTS) if concept.has_front and concept.noun != "mug"}
    assert facing_concepts() == expected
    facing_concepts.cache_clear()


def test_a_judge_that_says_duck_to_everything_is_right_about_ducks(monkeypatch):
    duck = NOUNS.index("duck")
    seen = []
    monkeypatch.setattr(examination, "true_shots", lambda *asked: seen.append(asked) or true_duck)
    true_duck = examination.Shots(torch.zeros(8, 3, 4, 4), torch.zeros(8, 3, 4, 4))
    told = []
    own = examine(FakeClassifier(sure(duck)), frozenset({duck}), lambda *counts: told.append(counts))
    count = 3 * len(NOUNS)
    assert len({seed for _, seed in seen}) == own.objects == count
    assert told[-1] == (count, count)
    assert own.textureless == pytest.approx(1 / len(NOUNS))
    assert own.textured <= 1 / len(NOUNS)
    assert own.sides == 2 / 8  # it says front to every view
    assert not own.passed("textured")


def test_a_measure_is_trusted_from_98_percent_on():
    own = Examination(100, 0.98, 0.979, None)
    assert [own.passed(measure) for measure in ("textured", "textureless", "sides")] == [True, False, True]
