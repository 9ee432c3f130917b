"""Training of the judge's classifier.

    python -m core.starter.dataset --out build/judge --count 24000 --seed 1
    python -m core.judge.training --data build/judge/dataset.pt --work build/judge

Give it a data set of its own (another --seed than the starter model's). It saves its state in the work folder every
SAVE_EVERY steps and resumes from there. The last tenth of the data set is held out; of it the accuracies are told.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from core.device import keep_freed_memory
from core.judge.lessons import IGNORE, Lesson, draw_lesson
from core.judge.network import WEIGHTS, Guesses, JudgeNetwork, save_network
from core.starter.dataset import Dataset
from core.starter.descent import Descent

BATCH = 32  # objects; each is seen twice, with its colours and without
SAVE_EVERY = 250  # steps
HELD_OUT = 0.1  # share of the data set
_CHUNK = 128  # objects examined at once


@dataclass(frozen=True)
class Accuracy:
    """Shares of held-out pictures that are told right."""

    textured: float  # concept and, where one was named, colour
    textureless: float  # concept
    side: float  # of those with a front, not from overhead, with colours


def loss_of(network: JudgeNetwork, lesson: Lesson) -> Tensor:
    """The sum of the three answers' negative log-likelihoods."""
    guesses = network(lesson.images, lesson.textureless)
    pairs = ((guesses.concept, lesson.concepts), (guesses.color, lesson.colors), (_side(guesses, lesson), lesson.sides))
    total: Tensor = sum((_mean_loss(answer, label) for answer, label in pairs), torch.zeros(()))
    return total


def _side(guesses: Guesses, lesson: Lesson) -> Tensor:
    """The answers "B 3" to which side of its concept a picture shows."""
    return guesses.side[torch.arange(len(lesson.concepts)), lesson.concepts]


def _mean_loss(answer: Tensor, label: Tensor) -> Tensor:
    """0 where no label applies."""
    return F.nll_loss(answer, label, ignore_index=IGNORE, reduction="sum") / (label != IGNORE).sum().clamp(min=1)


def train(data: Dataset, work: Path, samples: int) -> JudgeNetwork:
    """Fit a network to all but the held-out objects, from the state in `work` if there is one."""
    torch.manual_seed(0)
    network, steps, count = JudgeNetwork(), samples // BATCH, first_held_out(data)
    optimizer = Descent(network)
    start, running = _restore(work / "judge.pt", network, optimizer), 0.0
    for step in (bar := tqdm(range(start, steps), desc="judge", initial=start, total=steps)):
        generator = torch.Generator().manual_seed(step)
        lesson = draw_lesson(data, torch.randint(count, (BATCH,), generator=generator), generator)
        loss = loss_of(network, lesson)
        optimizer.step(loss, _schedule(step / steps))
        running = 0.98 * running + 0.02 * loss.item()
        bar.set_postfix(loss=f"{running / (1 - 0.98 ** (step - start + 1)):.3f}")
        if step % SAVE_EVERY == SAVE_EVERY - 1 or step == steps - 1:
            _store(work / "judge.pt", network, optimizer, step + 1)
            told = examine(network, data)
            bar.write(f"{step + 1}: {told.textured:.1%} textured, {told.textureless:.1%} not, {told.side:.1%} sides")
    return network.eval()


def first_held_out(data: Dataset) -> int:
    """The objects from this one on are never learnt from."""
    return len(data) - round(HELD_OUT * len(data))


def examine(network: JudgeNetwork, data: Dataset) -> Accuracy:
    """How much the network gets right of the held-out pictures, as they are."""
    generator = torch.Generator().manual_seed(0)
    parts = torch.split(torch.arange(first_held_out(data), len(data)), _CHUNK)
    marks = [_mark(network, draw_lesson(data, part, generator, plain=True)) for part in parts]
    return Accuracy(*(float(torch.cat(one).float().mean()) for one in zip(*marks, strict=True)))


@torch.no_grad()
def _mark(network: JudgeNetwork, lesson: Lesson) -> tuple[Tensor, Tensor, Tensor]:
    """Which pictures are told right: textured, textureless, sides of the textured ones that have one."""
    guesses, bare = network(lesson.images, lesson.textureless), lesson.textureless.bool()
    concept = guesses.concept.argmax(1) == lesson.concepts
    color = (guesses.color.argmax(1) == lesson.colors) | (lesson.colors == IGNORE)
    sided = ~bare & (lesson.sides != IGNORE)
    return (concept & color)[~bare], concept[bare], (_side(guesses, lesson).argmax(1) == lesson.sides)[sided]


def _schedule(progress: float) -> float:
    """Warm-up over the first fiftieth, then a cosine to nothing."""
    return min(1.0, progress * 50 + 1e-2) * 0.5 * (1 + math.cos(math.pi * progress))


def _store(path: Path, network: JudgeNetwork, optimizer: Descent, step: int) -> None:
    state: dict[str, Any] = {"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _restore(path: Path, network: JudgeNetwork, optimizer: Descent) -> int:
    """Load a saved state, if there is one, and return its step."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def main() -> None:
    """Train, and write the weights that ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="what core.starter.dataset wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder for the state of the training")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file for the finished weights; default: %(default)s")
    parser.add_argument("--samples", type=int, default=200_000, help="objects to look at; default: %(default)s")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    data, start = Dataset.load(arguments.data), time.monotonic()
    network = train(data, arguments.work, arguments.samples)
    print(f"trained in {(time.monotonic() - start) / 60:.0f} minutes")
    save_network(network, arguments.out, vars(examine(network, data)))
    print(arguments.out)


if __name__ == "__main__":
    main()
