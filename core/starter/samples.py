"""Sheets of pictures that show what the starter model has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import torch
from torch import Tensor


def write_sheet(images: Tensor, columns: int, path: Path) -> None:
    """Pictures "N 3 H W" in [0, 1] as one PNG, row by row."""
    rows = [torch.cat(list(row), dim=2) for row in images.split(columns)]
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1)
    iio.imwrite(path, (sheet * 255).round().byte().cpu().numpy())


def write_reconstructions(vae: Any, images: Tensor, path: Path) -> None:
    """Pictures "N 3 H W" in [0, 1], eight a row, each row followed by what the autoencoder makes of it."""
    with torch.no_grad():
        decoded = vae.decode(vae.encode(images * 2 - 1).latent_dist.mode()).sample / 2 + 0.5
    rows = [part for pair in zip(images.split(8), decoded.split(8), strict=True) for part in pair]
    write_sheet(torch.cat(rows), 8, path)


def write_samples(model: Path, path: Path, steps: int = 25) -> None:
    """A row of four sides for every concept, sampled by the program's own `prompt_to_img`."""
    from core.guidance.stable_diffusion import StableDiffusion
    from core.starter.captions import VIEW_WORDS
    from core.starter.catalogue import COLORS, CONCEPTS

    diffusion = StableDiffusion("cpu", False, False, hf_key=str(model))
    names = list(COLORS)
    pictures = []
    for number, concept in enumerate(CONCEPTS):
        color = names[number % len(names)] if concept.takes_color else ""
        subject = concept.phrase.format(color=color, noun=concept.noun) if color else concept.noun
        pictures += [diffusion.prompt_to_img(f"a {subject}, {view} view", "", None, None, steps) for view in VIEW_WORDS]
    write_sheet(torch.stack([torch.as_tensor(p).reshape(-1, *p.shape[-3:])[0] for p in pictures]), 8, path)
