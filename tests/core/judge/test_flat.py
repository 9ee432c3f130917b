import json
from collections import Counter

import imageio.v3 as iio
import numpy as np
import torch

from core.judge.examination import Examination
from core.judge.flat import draw_subjects, judge_pictures, write_picture_report
from core.judge.subject import COLOR_NAMES, NOUNS, Subject, all_subjects, is_held_out
from tests.core.judge.doubles import FakeClassifier, sure

MUG, DUCK = (NOUNS.index(noun) for noun in ("mug", "duck"))


class Painter:
    def __init__(self):
        self.asked = []

    def prompt_to_img(self, text, *, steps, guidance_scale, seed):
        self.asked.append((text, steps, guidance_scale, seed))
        return np.full((1, 32, 48, 3), 51, np.uint8)


def test_learnt_and_held_out_pairs_all_come_once_before_any_comes_twice():
    held_out = [one for one in all_subjects() if is_held_out(one)]
    count = len(held_out) + 10
    learnt, others = (Counter(half) for half in (draw_subjects(count, 1)[:count], draw_subjects(count, 1)[count:]))
    assert set(others) == set(held_out)
    assert sorted(others.values())[-11:] == [1] + [2] * 10
    assert len(learnt) == count
    assert not learnt.keys() & others.keys()
    assert draw_subjects(20, 1) == draw_subjects(20, 1) != draw_subjects(20, 2)


def test_pictures_are_painted_judged_and_reported(tmp_path):
    painter, told = Painter(), []
    red = COLOR_NAMES.index("red")
    classifier = FakeClassifier(sure(MUG, 1), sure(red, 1))
    subjects = [Subject(MUG, red), Subject(MUG, red + 1), Subject(MUG), Subject(DUCK, red)]
    judged, pictures = judge_pictures(painter, classifier, subjects, 3.0, 7, told.append)
    assert [one.right for one in judged] == [True, False, True, False]
    assert [(one.prompt, one.taken_for) for one in judged[::3]] == [("a red mug", "red mug"), ("a red duck", "red mug")]
    assert painter.asked[0] == ("a red mug", 50, 3.0, 7)
    assert [seed for *_, seed in painter.asked] == [7, 8, 9, 10]
    assert told == [1, 2, 3, 4]
    assert pictures.shape == (4, 3, 64, 64)
    assert torch.allclose(pictures, torch.tensor(0.2))

    own = Examination(45, 0.9, 1.0, 0.5)
    write_picture_report(tmp_path, judged, pictures, own, "Made with seed 7.")
    text = (tmp_path / "pictures.md").read_text()
    assert "| learnt | 3 | 2 (66.7 %) |" in text
    assert "| held out | 1 | 0 (0.0 %) |" in text
    assert "| a red duck | red mug |" in text
    assert text.count("DO NOT BELIEVE") == 1  # sides are not judged here
    data = json.loads((tmp_path / "pictures.json").read_text())
    assert data["learnt"] == {"pictures": 3, "right": 2}
    assert data["held_out"] == {"pictures": 1, "right": 0}
    assert data["prompts"][3]["taken_for"] == "red mug"
    assert iio.imread(tmp_path / "pictures.png").shape == (75, 750, 3)
