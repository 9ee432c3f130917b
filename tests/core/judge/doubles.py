"""A classifier that answers what it is told to."""

import torch

from core.judge.network import SIDES, Guesses
from core.judge.subject import COLOR_NAMES, NOUNS


def log_probabilities(count, rows):
    """One row a picture: {place: share}; what is left is spread over the others."""
    table = torch.zeros(len(rows), count)
    for row, shares in zip(table, rows, strict=True):
        row[:] = (1 - sum(shares.values())) / (count - len(shares))
        for place, value in shares.items():
            row[place] = value
    return table.clamp(min=1e-9).log()


def sure(place, count=8):
    return [{place: 0.99}] * count


class FakeClassifier:
    """Rows of shares for the concept (with colours), the colour, the side, and the concept without colours."""

    def __init__(self, concept, color=None, side=None, bare=None):
        self.concept, self.bare = concept, bare or concept
        self.color = color or sure(0, len(concept))
        self.side = side or sure(0, len(concept))
        self.seen = []

    def guess(self, images, textureless):
        self.seen.append((images, textureless))
        return Guesses(
            log_probabilities(len(NOUNS), self.bare if textureless else self.concept),
            log_probabilities(len(COLOR_NAMES), self.color),
            log_probabilities(len(SIDES), self.side)[:, None].expand(-1, len(NOUNS), -1),
        )
