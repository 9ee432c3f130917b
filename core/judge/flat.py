"""The same judge on flat pictures: what `core image` paints of the catalogue, before any 3D."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from core.files import write_atomic
from core.judge.examination import Examination
from core.judge.network import INPUT_SIZE
from core.judge.report import percent, warnings
from core.judge.sheet import write_grid
from core.judge.subject import Subject, all_subjects, is_held_out, prompt_of
from core.judge.verdict import Classifier

STEPS = 50  # of the sampler, as `core image` takes unless told
_COLUMNS = 10


class Painter(Protocol):
    """What paints a prompt: core.guidance's StableDiffusion, or a double in tests."""

    def prompt_to_img(self, text: str, *, steps: int, guidance_scale: float, seed: int) -> npt.NDArray[np.uint8]:
        """One picture, "1 H W 3"."""


@dataclass(frozen=True)
class Judged:
    """One picture of a prompt."""

    prompt: str
    held_out: bool  # a pair of concept and colour that the starter model has not seen
    taken_for: str
    right: bool


def draw_subjects(count: int, seed: int) -> list[Subject]:
    """`count` pairs that the starter model has learnt and `count` held-out ones, each by lot.

    None comes twice before all of its kind have come once.
    """
    rng = random.Random(seed)
    kinds = [[one for one in all_subjects() if is_held_out(one) == held_out] for held_out in (False, True)]
    return [one for kind in kinds for one in _repeat(kind, count, rng)]


def _repeat(kind: list[Subject], count: int, rng: random.Random) -> list[Subject]:
    subjects: list[Subject] = []
    while len(subjects) < count:
        subjects += rng.sample(kind, len(kind))
    return subjects[:count]


def judge_pictures(
    painter: Painter,
    classifier: Classifier,
    subjects: Sequence[Subject],
    scale: float,
    seed: int,
    on_picture: Callable[[int], None],
) -> tuple[list[Judged], Tensor]:
    """Paint and judge one picture of each subject; also the pictures, "N 3 64 64".

    `scale` is that of the guidance. Each picture gets a seed of its own, from `seed` on. `on_picture` hears how many
    are done.
    """
    judged, pictures = [], []
    for number, subject in enumerate(subjects):
        prompt = prompt_of(subject)
        painted = painter.prompt_to_img(prompt, steps=STEPS, guidance_scale=scale, seed=seed + number)
        picture = _fit(torch.from_numpy(painted).permute(0, 3, 1, 2) / 255)
        judged.append(judge_picture(classifier, picture, subject))
        pictures.append(picture)
        on_picture(number + 1)
    return judged, torch.cat(pictures)


def judge_picture(classifier: Classifier, picture: Tensor, asked: Subject) -> Judged:
    """What one picture "1 3 H W" is taken for."""
    guesses = classifier.guess(picture, False)
    color = None if asked.color is None else int(guesses.color[0].argmax())
    taken = Subject(int(guesses.concept[0].argmax()), color)
    return Judged(prompt_of(asked), is_held_out(asked), taken.name, taken == asked)


def _fit(picture: Tensor) -> Tensor:
    """As large as the judge sees, whatever size the model paints."""
    return F.interpolate(picture, (INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True).clamp(0, 1)


def write_picture_report(out: Path, judged: Sequence[Judged], pictures: Tensor, own: Examination, how: str) -> None:
    """Replace pictures.md, pictures.json and pictures.png in `out`."""
    record: dict[str, Any] = {"made": how, "judge": vars(own), **_counts(judged)}
    record["prompts"] = [dataclasses.asdict(one) for one in judged]
    write_atomic(out / "pictures.json", (json.dumps(record, indent=1) + "\n").encode())
    write_atomic(out / "pictures.md", _markdown(judged, own, how).encode())
    write_grid(pictures, tuple(one.right for one in judged), _COLUMNS, out / "pictures.png")


def _counts(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """How many pictures of learnt and of held-out pairs there are, and how many are right."""
    kinds = {"learnt": [one for one in judged if not one.held_out], "held_out": [one for one in judged if one.held_out]}
    return {name: {"pictures": len(ones), "right": sum(one.right for one in ones)} for name, ones in kinds.items()}


def _markdown(judged: Sequence[Judged], own: Examination, how: str) -> str:
    lines = ["# What the judge says of pictures", "", how, "", *warnings(own, ["textured"])]
    lines += ["| pairs of concept and colour | pictures | right |", "|---|---:|---:|"]
    for name, count in _counts(judged).items():
        share = count["right"] / count["pictures"] if count["pictures"] else None
        lines.append(f"| {name.replace('_', ' ')} | {count['pictures']} | {count['right']} ({percent(share)}) |")
    lines += [
        "",
        f"The judge itself is right about {percent(own.textured)} of {own.objects} true objects.",
        "",
        "| wrong: asked for | taken for |",
        "|---|---|",
    ]
    lines += [f"| {one.prompt} | {one.taken_for} |" for one in judged if not one.right]
    return "\n".join(lines) + "\n"
