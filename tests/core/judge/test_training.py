"""A few steps of the judge's training."""

import sys

import pytest
import torch

from core.judge import training
from core.judge.lessons import IGNORE, Lesson
from core.judge.network import JudgeNetwork, load_network
from core.judge.subject import COLOR_NAMES, NOUNS
from core.judge.training import examine, first_held_out, loss_of, train
from tests.core.starter.doubles import noise_data_set


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(training, "BATCH", 4)
    monkeypatch.setattr(training, "SAVE_EVERY", 1)


def test_training_writes_weights_that_load(tmp_path, monkeypatch):
    noise_data_set().save(tmp_path / "dataset.pt")
    out = tmp_path / "judge.safetensors"
    arguments = ["--data", tmp_path / "dataset.pt", "--work", tmp_path / "work", "--out", out, "--samples", 8]
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    training.main()
    load_network(out)


def test_every_weight_learns(tmp_path):
    after = train(noise_data_set(), tmp_path, samples=8)
    torch.manual_seed(0)  # as train() begins
    for (name, weight), learnt in zip(JudgeNetwork().named_parameters(), after.parameters(), strict=True):
        assert not torch.equal(weight, learnt), name


def test_an_interrupted_training_ends_like_an_uninterrupted_one(tmp_path, monkeypatch):
    data, draw = noise_data_set(), training.draw_lesson
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = train(data, tmp_path / "whole", samples=16)
    left = iter(range(2))

    def draw_twice(*arguments, **options):
        if not options:  # an examination is plain
            next(left)
        return draw(*arguments, **options)

    monkeypatch.setattr(training, "draw_lesson", draw_twice)
    with pytest.raises(StopIteration):
        train(data, tmp_path / "broken", samples=16)
    monkeypatch.setattr(training, "draw_lesson", draw)
    resumed = train(data, tmp_path / "broken", samples=16)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_is_held_out_is_never_learnt_from(tmp_path, monkeypatch):
    data, drawn = noise_data_set(), []
    draw = training.draw_lesson

    def note(data, index, generator, plain=False):
        if not plain:
            drawn.extend(index.tolist())
        return draw(data, index, generator, plain)

    monkeypatch.setattr(training, "draw_lesson", note)
    train(data, tmp_path, samples=80)
    assert first_held_out(data) == len(data) * 9 // 10 + 1 == 92
    assert max(drawn) < 92


def test_labels_that_do_not_apply_cost_nothing():
    network, none = JudgeNetwork(), torch.full((2,), IGNORE)
    lesson = Lesson(torch.rand(2, 3, 64, 64), torch.tensor([0, 1]), torch.tensor([1, 2]), none, none)
    expected = -network(lesson.images, lesson.textureless).concept[[0, 1], [1, 2]].mean()
    assert loss_of(network, lesson).item() == pytest.approx(expected.item(), rel=1e-5)


class Oracle(JudgeNetwork):
    """Knows the lesson by heart, but takes red for green and the front for the back."""

    def forward(self, images, textureless):
        guesses = super().forward(images, textureless)
        lesson = self.lesson
        guesses.concept[torch.arange(len(images)), lesson.concepts] = 1
        guesses.color[torch.arange(len(images)), lesson.colors.clamp(min=0)] = 1
        guesses.color[:, COLOR_NAMES.index("green")] += 9.0 * (lesson.colors == COLOR_NAMES.index("red"))
        guesses.side[torch.arange(len(images)), lesson.concepts, lesson.sides.clamp(min=0)] = 1
        guesses.side[..., 2] += 9.0 * (lesson.sides == 0)[:, None]
        return guesses


def test_accuracy_counts_what_is_right(monkeypatch):
    data, oracle, draw = noise_data_set(copies=12), Oracle(), training.draw_lesson

    def remember(*arguments, **options):
        oracle.lesson = draw(*arguments, **options)
        return oracle.lesson

    monkeypatch.setattr(training, "draw_lesson", remember)
    told = examine(oracle, data)
    lesson = oracle.lesson
    colors = lesson.colors[: len(lesson.colors) // 2]
    assert told.textureless == 1
    assert told.textured == pytest.approx(1 - (colors == COLOR_NAMES.index("red")).float().mean().item())
    sides = lesson.sides[: len(colors)]
    assert told.side == pytest.approx(1 - (sides == 0).sum().item() / (sides != IGNORE).sum().item())
    assert len(colors) == 61
    assert len(NOUNS) > 1
