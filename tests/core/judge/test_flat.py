import json
from collections import Counter

import imageio.v3 as iio
import numpy as np
import torch

from core.judge.examination import Examination
from core.judge.flat import draw_subjects, judge_pictures, write_picture_report
from core.judge.subject import COLOR_NAMES, NOUNS, Subject, all_subjects
from tests.core.judge.doubles import FakeClassifier, sure

MUG, DUCK = (NOUNS.index(noun) for noun in ("mug", "duck"))


class Painter:
    def __init__(self):
        self.asked = []

    def prompt_to_img(self, text, *, steps, seed):
        self.asked.append((text, steps, seed))
        return np.full((1, 32, 48, 3), 51, np.uint8)


def test_the_whole_catalogue_comes_once_before_anything_comes_twice():
    count = len(all_subjects())
    counted = Counter(draw_subjects(count + 10, seed=1))
    assert set(counted) == set(all_subjects())
    assert sorted(counted.values())[-10:] == [2] * 10
    assert draw_subjects(20, 1) == draw_subjects(20, 1) != draw_subjects(20, 2)


def test_pictures_are_painted_judged_and_reported(tmp_path):
    painter, told = Painter(), []
    red = COLOR_NAMES.index("red")
    classifier = FakeClassifier(sure(MUG, 1), sure(red, 1))
    subjects = [Subject(MUG, red), Subject(MUG, red + 1), Subject(MUG), Subject(DUCK, red)]
    judged, pictures = judge_pictures(painter, classifier, subjects, 7, told.append)
    assert [one.right for one in judged] == [True, False, True, False]
    assert [(one.prompt, one.taken_for) for one in judged[::3]] == [("a red mug", "red mug"), ("a red duck", "red mug")]
    assert painter.asked[0] == ("a red mug", 50, 7)
    assert [seed for _, _, seed in painter.asked] == [7, 8, 9, 10]
    assert told == [1, 2, 3, 4]
    assert pictures.shape == (4, 3, 64, 64)
    assert torch.allclose(pictures, torch.tensor(0.2))

    own = Examination(45, 0.9, 1.0, 0.5)
    write_picture_report(tmp_path, judged, pictures, own, "Made with seed 7.")
    text = (tmp_path / "pictures.md").read_text()
    assert "right in 2 of 4 pictures (50.0 %)" in text
    assert "| a red duck | red mug |" in text
    assert text.count("DO NOT BELIEVE") == 1  # sides are not judged here
    data = json.loads((tmp_path / "pictures.json").read_text())
    assert (data["pictures"], data["right"], data["prompts"][3]["taken_for"]) == (4, 2, "red mug")
    assert iio.imread(tmp_path / "pictures.png").shape == (75, 750, 3)
