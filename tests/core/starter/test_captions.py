import random

import pytest

from core.starter.captions import Look, caption, plural
from core.starter.catalogue import CONCEPTS


def concept(noun):
    return next(one for one in CONCEPTS if one.noun == noun)


def all_captions(which, look, count=6000):
    rng = random.Random(0)
    return {caption(which, look, None, rng) for _ in range(count)}


@pytest.mark.parametrize(
    ("noun", "look", "expected"),
    [
        ("mug", Look(), ["a mug", "the mug", "a dslr photo of a mug", "mugs", "a cup"]),
        ("mug", Look("red"), ["a red mug", "red mug", "a mug that is red", "the red mugs", "a small red mug"]),
        ("mug", Look("orange", "dots", "blue"), ["an orange mug with blue dots", "an orange mug with blue polka dots"]),
        ("mug", Look(None, "stripes", "grey"), ["a mug with grey stripes", "a mug with gray stripes"]),
        ("chair", Look(finish="wooden"), ["a wooden chair", "a chair made of wood", "wooden chairs"]),
        ("tower", Look(finish="stone"), ["a stone tower", "a tower made of stone"]),
        ("snowman", Look("blue"), ["a snowman with a blue hat", "snowmen with a blue hat"]),
        ("elephant", Look(), ["an elephant", "an old elephant", "a cute elephant"]),
    ],
)
def test_captions_say_how_an_object_looks(noun, look, expected):
    assert set(expected) <= all_captions(concept(noun), look)


def test_what_is_named_after_the_noun_is_not_named_twice():
    for text in all_captions(concept("mug"), Look("red", "dots", "blue")):
        assert text.count("red") == 1
        assert " that " not in text
    for text in all_captions(concept("snowman"), Look("blue")):
        assert text.count("blue") == 1
        assert "hat" in text


def test_a_view_comes_last():
    assert caption(concept("car"), Look("red"), "side view", random.Random(0)).endswith(", side view")


def test_plurals():
    nouns = ("mug", "bus", "bench", "teddy", "toy", "snowman", "fish", "cactus")
    assert [plural(noun) for noun in nouns] == [
        *("mugs", "buses", "benches", "teddies", "toys", "snowmen", "fish", "cacti"),
    ]


def test_no_two_concepts_share_a_noun():
    nouns = [noun for one in CONCEPTS for noun in (one.noun, *one.other_nouns)]
    assert len(set(nouns)) == len(nouns)
