"""A data set whose layers are noise: all of the catalogue several times, first plain, nothing traced."""

import random

import torch

from core.camera import sample_views
from core.starter.catalogue import CONCEPTS
from core.starter.dataset import CAMERAS, Dataset
from core.starter.truth import CHANNELS


def noise_data_set(resolution=64, copies=2):
    count = copies * len(CONCEPTS)
    generator = torch.Generator().manual_seed(0)
    layers = torch.randint(0, 256, (count, CHANNELS, resolution, resolution), dtype=torch.uint8, generator=generator)
    rng = random.Random(0)
    concepts = [number % len(CONCEPTS) for number in range(count)]
    finishes = [""] * len(CONCEPTS)
    finishes += [rng.choice(("", *one.patterns, *one.materials)) for one in CONCEPTS * (copies - 1)]
    return Dataset(layers, concepts, finishes, sample_views(CAMERAS, count, generator))
