"""What the starter model learns from: traced layers of the catalogue's objects, composed into captioned pictures.

    python -m core.starter.dataset --out build/starter --count 12000

Tracing is done once, patterns and materials included; every training batch then gets fresh colours, ambient light,
backgrounds and captions. Pairs of concept and colour that are held out are never drawn.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from core.camera import Views, camera_embedding, camera_planes, sample_views
from core.config import CameraConfig
from core.prompt import VIEW_WORDS, view_index
from core.starter.captions import Look, caption
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.colors import RGB
from core.starter.concept import Concept, Draw
from core.starter.heldout import seen_colors
from core.starter.patterns import MATERIALS, make_pattern
from core.starter.truth import Layers, trace_layers

RESOLUTION = 64
BATCH = 8  # objects of one concept that are traced at once
CAMERAS = CameraConfig(radius=(2.5, 3.3), elevation_deg=(-15.0, 75.0))
FINISHED = 0.3  # share of the objects with a pattern or of a material, among those whose concept has any
NAMED_COLOR = 0.8  # share of captions that name the main colour
NAMED_VIEW = 0.5  # share of captions that name the view
NO_CAPTION = 0.1  # share of pictures without a caption, for classifier-free guidance
KNOWN_CAMERA = 0.85  # share of captioned pictures whose camera the network is told; half that share of the others
TOO_CLOSE = 0.25  # two colours of an object differ by more than this in red, green or blue


@dataclass(frozen=True)
class Batch:
    """Captioned pictures."""

    images: Tensor  # "B 3 H W", sRGB in [0, 1]
    captions: list[str]  # "" where there is none
    cameras: Tensor  # "B 5", camera_embedding or zeros
    planes: Tensor  # "B 3 h w", camera_planes of the latents or zeros


class Dataset:
    """Traced layers in memory, a uint8 tensor "N 11 H W", with the concept, the finish and the view of each."""

    def __init__(self, layers: Tensor, concepts: list[int], finishes: list[str], views: Views) -> None:
        """See :func:`make_dataset`; a finish is one of PATTERNS or MATERIALS, or ""."""
        self.layers, self.concepts, self.finishes, self.views = layers, concepts, finishes, views
        self.view_words = view_index(views)  # of VIEW_WORDS

    def __len__(self) -> int:
        """The number of traced objects."""
        return len(self.layers)

    def save(self, path: Path) -> None:
        """Write all to one file."""
        parts = {"layers": self.layers, "concepts": self.concepts, "finishes": self.finishes, "views": vars(self.views)}
        torch.save(parts, path)

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Read what :meth:`save` wrote."""
        data = torch.load(path, weights_only=True)
        return cls(data["layers"], data["concepts"], data["finishes"], Views(**data["views"]))

    def draw(self, batch: int, rng: random.Random) -> Batch:
        """Compose a random batch."""
        index = [rng.randrange(len(self)) for _ in range(batch)]
        colors, seconds, captions = zip(*(self._describe(i, rng) for i in index), strict=True)
        ambient = torch.tensor([1.0 if rng.random() < 0.25 else rng.uniform(0.3, 0.8) for _ in index])
        background = torch.tensor([[rng.random() for _ in range(3)] for _ in index])
        layers = Layers(self.layers[index].float() / 255)
        images = layers.compose(torch.tensor(colors), torch.tensor(seconds), ambient, background)
        known = torch.tensor([rng.random() < (KNOWN_CAMERA if text else KNOWN_CAMERA / 2) for text in captions]).float()
        views, size = self.views[index], (images.shape[-2] // 2, images.shape[-1] // 2)
        cameras = camera_embedding(views) * known[:, None]
        return Batch(images, list(captions), cameras, camera_planes(views, size) * known[:, None, None, None])

    def _describe(self, index: int, rng: random.Random) -> tuple[RGB, RGB, str]:
        """The main colour, the second one and the caption that goes with them, perhaps none."""
        concept, finish = CONCEPTS[self.concepts[index]], self.finishes[index]
        look, main, second = _paint(concept, finish, rng)
        view = VIEW_WORDS[int(self.view_words[index])]
        text = caption(concept, look, view if rng.random() < NAMED_VIEW else None, rng)
        return _shade(main, rng), _shade(second, rng), "" if rng.random() < NO_CAPTION else text


def _paint(concept: Concept, finish: str, rng: random.Random) -> tuple[Look, RGB, RGB]:
    """What a caption says of an object's surface, and its main and second colour."""
    if finish in MATERIALS:
        return Look(finish=finish), MATERIALS[finish].light, MATERIALS[finish].dark
    names = seen_colors(concept)
    name = rng.choice(names) if concept.takes_color and rng.random() < NAMED_COLOR else None
    main = COLORS[name] if name else concept.default_color
    if not finish:
        return Look(name), main, main
    second = rng.choice([other for other in names if _difference(COLORS[other], main) > TOO_CLOSE])
    return Look(name, finish, second), main, COLORS[second]


def _difference(first: RGB, second: RGB) -> float:
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def _shade(color: RGB, rng: random.Random) -> RGB:
    """The colour, a little darker or lighter."""
    red, green, blue = (c * rng.uniform(0.94, 1.04) for c in color)
    return red, green, blue


def make_dataset(count: int, seed: int = 0, processes: int = 2) -> Dataset:
    """Trace `count` objects, rounded up to whole batches of BATCH, the concepts in turn.

    The result depends on the seed, not on the processes.
    """
    batches = range(-(-count // BATCH))
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        traced = pool.map(_trace_batch, [seed] * len(batches), batches)
        parts = list(tqdm(traced, total=len(batches), desc="tracing", unit="batch"))
    layers, concepts, finishes, views = zip(*parts, strict=True)
    joined = Views(*(torch.cat(values) for values in zip(*(vars(v).values() for v in views), strict=True)))
    each = [(concept, finish) for concept, finish in zip(concepts, finishes, strict=True) for _ in range(BATCH)]
    return Dataset(torch.cat(layers), [concept for concept, _ in each], [finish for _, finish in each], joined)


def _trace_batch(seed: int, number: int) -> tuple[Tensor, int, str, Views]:
    """Layers "BATCH 11 H W" as uint8 of one concept, its index, their finish and the views."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    index = number % len(CONCEPTS)
    concept, draw = CONCEPTS[index], Draw(BATCH, generator)
    finish = _choose_finish(concept, generator)
    pattern = make_pattern(finish, draw, concept.stripes_along)
    views = sample_views(CAMERAS, BATCH, generator)
    light = views.directions() + 0.5 * torch.randn(BATCH, 3, generator=generator)
    light = light / light.norm(dim=-1, keepdim=True)
    layers = trace_layers(concept.parts(draw), views, light, RESOLUTION, pattern)
    return (layers.values * 255).round().byte(), index, finish, views


def _choose_finish(concept: Concept, generator: torch.Generator) -> str:
    """One of the concept's patterns and materials for a share FINISHED of the batches, else ""."""
    finishes = (*concept.patterns, *concept.materials)
    share, which = torch.rand(2, generator=generator).tolist()
    return finishes[int(which * len(finishes))] if finishes and share < FINISHED else ""


def main() -> None:
    """Make the data set and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for dataset.pt")
    rounded = f"of pictures, rounded up to a multiple of {BATCH}; default: %(default)s"
    parser.add_argument("--count", type=int, default=12_000, help=rounded)
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    make_dataset(arguments.count, arguments.seed).save(arguments.out / "dataset.pt")


if __name__ == "__main__":
    main()
