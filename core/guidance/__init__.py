"""Guidance: what looks at rendered pictures and says how they should change."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from core.camera import Views
from core.config import Config


class Guidance(Protocol):
    """Anything that can judge pictures; the training loop knows no more than this."""

    @property
    def ring(self) -> int:
        """Pictures come in groups of this many views at equal spacing around the object; 1: each by itself."""

    def loss(self, image: Tensor, views: Views, progress: float, generator: torch.Generator) -> Tensor:
        """A scalar to call backward() on.

        Args:
            image: (B, 3, H, W), sRGB in [0, 1]
            views: the B cameras the pictures were rendered from
            progress: share of training that is done, 0 to 1
            generator: the only source of randomness
        """

    def state_dict(self) -> dict[str, Any]:
        """What it has learnt in training, for a checkpoint; empty where it learns nothing."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""


def make_guidance(config: Config, device: torch.device, say: Callable[[str], None] = warnings.warn) -> Guidance:
    """The guidance that a job asks for, with its prompts encoded; `say` hears lines for the user.

    One is said before the model is read where memory may not suffice; the starter model fits everywhere.

    Raises InputError where the model cannot be loaded or the prompt is blank.
    """
    from core.guidance.memory import warn_of_memory  # brings in diffusers, which takes seconds
    from core.guidance.text_guidance import TextGuidance

    if not config.guidance.is_starter:
        warn_of_memory(config, device, say)
    return TextGuidance.from_config(config, device, say)
