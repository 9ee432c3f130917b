"""Words and numbers for the panel and the batch. No bpy."""

from __future__ import annotations

import re
import textwrap

from .core_files import protocol

OFFLINE = "Blender is offline. If Stable Diffusion is not on this computer yet:"
_LETTER = 6.7  # pixels that a letter takes on average, at a scale of 1
_MARGIN = 75.0  # pixels of tabs, frame and icon
_SMALL_WORDS = (
    "a",
    "an",
    "the",
    "of",
    "with",
    "without",
    "and",
    "or",
    "in",
    "on",
    "at",
    "by",
    "for",
    "from",
    "to",
    "its",
)
_STAGES = {
    "loading": "Loading the model",
    "training": "Training",
    "mesh": "Making the mesh",
    "texture": "Baking the texture",
    "turntable": "Rendering the turntable",
}


def stage_name(stage: str) -> str:
    """A stage of the trainer in words."""
    return _STAGES.get(stage, stage.capitalize())


def clock(seconds: float) -> str:
    """3:07 or 1:02:03, as Blender shows render times."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_left(progress: protocol.Progress) -> str:
    """ "1:20 left", or an empty string while nobody knows."""
    return f"{clock(progress.seconds_left)} left" if progress.seconds_left >= 0 else ""


def wrap(text: str, width_px: float, ui_scale: float) -> list[str]:
    """The lines of a text that fit a box with an icon in a sidebar of this width."""
    return textwrap.wrap(text, max(16, int((width_px / ui_scale - _MARGIN) / _LETTER)))


def tags(prompt: str) -> list[str]:
    """The words of a prompt that something can be found by, each once: "a red mug, with dots" gives red, mug, dots."""
    words = re.findall(r"\w[\w'-]*", prompt.lower())
    return list(dict.fromkeys(word for word in words if word not in _SMALL_WORDS))
