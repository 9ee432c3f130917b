"""View-dependent prompts: a prompt becomes one embedding a view direction, encoded once.

A diffusion model that hears only "a hamburger" draws the front from every side (the "Janus" problem). So the words
", front view", ", side view", ", back view" or ", overhead view" are appended, whichever the camera sees: DreamFusion's
idea (arXiv 2209.14988, section 3.2) with threestudio's bins, or a blend of neighbouring ones.
"""

from __future__ import annotations

import re
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
_FACES, _FRONT, _SIDE, _BACK, _ABOVE = VIEW_WORDS[:2], VIEW_WORDS[:1], VIEW_WORDS[1:2], VIEW_WORDS[2:3], VIEW_WORDS[3:]
CONTRADICTIONS = {  # words -> the sides from which they can be true; longer ones first where one holds another
    **dict.fromkeys(("smiling", "grinning", "laughing", "frowning", "winking", "with closed eyes"), _FACES),
    **dict.fromkeys(
        ("looking at the camera", "looking at the viewer", "facing the camera", "facing the viewer"), _FRONT
    ),
    **dict.fromkeys(("front view", "frontal view", "seen from the front", "from the front", "frontal"), _FRONT),
    **dict.fromkeys(("side view", "seen from the side", "from the side", "in profile"), _SIDE),
    **dict.fromkeys(("back view", "rear view", "seen from behind", "from behind", "from the back"), _BACK),
    **dict.fromkeys(("overhead view", "top view", "bird's-eye view", "seen from above", "from above"), _ABOVE),
}
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
        self,
        encoder: TextEncoder,
        prompt: str,
        negative: str = "",
        say: Callable[[str], None] = warnings.warn,
        *,
        interpolated: bool = False,
        debias: bool = False,
    ) -> None:
        """Encode all texts at once; `encoder` is not kept.

        With `interpolated` neighbouring sides' embeddings are blended (:func:`view_weights`); with `debias` words that
        contradict a side are left out there (:func:`debiased`). `say` hears one line for each text that had to be
        cut. Raises InputError where the prompt is blank.
        """
        self.interpolated = interpolated
        prompt = fit_prompt(encoder, clean_prompt(prompt), say, room_for=_SUFFIXES)
        negative = fit_prompt(encoder, clean_text(negative, "negative prompt"), say)
        sides = [(debiased(prompt, words) if debias else prompt) + f", {words}" for words in VIEW_WORDS]
        embeddings = encoder.get_text_embeds([negative, *sides])
        self.negative = embeddings[:1]
        self.directions = embeddings[1:]  # 4 texts, in the order of VIEW_WORDS

    def at(self, views: Views) -> Conditioning:
        """The prompt seen from B views: B texts."""
        if not self.interpolated:
            return self.directions[view_index(views).to(self.directions.device)]
        weights = view_weights(views)
        return self.directions.map(lambda tensor: torch.tensordot(weights.to(tensor), tensor, dims=1))

    def guided_pair(self, views: Views) -> Conditioning:
        """2B texts: the negative prompt B times, then :meth:`at`, as classifier-free guidance wants them."""
        text = self.at(views)
        return Conditioning.cat([self.negative[torch.zeros(len(text), dtype=torch.long)], text])

    def with_wrong_sides(self, views: Views) -> Conditioning:
        """4B texts: :meth:`guided_pair`, then front view and side view B times each, for Perp-Neg."""
        pair = self.guided_pair(views)
        sides = torch.arange(2, device=self.directions.device).repeat_interleave(len(pair) // 2)
        return Conditioning.cat([pair, self.directions[sides]])


def view_index(views: Views) -> Tensor:
    """Which of VIEW_WORDS each view is, (B,) integers: front, side, back or overhead."""
    from_front = azimuth_from_front(views)
    around = (from_front > FRONT_DEG).long() + (from_front >= 180 - FRONT_DEG).long()
    return torch.where(is_overhead(views), VIEW_WORDS.index("overhead view"), around)


def view_weights(views: Views) -> Tensor:
    """How much of each of VIEW_WORDS a view is, (B, 4), summing to 1.

    Linear between the middles of two sides, as in stable-dreamfusion: front at 0, side at 90, back at 180 degrees of
    azimuth; and overhead at 90 degrees of elevation. At the edges of :func:`view_index` two sides weigh the same.
    """
    angle = azimuth_from_front(views) / 90
    level = torch.stack([1 - angle, 1 - (angle - 1).abs(), angle - 1], dim=1).clamp(min=0)
    above = ((views.elevation_deg - 90) / (2 * (90 - OVERHEAD_DEG)) + 1).clamp(0, 1)[:, None]
    return torch.cat([level * (1 - above), above], dim=1)


def azimuth_from_front(views: Views) -> Tensor:
    """How far each view's azimuth is from the front, (B,), 0 to 180 degrees."""
    return torch.remainder(views.azimuth_deg + 180, 360).sub(180).abs()


def is_overhead(views: Views) -> Tensor:
    """Whether each view is from above, (B,)."""
    return views.elevation_deg > OVERHEAD_DEG


def debiased(prompt: str, words: str) -> str:
    """The prompt without what contradicts the side `words`, one of VIEW_WORDS; unchanged if nothing else would be left.

    Prompt debiasing (arXiv 2303.15413) asks a masked language model which words those are. A list of
    usual ones does here: nobody has to download a second language model for it.
    """
    kept = prompt
    for phrase, sides in CONTRADICTIONS.items():
        if words not in sides:
            kept = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", kept, flags=re.IGNORECASE)
    kept = re.sub(r"\s*(,\s*)+", ", ", " ".join(kept.split())).strip(", ")
    return kept if re.search(r"(?!(?:a|an|the)\b)\b\w", kept, flags=re.IGNORECASE) else prompt


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
