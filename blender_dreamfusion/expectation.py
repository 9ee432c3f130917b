"""How long a job will take, judged by those that were made before. No bpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import texts
from .job_record import Record
from .language import say

_DECISIVE = (
    *("preset", "epochs", "model", "sd_version", "hf_key", "field", "device", "fp16", "bf16", "vram_O", "compile"),
    *("distillation", "faces", "texture_size", "normal_map"),
)
_STARTER = {"draft": "About 1 minute", "standard": "About 2 minutes", "high": "Many minutes"}  # on two idle cores


def describe(records: Iterable[Record], request: dict[str, Any]) -> str:
    """A few words: from the newest job with the same settings that was made in one go, else from experience.

    `records` are the newest first.
    """
    same = (record.seconds for record in records if record.seconds and _effort(record.request) == _effort(request))
    seconds = next(same, None)
    if seconds is not None:
        return say("The last one took {time}", time=texts.clock(seconds))
    if request.get("model") == "starter" and not {"epochs", "distillation"} & {*request}:
        return say(_STARTER[request["preset"]])
    return say("Time not known yet")


def _effort(request: dict[str, Any] | None) -> tuple[Any, ...]:
    """What decides how long a job takes."""
    return tuple((request or {}).get(name) for name in _DECISIVE)
