"""The classifier: which concept a picture shows, in which main colour, from which side.

It is small, sees 64x64 pixels, and learns from ground truth alone: never from what a diffusion model makes of it. A
picture comes with its colours or without; a channel tells which, since a grey ball is one thing or the other.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import InputError
from core.files import write_atomic
from core.judge.subject import COLOR_NAMES, NOUNS
from core.prompt import VIEW_WORDS

INPUT_SIZE = 64  # pixels along a side
SIDES = VIEW_WORDS[:3]  # front, side, back; from overhead nobody asks
WIDTHS = (16, 32, 64, 128, 192)
WEIGHTS = Path(__file__).parent / "weights" / "judge.safetensors"
_KNOWN = {"concepts": list(NOUNS), "colors": list(COLOR_NAMES)}


@dataclass(frozen=True)
class Guesses:
    """Logarithms of probabilities for V pictures; the exponentials of each last row sum to one."""

    concept: Tensor  # "V concepts", in the order of NOUNS
    color: Tensor  # "V colours", in the order of COLOR_NAMES
    side: Tensor  # "V concepts 3", in the order of SIDES: were it this concept


class JudgeNetwork(nn.Module):
    """A stem and four blocks of convolutions, each of which halves the picture; one linear layer for each answer."""

    def __init__(self) -> None:
        """Untrained."""
        super().__init__()
        self.stem = nn.Conv2d(4, WIDTHS[0], 3, padding=1)
        self.blocks = nn.Sequential(*(_Block(*pair) for pair in itertools.pairwise(WIDTHS)))
        features = WIDTHS[-1] * 4  # what is left and right, above and below stays apart: where a handle points
        self.concept, self.color, self.side = (
            nn.Linear(features, count) for count in (len(NOUNS), len(COLOR_NAMES), len(NOUNS) * len(SIDES))
        )

    def forward(self, images: Tensor, textureless: Tensor) -> Guesses:
        """Pictures "V 3 64 64", sRGB in [0, 1], and whether each was taken without its colours, "V"."""
        flag = textureless.float()[:, None, None, None].expand(-1, 1, *images.shape[-2:])
        x = self.blocks(self.stem(torch.cat([images * 2 - 1, flag], dim=1)))
        x = F.adaptive_avg_pool2d(x, 2).flatten(1)
        answers = self.concept(x), self.color(x), self.side(x).unflatten(1, (len(NOUNS), len(SIDES)))
        return Guesses(*(F.log_softmax(answer, dim=-1) for answer in answers))

    @torch.no_grad()
    def guess(self, images: Tensor, textureless: bool) -> Guesses:
        """Answers for pictures "V 3 H W" of any size that is a multiple of 64."""
        small = F.adaptive_avg_pool2d(images, INPUT_SIZE)
        answers: Guesses = self(small, torch.full((len(images),), float(textureless)))
        return answers


class _Block(nn.Module):
    """Two convolutions, the first of which halves the picture."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.same = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norms = nn.ModuleList([nn.GroupNorm(8, inputs), nn.GroupNorm(8, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(F.silu(self.norms[0](x)))
        answer: Tensor = x + self.same(F.silu(self.norms[1](x)))
        return answer


def save_network(network: JudgeNetwork, path: Path, notes: Mapping[str, float]) -> None:
    """Write half-precision weights, the names of what they know, and `notes` on how they were made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: tensor.detach().half().contiguous() for name, tensor in network.state_dict().items()}
    texts = {name: json.dumps(value) for name, value in {**_KNOWN, "notes": dict(notes)}.items()}
    write_atomic(path, safetensors.torch.save(halves, texts))


def load_network(path: Path = WEIGHTS) -> JudgeNetwork:
    """The trained network. Raises InputError where there is none, or it was made for another catalogue or program."""
    cure = "train it: python -m core.starter.dataset, then python -m core.judge.training (see --help of both)."
    try:
        with safetensors.safe_open(str(path), "pt") as file:
            texts = file.metadata() or {}
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no dictionary
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"The judge's weights ({path}) are missing or damaged: {cure}") from error
    if any(texts.get(name) != json.dumps(known) for name, known in _KNOWN.items()):
        raise InputError(f"The judge's weights ({path}) are of another catalogue: {cure}")
    network = JudgeNetwork()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"The judge's weights ({path}) are of another network: {cure}") from error
    return network.eval()
