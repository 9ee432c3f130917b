"""What several families have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from core.guidance.conditioning import Conditioning
from core.guidance.families import Pictures


class TextOnly:
    """A family whose denoiser is told nothing but the text, of each picture alone."""

    ring: ClassVar[int] = 1

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:  # noqa: ARG002
        """The text as it is."""
        return text
