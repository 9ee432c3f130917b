"""Sheets of pictures, and one of the whole catalogue as the ground truth shows it.

    python -m core.starter.sheet --out catalogue.png --size 128

Four pictures a concept: two sides in its usual colour, then one in a named colour, then one with a pattern or of a
material where it has any.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from core.camera import Views
from core.pixels import to_pixels, to_png
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.colors import RGB
from core.starter.concept import Concept, Draw
from core.starter.heldout import seen_colors, usual_color
from core.starter.patterns import MATERIALS, make_pattern
from core.starter.truth import trace_layers

SIDES_DEG = (30.0, 150.0, 330.0, 20.0)
ELEVATION_DEG, RADIUS, FOV_DEG = 20.0, 2.9, 40.0
AMBIENT = 0.45
BACKDROP = (0.80, 0.82, 0.85)
CONCEPTS_A_ROW = 4


def write_sheet(images: Tensor, columns: int, path: Path) -> None:
    """Pictures "N 3 H W" in [0, 1] as one PNG, row by row; what is missing in the last row is white."""
    gap = -len(images) % columns
    rows = torch.split(torch.cat([images, torch.ones(gap, *images.shape[1:], device=images.device)]), columns)
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1).permute(1, 2, 0)
    path.write_bytes(to_png(to_pixels(sheet.cpu().numpy())))


def show_concept(concept: Concept, number: int, size: int) -> Tensor:
    """Four pictures "4 3 H W"; `number` chooses the colours and the pattern or material."""
    views = Views(torch.tensor(SIDES_DEG), *(torch.full((4,), value) for value in (ELEVATION_DEG, RADIUS, FOV_DEG)))
    light = F.normalize(views.directions() + torch.tensor([0.0, 0.0, 0.6]), dim=-1)
    pictures = []
    for place, (finish, *colors) in enumerate(_surfaces(concept, number)):
        draw = Draw(1, torch.Generator().manual_seed(4 * number + place))
        pattern = make_pattern(finish, draw, concept.stripes_along)
        layers = trace_layers(concept.parts(draw), views[[place]], light[[place]], size, pattern)
        main, second, backdrop = (torch.tensor([color]) for color in (*colors, BACKDROP))
        pictures.append(layers.compose(main, second, torch.tensor([AMBIENT]), backdrop))
    return torch.cat(pictures)


def _surfaces(concept: Concept, number: int) -> list[tuple[str, RGB, RGB]]:
    """The finish, main and second colour of the four pictures."""
    usual = ("", concept.default_color, concept.default_color)
    finishes = (*concept.patterns, *concept.materials)
    finish = finishes[number % len(finishes)] if finishes else ""
    names = [name for name in seen_colors(concept) if concept.takes_color and name != usual_color(concept)]
    main, second = (
        COLORS[names[(3 * number + step) % len(names)]] if names else concept.default_color for step in (0, 5)
    )
    named = ("", second, second)
    if finish in MATERIALS:
        return [usual, usual, named, (finish, MATERIALS[finish].light, MATERIALS[finish].dark)]
    return [usual, usual, named, (finish, main, second)]


def write_catalogue(path: Path, size: int) -> None:
    """All concepts, CONCEPTS_A_ROW of them side by side."""
    bar = tqdm(CONCEPTS, desc="drawing", unit="concept")
    pictures = [show_concept(concept, number, size) for number, concept in enumerate(bar)]
    write_sheet(torch.cat(pictures), 4 * CONCEPTS_A_ROW, path)


def main() -> None:
    """Draw the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("catalogue.png"))
    parser.add_argument("--size", type=int, default=128, help="pixels along a side of each picture")
    arguments = parser.parse_args()
    write_catalogue(arguments.out, arguments.size)


if __name__ == "__main__":
    main()
