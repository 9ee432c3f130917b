"""Labelled pictures for the classifier: ground truth with its colours and without, made to look less than perfect.

The pictures come from the layers that the starter model learns from (core.starter.dataset), under fresh light, colours
and backgrounds. Meshes that were learnt from a diffusion model are lumpy, blurred and too bright; so are the lessons.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.judge.network import SIDES
from core.judge.subject import COLOR_NAMES
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.dataset import Dataset
from core.starter.patterns import MATERIALS
from core.starter.truth import Layers

IGNORE = -100  # in place of a label that does not apply, as in torch's cross_entropy
NAMED_COLOR = 0.85  # share of the objects in one of COLORS, of those that take a colour

_SHADE = (0.9, 1.08)  # factors of the main colour, each channel its own
_GREYS = (0.5, 0.95)  # albedos of what has no colours
_AMBIENT = (0.3, 0.8)
_ALL_AMBIENT = 0.15  # share of the pictures without any directed light; none of those without colours
_SCALES, _SHIFT = (0.75, 1.25), 0.12  # the shift as a share of half the picture
_LUMPS = 0.04  # standard deviation of the warp, as a share of half the picture
_SATURATION = (0.75, 1.5)
_BRIGHTNESS = (0.85, 1.12)
_STAINS, _NOISE = 0.05, 0.02  # standard deviations


@dataclass(frozen=True)
class Lesson:
    """Pictures and what is right about them."""

    images: Tensor  # "B 3 64 64"
    textureless: Tensor  # "B", 0 or 1
    concepts: Tensor  # "B"
    colors: Tensor  # "B", IGNORE where none was named
    sides: Tensor  # "B", of SIDES; IGNORE from overhead and for what has no front


def draw_lesson(data: Dataset, index: Tensor, generator: torch.Generator, plain: bool = False) -> Lesson:
    """The chosen objects twice: with their colours, then without. `plain`: as they are, nothing made worse."""
    layers = Layers(data.layers[index].float() / 255)
    if not plain:
        layers = Layers(_warp(layers.values, generator))
    concepts = torch.tensor(data.concepts)[index]
    mains, seconds, colors = _paint(concepts, [data.finishes[i] for i in index.tolist()], generator)
    background = torch.rand(len(index), 3, generator=generator)
    images = torch.cat(
        [
            layers.compose(mains, seconds, _draw_ambient(len(index), _ALL_AMBIENT, generator), background),
            without_colors(
                layers,
                _uniform(_GREYS, (len(index),), generator),
                _draw_ambient(len(index), 0.0, generator),
                background,
            ),
        ]
    )
    textureless = torch.arange(2).repeat_interleave(len(index))
    if not plain:
        images = _spoil(images, generator)
    sides = _label_sides(data, index, concepts)
    none = torch.full_like(colors, IGNORE)
    return Lesson(images, textureless, concepts.repeat(2), torch.cat([colors, none]), sides.repeat(2))


def without_colors(layers: Layers, grey: Tensor, ambient: Tensor, background: Tensor) -> Tensor:
    """Pictures "B 3 H W" of the same objects, in the same light, with the albedo `grey` "B" everywhere.

    What light falls on a pixel is the share of its colour that is left when no light comes from elsewhere.
    """
    count = len(grey)
    zero, one, black, white = torch.zeros(count), torch.ones(count), torch.zeros(count, 3), torch.ones(count, 3)
    flat, lit = layers.compose(white, white, one, black), layers.compose(white, white, zero, black)
    cover = 1 - (layers.compose(white, white, one, white) - flat).mean(1, keepdim=True)
    lambert = (lit.sum(1, keepdim=True) / flat.sum(1, keepdim=True).clamp(min=1e-3)).clamp(0, 1)
    ambient, grey = ambient[:, None, None, None], grey[:, None, None, None]
    shaded = grey * (ambient + (1 - ambient) * lambert) * cover
    return shaded + (1 - cover) * background[:, :, None, None]


def _paint(concepts: Tensor, finishes: list[str], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Main and second colours "B 3", whether held out or not, and the labels "B" of the main ones.

    Materials have colours of their own, and of stripes nobody can tell which colour is the main one.
    """
    count, colors = len(concepts), torch.tensor(list(COLORS.values()))
    takes = torch.tensor([concept.takes_color for concept in CONCEPTS])[concepts]
    usual = torch.tensor([concept.default_color for concept in CONCEPTS])[concepts]
    label, other = torch.randint(len(COLOR_NAMES), (2, count), generator=generator)
    named = takes & (torch.rand(count, generator=generator) < NAMED_COLOR)
    main, second = torch.where(named[:, None], colors[label], usual), colors[other]
    for place, finish in enumerate(finishes):
        if finish in MATERIALS:
            main[place], second[place] = (torch.tensor(c) for c in (MATERIALS[finish].light, MATERIALS[finish].dark))
    told = named & torch.tensor([finish in ("", "dots") for finish in finishes])
    main, second = (c * _uniform(_SHADE, c.shape, generator) for c in (main, second))
    return main, second, torch.where(told, label, IGNORE)


def _label_sides(data: Dataset, index: Tensor, concepts: Tensor) -> Tensor:
    known = torch.tensor([concept.has_front for concept in CONCEPTS])[concepts]
    side = data.view_words[index]
    return torch.where(known & (side < len(SIDES)), side, IGNORE)


def _draw_ambient(count: int, all_ambient: float, generator: torch.Generator) -> Tensor:
    full = torch.rand(count, generator=generator) < all_ambient
    return torch.where(full, 1.0, _uniform(_AMBIENT, (count,), generator))


def _warp(values: Tensor, generator: torch.Generator) -> Tensor:
    """Layers "B C H W" moved, scaled and dented; outside of them is nothing."""
    count, size = len(values), values.shape[-2:]
    scale = 1 / _uniform(_SCALES, (count,), generator)
    pose = torch.zeros(count, 2, 3)
    pose[:, 0, 0] = pose[:, 1, 1] = scale
    pose[:, :, 2] = _uniform((-_SHIFT, _SHIFT), (count, 2), generator)
    lumps = _LUMPS * torch.randn(count, 2, 8, 8, generator=generator) * torch.rand(count, 1, 1, 1, generator=generator)
    dents = F.interpolate(lumps, size, mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
    grid = F.affine_grid(pose, [count, 1, *size], align_corners=False) + dents
    return F.grid_sample(values, grid, align_corners=False)


def _spoil(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures "B 3 64 64" with other brightness and saturation, stains, blur and noise."""
    count = len(images)
    luma = images.mean(1, keepdim=True)
    images = luma + (images - luma) * _uniform(_SATURATION, (count, 1, 1, 1), generator)
    images = images * _uniform(_BRIGHTNESS, (count, 1, 1, 1), generator)
    stains = _STAINS * torch.randn(count, 3, 8, 8, generator=generator)
    images = images + F.interpolate(stains, images.shape[-2:], mode="bilinear", align_corners=False)
    images = torch.lerp(images, _blur(images), torch.rand(count, 1, 1, 1, generator=generator))
    noise = torch.rand(count, 1, 1, 1, generator=generator) * torch.randn(images.shape, generator=generator)
    return (images + _NOISE * noise).clamp(0, 1)


def _blur(images: Tensor) -> Tensor:
    """The mean of 2x2 pixels, spread smoothly over them again: what a picture looks like at half its resolution."""
    return F.interpolate(F.avg_pool2d(images, 2), scale_factor=2.0, mode="bilinear", align_corners=False)


def _uniform(bounds: tuple[float, float], shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand(shape, generator=generator)
