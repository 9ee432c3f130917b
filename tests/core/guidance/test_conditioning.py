"""What a denoiser is told, text by text."""

from __future__ import annotations

import torch

from core.guidance.conditioning import Conditioning


def numbered(*numbers: int) -> Conditioning:
    values = torch.tensor(numbers, dtype=torch.float32)
    return Conditioning(values[:, None, None].expand(-1, 3, 2), {"pooled": -values[:, None]})


def names(conditioning: Conditioning) -> tuple[list[float], list[float]]:
    return conditioning.embeddings[:, 0, 0].tolist(), conditioning.extras["pooled"][:, 0].tolist()


def test_everything_is_indexed_and_joined_together():
    both = Conditioning.cat([numbered(1, 2, 3)[torch.tensor([2, 0, 2])], numbered(7, 8)[1:]])
    assert len(both) == 4
    assert names(both) == ([3, 1, 3, 8], [-3, -1, -3, -8])


def test_everything_changes_together():
    half = numbered(1, 2).to(torch.float16)
    assert half.embeddings.dtype == half.extras["pooled"].dtype == torch.float16
    assert names(numbered(1, 2).map(lambda tensor: 2 * tensor)) == ([2, 4], [-2, -4])


def test_more_can_be_told():
    plain = numbered(1)
    more = plain.told(camera=torch.ones(1, 5))
    assert set(more.extras) == {"pooled", "camera"}
    assert set(plain.extras) == {"pooled"}
