"""Words and numbers for the panel and the batch. No bpy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from .core_files import protocol
from .job_record import State
from .language import say

OFFLINE = "Blender is offline. If the model is not on this computer yet:"
SET_UP_OFFLINE = "Blender is offline: allow online access, or choose a folder of wheels."
_LETTER = 6.7  # pixels that a letter takes on average, at a scale of 1
_WIDE = 1.65  # letters: a Korean, Chinese or Japanese one
_MARGIN = 75.0  # pixels of tabs, frame and icon
DOWNLOADS = {  # of each version, about: the trainer tells exactly
    "1.5": "4.3 GB",
    "2.0": "5.2 GB",
    "2.1": "5.2 GB",
    "2.1-v": "5.2 GB",
    "xl": "14 GB",
    "3.5": "16 GB",
    "mvdream": "2.6 GB",
    "if": "36 GB",
}
_SMALL_WORDS = (
    *("a", "an", "the", "its", "and", "or", "with", "without"),
    *("of", "in", "on", "at", "by", "for", "from", "to"),
)
_STAGES = {
    "loading": "Loading the model",
    "training": "Training",
    "mesh": "Making the mesh",
    "texture": "Baking the texture",
    "turntable": "Rendering the turntable",
}

_FIELDS = {  # an option as the trainer names it -> field of the panel and choice there
    "--preset draft": ("Quality", "Draft"),
    "--device cpu": ("Device", "CPU"),
    "--device auto": ("Device", "Automatic"),
    "--sd_version mvdream": ("Version", "MVDream"),
    "--sd_version": ("Version",),
    "--hf_key": ("File or Name",),
    "--fp16": ("Precision", "Half"),
    "--bf16": ("Precision", "BFloat16"),
    "--vram_O": ("Save Memory",),
    "--compile": ("Compile",),
    "--distillation": ("Distillation",),
    "--epochs": ("Epochs",),
    "--seed": ("Seed",),
}

_STANDINGS = {
    State.WAITING: "Waiting for its turn",
    State.STARTING: "Starting the trainer...",
    State.RUNNING: "Training",
    State.PAUSED: "Paused",
    State.CANCELLING: "Stopping...",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
    State.INTERRUPTED: "Interrupted",
    State.ELSEWHERE: "At work in another program",
}


def stage_name(stage: str) -> str:
    """A stage of the trainer in words."""
    return say(_STAGES.get(stage, stage.capitalize()))


def bytes_on_disk(size: int) -> str:
    """4.3 GB, or 12 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def needs(options: dict[str, Any], table: Mapping[str, str]) -> str:
    """What a model needs, for the options of a job; `table` is models.user_table()."""
    if options["model"] == "starter":
        return say("Runs on any computer.")
    if options.get("sd_version") in table:
        return say("Needs a strong GPU. Your models.json makes it {name}.", name=table[options["sd_version"]])
    if "sd_version" in options:
        sentence = "Needs a strong GPU and, when first used, a download of about {size}."
        return say(sentence, size=DOWNLOADS[options["sd_version"]])
    return say("Needs a strong GPU.")


def clock(seconds: float) -> str:
    """3:07 or 1:02:03, as Blender shows render times."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_left(progress: protocol.Progress) -> str:
    """ "1:20 left", or an empty string while nobody knows."""
    return say("{time} left", time=clock(progress.seconds_left)) if progress.seconds_left >= 0 else ""


def standing(state: State) -> str:
    """A job's state in words."""
    return say(_STANDINGS[state])


def in_fields(sentence: str) -> str:
    """What the trainer says, with the panel's fields in the place of the command line's options."""
    for option, names in _FIELDS.items() if "--" in sentence else ():
        field = f'"{": ".join(map(say, names))}"'
        sentence = re.sub(rf"{option}\b", lambda _match, field=field: field, sentence, flags=re.ASCII)  # type: ignore[misc]
    return sentence


def wrap(text: str, width_px: float, ui_scale: float) -> list[str]:
    """The lines of a text that fit a box with an icon in a sidebar of this width."""
    room = max(16.0, (width_px / ui_scale - _MARGIN) / _LETTER)
    lines = [""]
    for word in re.findall(r"\s*\S+", text):
        if _letters(lines[-1] + word) > room:
            lines.append("")
            word = word.lstrip()
        while _letters(word) > room:  # a path, or words of a language without spaces
            fitting = next(length for length in range(len(word), 0, -1) if _letters(word[:length]) <= room)
            lines[-1], word = word[:fitting], word[fitting:]
            lines.append("")
        lines[-1] += word
    return [line for line in lines if line]


def _letters(text: str) -> float:
    """How wide a text is, in Latin letters."""
    return sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)


def tags(prompt: str) -> list[str]:
    """The words of a prompt that something can be found by, each once: "a red mug, with dots" gives red, mug, dots."""
    words = re.findall(r"\w[\w'-]*", prompt.lower())
    return list(dict.fromkeys(word for word in words if word not in _SMALL_WORDS))
