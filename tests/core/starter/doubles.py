"""A data set whose layers are noise: all of the catalogue, nothing traced."""

import torch

from core.camera import sample_views
from core.starter.catalogue import CONCEPTS
from core.starter.dataset import CAMERAS, Dataset


def noise_data_set(count=30, resolution=64):
    generator = torch.Generator().manual_seed(0)
    layers = torch.randint(0, 256, (count, 9, resolution, resolution), dtype=torch.uint8, generator=generator)
    concepts = [number % len(CONCEPTS) for number in range(count)]
    return Dataset(layers, concepts, sample_views(CAMERAS, count, generator))
