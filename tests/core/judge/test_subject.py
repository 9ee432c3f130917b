import re

import pytest

from core.errors import InputError
from core.judge import subject
from core.judge.subject import COLOR_NAMES, NOUNS, Subject, all_subjects, default_prompts, is_held_out, parse, prompt_of
from core.starter.catalogue import CONCEPTS


def asked(noun, color=None):
    return Subject(NOUNS.index(noun), None if color is None else COLOR_NAMES.index(color))


@pytest.mark.parametrize(
    ("prompt", "noun", "color"),
    [
        ("a hamburger", "hamburger", None),
        ("a red mug", "mug", "red"),
        ("A  Blue CHAIR", "chair", "blue"),
        ("an orange duck", "duck", "orange"),
        ("a gray mug", "mug", "grey"),
        ("a snowman with a Gray hat", "snowman", "grey"),
        ("the 3d model of a black car, side view", "car", "black"),
        ("a snowman", "snowman", None),
        ("a snowman with an orange hat", "snowman", "orange"),
        ("a snowman with a purple hat", "snowman", "purple"),
        ("an ice cream", "ice cream", None),
        ("a green wooden table", "table", "green"),
        ("a white mug with blue dots", "mug", "white"),
        ("a mug with blue dots", "mug", None),
        ("a yellow house beside a red car", "house", "yellow"),
    ],
)
def test_a_prompt_names_a_concept_and_perhaps_a_colour(prompt, noun, color):
    assert parse(prompt) == asked(noun, color)


@pytest.mark.parametrize("prompt", ["a corgi", "a carton", "red", "a blue hamburger", ""])
def test_what_is_outside_the_catalogue_is_refused(prompt):
    with pytest.raises(InputError, match=r"is nothing that|outside the catalogue"):
        parse(prompt)


def test_every_subject_is_understood_as_it_is_written():
    subjects = all_subjects()
    assert len(subjects) == len(set(subjects)) == sum(len(COLOR_NAMES) if c.takes_color else 1 for c in CONCEPTS)
    for one in subjects:
        assert parse(prompt_of(one)) == one
        assert not re.search(r"\ba [aeiou]", prompt_of(one))


def test_without_a_file_forty_prompts_are_drawn_of_which_ten_are_held_out():
    parsed = [parse(prompt) for prompt in default_prompts()]
    assert len({one.concept for one in parsed}) == len(parsed) == 40
    assert len({one.color for one in parsed}) >= len(COLOR_NAMES)
    assert [is_held_out(one) for one in parsed].count(True) == 10
    assert default_prompts() == default_prompts()


def test_what_is_held_out_stands_in_the_list():
    assert [is_held_out(asked("chair", color)) for color in ("red", "white", "blue")] == [True, True, False]
    assert not is_held_out(asked("chair"))
    assert not is_held_out(asked("hamburger"))


def test_a_file_has_one_prompt_a_line(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeffa mug\n\n# a comment\n  a  red   duck \na mug\n")
    assert subject.read_prompts(path) == ["a mug", "a red duck"]
    for bad in (b"", b"# nothing\n", b"\xff\xfe\x00"):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="--prompts"):
            subject.read_prompts(path)
    with pytest.raises(InputError, match="Cannot read"):
        subject.read_prompts(tmp_path / "none.txt")
