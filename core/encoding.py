"""Positions to features: the multi-resolution hash grid of Instant-NGP, and NeRF's sines and cosines.

Plain torch, so that it runs on CPU, CUDA and MPS without a compiler. The hash grid keeps only its input for the
backward pass and works through the samples in chunks that fit the processor's cache; its table is stored feature
by feature because one-dimensional lookups and additions are torch's fastest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

PRIMES = (1, 2_654_435_761, 805_459_861)  # Instant-NGP, equation 4
CHUNK = 1 << 13  # samples: what an index and a weight for each fit into a processor's cache


class HashEncoding(nn.Module):
    """Multi-resolution hash encoding (Mueller et al. 2022, section 3).

    Level l divides the unit cube into resolution_l^3 cells, with resolutions growing geometrically, and holds a
    feature vector for each cell corner: one entry each while they fit into the table, hashed beyond. A sample's
    feature is the trilinear mix of its cell's eight corners; the levels are concatenated.

    Differentiable with respect to the table, not to the position.
    """

    resolutions: Tensor  # (L,)
    strides: Tensor  # (3, L): what a step along x, y or z adds to an index, before hashing
    offsets: Tensor  # (L,): where each level starts in the table

    def __init__(self, levels: int, features: int, log2_entries: int, base_resolution: int, finest_resolution: int):
        """`levels` of `features` each; a level's table has at most 2^log2_entries entries."""
        super().__init__()
        growth = (finest_resolution / base_resolution) ** (1 / max(levels - 1, 1))
        resolutions = [int(base_resolution * growth**level + 1e-6) for level in range(levels)]
        self.entries = 1 << log2_entries
        self.dense_levels = sum((resolution + 1) ** 3 <= self.entries for resolution in resolutions)
        self.output_size = levels * features
        dense = resolutions[: self.dense_levels]
        hashed = levels - self.dense_levels
        sizes = [(resolution + 1) ** 3 for resolution in dense]
        # Hashed levels come first: their offsets are multiples of `entries`, so that XOR leaves them alone.
        starts = [hashed * self.entries + sum(sizes[:level]) for level in range(len(dense))]
        starts += [level * self.entries for level in range(hashed)]
        # A hash keeps the low bits of coordinate * prime alone, so the low bits of the primes do.
        primes = [prime % self.entries for prime in PRIMES]
        strides = [[(r + 1) ** 2, r + 1, 1] for r in dense] + [primes] * hashed
        largest = max(self.entries * (finest_resolution + 1), hashed * self.entries + sum(sizes))
        integer = torch.int32 if largest < 2**31 else torch.int64  # int32 is twice as fast
        self.register_buffer("resolutions", torch.tensor(resolutions, dtype=integer), persistent=False)
        self.register_buffer("strides", torch.tensor(strides, dtype=integer).T.contiguous(), persistent=False)
        self.register_buffer("offsets", torch.tensor(starts, dtype=integer), persistent=False)
        self.table = nn.Parameter(torch.empty(features, hashed * self.entries + sum(sizes)).uniform_(-1e-4, 1e-4))

    def forward(self, x01: Tensor) -> Tensor:
        """Features (S, levels * features) of positions (S, 3) in the unit cube; outside, the border's cells extend."""
        features: Tensor = _HashLookup.apply(x01.detach(), self.table, self)  # type: ignore[no-untyped-call]
        return features.flatten(0, 1).T

    def corners(self, x01: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """For each of the eight cell corners: its index into the table and its weight, both (L, S)."""
        scaled = x01.T.contiguous()[:, None] * self.resolutions[:, None]
        cell = torch.minimum(scaled.to(self.strides.dtype).clamp_(min=0), self.resolutions[:, None] - 1)
        upper = scaled - cell
        weight = (1 - upper, upper)
        low = cell * self.strides[:, :, None]
        index = (low, low + self.strides[:, :, None])
        for side in index:
            side[:, self.dense_levels :] &= self.entries - 1
            side[0] += self.offsets[:, None]
        for i, j in product((0, 1), repeat=2):
            index_xy = self._combine(index[i][0], index[j][1])
            weight_xy = weight[i][0] * weight[j][1]
            for k in (0, 1):
                yield self._combine(index_xy, index[k][2]), weight_xy * weight[k][2]

    def _combine(self, a: Tensor, b: Tensor) -> Tensor:
        """Sums on dense levels, XOR on hashed ones; all (L, S)."""
        out = torch.empty_like(a)
        torch.add(a[: self.dense_levels], b[: self.dense_levels], out=out[: self.dense_levels])
        torch.bitwise_xor(a[self.dense_levels :], b[self.dense_levels :], out=out[self.dense_levels :])
        return out


class _HashLookup(torch.autograd.Function):
    """The interpolated lookup (F, L, S); its backward recomputes the corners instead of storing them."""

    @staticmethod
    def forward(ctx: Any, x01: Tensor, table: Tensor, encoding: HashEncoding) -> Tensor:
        ctx.save_for_backward(x01)
        ctx.encoding = encoding
        parts = []
        for part in torch.split(x01, CHUNK):
            sums = table.new_zeros(len(table), len(encoding.resolutions), len(part))
            for index, weight in encoding.corners(part):
                for row, total in zip(table, sums, strict=True):
                    total.addcmul_(row.index_select(0, index.view(-1)).view_as(weight), weight)
            parts.append(sums)
        return torch.cat(parts, dim=2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None]:
        (x01,) = ctx.saved_tensors
        table_grad = torch.zeros_like(ctx.encoding.table)
        for part, part_grad in zip(torch.split(x01, CHUNK), torch.split(grad, CHUNK, dim=2), strict=True):
            part_grad = part_grad.contiguous()
            for index, weight in ctx.encoding.corners(part):
                rows = (part_grad * weight).flatten(1)
                table_grad.scatter_add_(1, index.long().view(1, -1).expand(len(rows), -1), rows)
        return None, table_grad, None


class FrequencyEncoding(nn.Module):
    """x and the sines and cosines of 2^k * pi * x for k < bands (NeRF, equation 4)."""

    def __init__(self, bands: int):
        """`bands` octaves."""
        super().__init__()
        self.bands = bands
        self.output_size = 3 + 6 * bands

    def forward(self, x: Tensor) -> Tensor:
        """Features (S, 3 + 6 * bands) of positions (S, 3) in [-1, 1]."""
        scale = math.pi * 2.0 ** torch.arange(self.bands, device=x.device, dtype=x.dtype)
        angles = (x[:, None] * scale[:, None]).flatten(1)
        return torch.cat([x, angles.sin(), angles.cos()], dim=-1)
