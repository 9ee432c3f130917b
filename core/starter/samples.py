"""Sheets of pictures that show what the starter model has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.config import GuidanceConfig
from core.guidance.stable_diffusion import StableDiffusion
from core.prompt import VIEW_WORDS
from core.starter.captions import with_articles
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.sheet import write_sheet


def write_reconstructions(vae: Any, images: Tensor, path: Path) -> None:
    """Pictures "N 3 H W" in [0, 1], eight a row, each row followed by what the autoencoder makes of it."""
    with torch.no_grad():
        decoded = vae.decode(vae.encode(images * 2 - 1).latent_dist.mode()).sample / 2 + 0.5
    rows = [part for pair in zip(torch.split(images, 8), torch.split(decoded, 8), strict=True) for part in pair]
    write_sheet(torch.cat(rows), 8, path)


def write_samples(model: Path, path: Path, steps: int = 25) -> None:
    """Four sides of every concept, three concepts a row, sampled by the program's own `prompt_to_img`."""
    diffusion = StableDiffusion("cpu", False, False, hf_key=str(model))
    names = list(COLORS)
    pictures = []
    for number, concept in enumerate(CONCEPTS):
        subject = concept.name_with(names[number % len(names)]) if concept.takes_color else concept.noun
        for view in VIEW_WORDS:
            prompt = with_articles(f"a {subject}, {view}")
            pictures.append(diffusion.prompt_to_img(prompt, steps=steps, guidance_scale=GuidanceConfig().picture_scale))
    images = torch.from_numpy(np.concatenate(pictures)).permute(0, 3, 1, 2) / 255
    write_sheet(images, 3 * len(VIEW_WORDS), path)
