"""View-dependent prompts: a prompt becomes one embedding a view direction, encoded once.

A diffusion model that hears only "a hamburger" draws the front from every side (the "Janus" problem). So the words
", front view", ", side view", ", back view" or ", overhead view" are appended, whichever the camera sees: DreamFusion's
idea (arXiv 2209.14988, section 3.2) with threestudio's bins.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from core.camera import Views
from core.config import clean_prompt, clean_text
from core.guidance.conditioning import Conditioning

VIEW_WORDS = ("front view", "side view", "back view", "overhead view")
FRONT_DEG = 45.0  # azimuths up to this far from the front count as front; likewise for the back
OVERHEAD_DEG = 60.0  # elevations above this count as overhead
_SUFFIXES = tuple(f", {words}" for words in VIEW_WORDS)


class TextEncoder(Protocol):
    """What turns text into embeddings; StableDiffusion is one."""

    max_tokens: int  # longest text, with the marks of its start and end

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut, with the marks of its start and end."""

    def get_text_embeds(self, prompt: str | Sequence[str]) -> Conditioning:
        """N texts as a model hears them."""


class ViewPrompts:
    """The embeddings of one prompt from every side, and of what to avoid."""

    def __init__(
        self, encoder: TextEncoder, prompt: str, negative: str = "", say: Callable[[str], None] = warnings.warn
    ) -> None:
        """Encode all texts at once; `encoder` is not kept.

        `say` hears one line for each text that had to be cut. Raises InputError where the prompt is blank.
        """
        prompt = fit_prompt(encoder, clean_prompt(prompt), say, room_for=_SUFFIXES)
        negative = fit_prompt(encoder, clean_text(negative, "negative prompt"), say)
        embeddings = encoder.get_text_embeds([negative, *(prompt + suffix for suffix in _SUFFIXES)])
        self.negative = embeddings[:1]
        self.directions = embeddings[1:]  # 4 texts, in the order of VIEW_WORDS

    def at(self, views: Views) -> Conditioning:
        """The prompt seen from B views: B texts."""
        return self.directions[view_index(views).to(self.directions.device)]

    def guided_pair(self, views: Views) -> Conditioning:
        """2B texts: the negative prompt B times, then :meth:`at`, as classifier-free guidance wants them."""
        text = self.at(views)
        return Conditioning.cat([self.negative[torch.zeros(len(text), dtype=torch.long)], text])


def view_index(views: Views) -> Tensor:
    """Which of VIEW_WORDS each view is, (B,) integers: front, side, back or overhead."""
    from_front = torch.remainder(views.azimuth_deg + 180, 360).sub(180).abs()
    around = (from_front > FRONT_DEG).long() + (from_front >= 180 - FRONT_DEG).long()
    return torch.where(views.elevation_deg > OVERHEAD_DEG, VIEW_WORDS.index("overhead view"), around)


def fit_prompt(
    encoder: TextEncoder, text: str, say: Callable[[str], None] = warnings.warn, room_for: Sequence[str] = ("",)
) -> str:
    """`text` without the last words that the encoder has no room for, whichever of `room_for` is appended.

    `say` hears one line if anything was cut. A single word that is too long stays; the tokenizer cuts it.
    """

    def fits(kept: int) -> bool:
        start = " ".join(words[:kept])
        return max(encoder.count_tokens(start + suffix) for suffix in room_for) <= encoder.max_tokens

    words = text.split()
    if fits(len(words)):
        return text
    low, high = 1, len(words)  # the longest start that fits, by bisection
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    kept = " ".join(words[:low])
    say(f"The prompt is too long for this model ({encoder.max_tokens} tokens): it reads only {_excerpt(kept)!r}.")
    return kept


def _excerpt(text: str, length: int = 200) -> str:
    return text if len(text) <= length else f"{text[:length]}..."
