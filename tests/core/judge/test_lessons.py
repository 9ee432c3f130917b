import dataclasses

import pytest
import torch

from core.camera import orbit_views
from core.judge import lessons
from core.judge.lessons import IGNORE, draw_lesson, without_colors
from core.judge.subject import COLOR_NAMES, NOUNS
from core.prompt import VIEW_WORDS
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Draw, Part
from core.starter.patterns import MATERIALS
from core.starter.truth import trace_layers
from tests.core.starter.doubles import noise_data_set

COUNT = 2 * len(CONCEPTS)


@pytest.fixture(scope="module")
def data():
    """Objects that are all main colour, or all second colour where they wear dots or are of a material."""
    data = noise_data_set(resolution=8)
    main, second = torch.zeros(2, 11, dtype=torch.uint8)
    main[[0, 1, 10]], second[[2, 3, 10]] = 255, 255
    for layers, finish in zip(data.layers, data.finishes, strict=True):
        layers[:] = (second if finish else main)[:, None, None]
    return data


def lesson_of(data, seed=0, plain=True):
    return draw_lesson(data, torch.arange(COUNT), torch.Generator().manual_seed(seed), plain)


def test_each_object_comes_with_its_colours_and_without(data):
    lesson = lesson_of(data)
    assert lesson.images.shape == (2 * COUNT, 3, 8, 8)
    assert lesson.textureless.tolist() == [0] * COUNT + [1] * COUNT
    assert lesson.concepts.tolist() == data.concepts * 2
    assert torch.equal(lesson.sides[:COUNT], lesson.sides[COUNT:])
    assert (lesson.colors[COUNT:] == IGNORE).all()
    bare = lesson.images[COUNT:]
    assert (bare.amax(1) - bare.amin(1)).max() < 1e-6


def test_the_colour_that_is_named_is_the_one_that_is_seen(data):
    named = asked = 0
    for seed in range(5):
        lesson = lesson_of(data, seed)
        for concept, color, image, finish in zip(
            lesson.concepts[:COUNT].tolist(), lesson.colors.tolist(), lesson.images, data.finishes, strict=False
        ):
            if finish:
                continue
            truth = CONCEPTS[concept].default_color if color == IGNORE else COLORS[COLOR_NAMES[color]]
            assert (image[:, 4, 4] - torch.tensor(truth)).abs().max() < 0.11
            assert CONCEPTS[concept].takes_color or color == IGNORE
            named += color != IGNORE
            asked += CONCEPTS[concept].takes_color
    assert 0.75 < named / asked < 0.93


def test_of_what_is_striped_or_of_wood_no_colour_is_the_main_one(data):
    lesson, seen = lesson_of(data), set()
    for color, image, finish in zip(lesson.colors.tolist(), lesson.images, data.finishes, strict=False):
        if finish in MATERIALS:
            assert (image[:, 4, 4] - torch.tensor(MATERIALS[finish].dark)).abs().max() < 0.06
        if finish and finish != "dots":
            assert color == IGNORE
            seen.add(finish)
    assert seen == {"stripes", *MATERIALS}


def test_sides_are_named_for_what_has_a_front_and_not_from_overhead(data):
    lesson = lesson_of(data)
    for concept, side, words in zip(data.concepts, lesson.sides.tolist(), data.view_words.tolist(), strict=False):
        seen = VIEW_WORDS[words]
        known = CONCEPTS[concept].has_front and seen != "overhead view"
        assert side == (VIEW_WORDS.index(seen) if known else IGNORE)


def test_without_colours_the_light_stays():
    """Against the truth: the same object traced with one colour for all of its parts."""
    views = orbit_views(2, 20.0, 3.0, 40.0)
    light = torch.nn.functional.normalize(views.directions() + torch.tensor([0.3, 0.0, 0.4]), dim=-1)
    parts = CONCEPTS[NOUNS.index("snowman")].parts(Draw(2, torch.Generator().manual_seed(0)))
    painted, plain = (trace_layers(which, views, light, 64) for which in (parts, [Part(part.shape) for part in parts]))
    grey, ambient, background = torch.tensor([0.7, 0.5]), torch.tensor([0.3, 0.6]), torch.rand(2, 3)
    expected = plain.compose(*[grey[:, None].expand(2, 3)] * 2, ambient, background)
    rounded = dataclasses.replace(painted, values=(painted.values * 255).round() / 255)
    for layers in (painted, rounded):
        difference = (without_colors(layers, grey, ambient, background) - expected).abs()
        assert difference.mean() < 1e-3
        assert (difference > 0.05).float().mean() < 5e-3  # where parts meet in one pixel, the darker counts less


def test_what_is_made_worse_is_still_the_same_thing(data):
    torch.manual_seed(0)
    lesson = lesson_of(data, plain=False)
    assert lesson.images.min() >= 0
    assert lesson.images.max() <= 1
    again = lesson_of(data, plain=False)
    assert torch.equal(lesson.images, again.images)
    assert not torch.equal(lesson.images, lesson_of(data).images)
    values = torch.zeros(400, 1, 64, 64)
    values[:, :, 22:42, 22:42] = 1
    warped = lessons._warp(values, torch.Generator().manual_seed(0))
    side = warped.mean((1, 2, 3)).sqrt() * 64
    assert 13 < side.min() < side.median() < side.max() < 27
