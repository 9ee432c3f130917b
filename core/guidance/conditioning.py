"""What a denoiser is told beside the noisy picture: the texts' embeddings and whatever else its family needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """N texts as a model hears them. Every tensor has the texts as its first axis, and is indexed with them."""

    embeddings: Tensor  # (N, T, C), one vector a token
    extras: Mapping[str, Tensor] = field(default_factory=dict)  # (N, ...) each, by name: "pooled", "planes", ...

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.embeddings.device

    def __len__(self) -> int:
        """N, the number of texts."""
        return len(self.embeddings)

    def __getitem__(self, index: Tensor | slice) -> Conditioning:
        """Some of the texts, in the order of `index`."""
        return self.map(lambda tensor: tensor[index])

    def map(self, change: Callable[[Tensor], Tensor]) -> Conditioning:
        """The same with each of its tensors changed."""
        return Conditioning(change(self.embeddings), {name: change(extra) for name, extra in self.extras.items()})

    def to(self, target: torch.device | torch.dtype) -> Conditioning:
        """On another device or in another precision."""
        return self.map(lambda tensor: tensor.to(target))

    def told(self, **extras: Tensor) -> Conditioning:
        """The same texts with more extras, (N, ...) each."""
        return Conditioning(self.embeddings, {**self.extras, **extras})

    @staticmethod
    def cat(parts: Sequence[Conditioning]) -> Conditioning:
        """The texts of all parts, one after the other; all parts have the same extras."""
        extras = {name: torch.cat([part.extras[name] for part in parts]) for name in parts[0].extras}
        return Conditioning(torch.cat([part.embeddings for part in parts]), extras)
