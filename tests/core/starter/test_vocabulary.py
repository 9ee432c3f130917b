import random

import pytest

from core.prompt import VIEW_WORDS
from core.starter.captions import Look, caption, plural, words
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.heldout import HELD_OUT
from core.starter.similar import SIMILAR, similar_words
from core.starter.vocabulary import nearest, read, remarks

ALL_NOUNS = ", ".join(concept.noun for concept in CONCEPTS)


def any_look(concept, rng):
    looks = [Look(), *(Look(finish=material) for material in concept.materials)]
    if concept.takes_color:
        looks += [Look(rng.choice([*COLORS]))]
        looks += [Look(rng.choice([*COLORS]), pattern, rng.choice([*COLORS])) for pattern in concept.patterns]
    return rng.choice(looks)


def test_what_the_model_was_trained_on_needs_no_remark():
    rng = random.Random(0)
    for _ in range(800):
        concept = rng.choice(CONCEPTS)
        text = caption(concept, any_look(concept, rng), rng.choice([*VIEW_WORDS, None]), rng)
        assert remarks(text) == [], text
        assert read(text).things == [concept.noun], text


@pytest.mark.parametrize(
    "prompt",
    [
        *("A Red MUG!", "  ice-cream;  ", "a Wooden, red chair.", "Hot-Air Balloons", '"a 3D render of a Car"'),
        *("sofas", "a slice of pizza", "a cone of ice cream", "a chest of treasure", "red_mug", "a bear"),
        *("a snowman with a purple top hat", "a gray cup with polka dots", "the turtle (with a green shell)"),
        "cacti in a blue pot",
    ],
)
def test_other_ways_to_write_a_prompt_need_no_remark(prompt):
    assert remarks(prompt, prompt) == []


def test_pairs_that_training_held_out_need_no_remark():
    by_noun = {concept.noun: concept for concept in CONCEPTS}
    for noun, colors in HELD_OUT.items():
        for color in colors:
            assert remarks(f"a {by_noun[noun].name_with(color)}") == []


@pytest.mark.parametrize(
    ("prompt", "unknown", "near"),
    [
        ("a corgi", ["corgi"], ["dog"]),
        ("Corgis!", ["corgis"], ["dog"]),
        ("a dragon", ["dragon"], ["turtle"]),
        ("a pickup truck", ["pickup", "truck"], ["car", "bus"]),
        ("a hamburgr", ["hamburgr"], ["hamburger"]),
        ("teddybear", ["teddybear"], ["teddy bear"]),
        ("a chiar", ["chiar"], ["chair"]),
        ("a tea pot", ["tea", "pot"], ["teapot", "vase"]),
        ("a balloon", ["balloon"], ["hot air balloon"]),
        ("a box", ["box"], ["treasure chest", "gift"]),
    ],
)
def test_a_prompt_without_a_known_thing_is_told_what_comes_near(prompt, unknown, near):
    assert remarks(prompt) == [
        f"The starter model does not know {quoted(unknown)}, so the result will be nonsense. "
        f"Nearest known: {quoted(near)}. Stable Diffusion (--model sd) knows more."
    ]


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ("quantum foam", 'The starter model does not know "quantum", "foam", so the result will be nonsense. '),
        ("a rusty wug", 'The starter model does not know "rusty", "wug", so the result will be nonsense. '),
        ("a golden wug", 'The starter model does not know "golden", "wug", so the result will be nonsense. '
                         'Nearest known: "yellow". '),
        ("an orange", "The starter model finds no thing in the prompt, so the result will be nonsense. "),
        ("!?", "The starter model finds no thing in the prompt, so the result will be nonsense. "),
        ("汉", 'The starter model does not know "汉", so the result will be nonsense. '),
    ],
)  # fmt: skip
def test_where_no_thing_comes_near_all_are_named(prompt, start):
    assert remarks(prompt) == [f"{start}It knows {ALL_NOUNS}. Stable Diffusion (--model sd) knows more."]


@pytest.mark.parametrize(
    ("prompt", "line"),
    [
        ("a shiny mug", 'does not know "shiny" and goes by the rest.'),
        ("a corgi in a top hat", 'does not know "corgi" and goes by the rest. Nearest known: "dog".'),
        ("a dog's house", 'does not know "dog\'s" and goes by the rest.'),
        ("a yelow duck", 'does not know "yelow" and goes by the rest. Nearest known: "yellow".'),
        ("a striped mug", 'does not know "striped" and goes by the rest. Nearest known: "stripes".'),
        ("three mugs", 'does not know "three" and goes by the rest. Nearest known: "one".'),
        ("a flower in a pot", 'does not know "pot" and goes by the rest. Nearest known: "vase".'),
        ("a hot dog", 'does not know "hot" and goes by the rest. Nearest known: "hot air balloon".'),
        ("a blue hamburger with polka dots", 'never saw "blue", "polka", "dots" on a hamburger and may ignore that.'),
        ("a mug made of wood", 'never saw "wood" on a mug and may ignore that.'),
        (
            "a shiny wooden mug",
            'does not know "shiny" and goes by the rest. It never saw "wooden" on a mug and may ignore that.',
        ),
        ("a cat in a hat", 'makes one thing at a time: "cat", "hat" may become a mix.'),
        (
            "a mug on a table",
            'does not know "on" and goes by the rest. It makes one thing at a time: "mug", "table" may become a mix.',
        ),
    ],
)
def test_a_prompt_that_is_known_in_part_is_told_what_is_left_out(prompt, line):
    assert remarks(prompt) == [f"The starter model {line}"]


def test_of_the_negative_prompt_only_words_count():
    assert remarks("a mug", "red, dogs, a hat") == []
    assert remarks("a mug", "blurry, kittens") == [
        'The starter model does not know "blurry", "kittens" in the negative prompt: leave that out. '
        'Nearest known: "cat".'
    ]
    assert len(remarks("a corgi", "blurry")) == 2


def test_however_long_the_prompt_the_line_is_short():
    (line,) = remarks(" ".join(f"wug{number}" for number in range(150)) + "x" * 5000)
    assert line.count('"wug') == 6
    assert '"wug5", ..., so' in line
    (line,) = remarks("x" * 5000)
    assert len(line) < 1000


def test_the_table_of_similar_words_is_sound():
    vocabulary, seen = set(words()), set()
    for known, others in SIMILAR.items():
        assert {part for name in known.split(", ") for part in name.split()} <= vocabulary
        for word in others.split():
            assert read(word).unknown == [word], f"{word} is known"
            assert word not in seen, f"{word} is there twice"
            seen.add(word)
            assert nearest([word]) == nearest([plural(word)]) == similar_words()[word]


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)
