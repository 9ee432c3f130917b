import json
import random

from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.heldout import HELD_OUT, PATH, choose_pairs, seen_colors, usual_color
from tests.core.starter.doubles import noise_data_set

COLORED = [concept for concept in CONCEPTS if concept.takes_color]


def test_the_file_is_what_the_rule_chooses():
    assert json.loads(PATH.read_text()) == choose_pairs() == HELD_OUT


def test_every_concept_and_every_colour_give_up_about_the_same_share():
    assert list(HELD_OUT) == sorted(concept.noun for concept in COLORED)
    assert {len(names) for names in HELD_OUT.values()} == {2}
    lost = [sum(name in names for names in HELD_OUT.values()) for name in COLORS]
    assert max(lost) - min(lost) <= 1
    assert sum(lost) >= 0.15 * len(COLORED) * len(COLORS)


def test_a_usual_colour_is_never_held_out():
    assert all(usual_color(concept) in seen_colors(concept) for concept in CONCEPTS)


def test_the_data_set_never_shows_a_held_out_pair():
    """Neither as the main colour nor as that of a pattern; all other pairs come up in time."""
    data, rng = noise_data_set(resolution=2), random.Random(0)
    seen = {concept.noun: set() for concept in CONCEPTS}
    for _ in range(150):
        for index, number in enumerate(data.concepts):
            concept = CONCEPTS[number]
            *_, text = data._describe(index, rng)
            named = {name for name in COLORS if name in text.replace("gray", "grey").replace(",", "").split()}
            seen[concept.noun] |= named
    for concept in COLORED:
        assert seen[concept.noun] == set(seen_colors(concept)), concept.noun
