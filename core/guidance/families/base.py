"""What several families have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from diffusers import DDIMScheduler

from core.guidance.conditioning import Conditioning
from core.guidance.families import Pictures


class UNetFamily:
    """A family of UNets that predict noise, each picture alone."""

    optional: ClassVar[Sequence[str]] = ()
    scheduler: ClassVar[Any] = DDIMScheduler
    denoiser: ClassVar[str] = "unet"
    ring: ClassVar[int] = 1

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels and text width."""
        return config.in_channels, config.cross_attention_dim


class TextOnly:
    """A family whose denoiser is told nothing but the text, of each picture alone."""

    ring: ClassVar[int] = 1

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:  # noqa: ARG002
        """The text as it is."""
        return text
