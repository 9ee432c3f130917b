"""What the set-up tells Blender: one JSON object a line, the last one Surveyed, Done or Failed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Progress:
    """What it is at: one of STAGES, with `done` of `total` bytes (0: unknown)."""

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Log:
    """A line that pip or the test printed."""

    text: str


@dataclass(frozen=True)
class Surveyed:
    """What this computer has.

    `pythons` are suitable ones, best first, each as program and version; `back_end` is the name of the best, and
    `reason` says why. `problem` is empty, or says why the trainer cannot run here.
    """

    pythons: list[list[str]]
    back_end: str
    reason: str
    problem: str = ""


@dataclass(frozen=True)
class Done:
    """What was asked for is done; `text` says what is there now."""

    text: str


@dataclass(frozen=True)
class Failed:
    """It is not done. `kind` is one of KINDS, `text` one sentence."""

    kind: str
    text: str


class SetupError(Exception):
    """Why the set-up ends: the `kind` of a Failed, and its one sentence."""

    def __init__(self, kind: str, text: str) -> None:
        """`kind` is one of KINDS."""
        super().__init__(text)
        self.kind = kind


Event = Progress | Log | Surveyed | Done | Failed

STAGES = ("environment", "packages", "download", "install", "test", "remove")
KINDS = ("python", "network", "disk", "folder", "wheels", "pip", "test", "cancelled", "other")
_TYPES = {kind.__name__.lower(): kind for kind in (Progress, Log, Surveyed, Done, Failed)}


def encode(event: Event) -> str:
    """The event as one line."""
    return json.dumps({"event": type(event).__name__.lower(), **asdict(event)}) + "\n"


def decode(line: str) -> Event:
    """The event of a line. Raises ValueError where the line is none."""
    fields = json.loads(line)
    try:
        kind = _TYPES[fields.pop("event")]
        return kind(**fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no event: {line!r}") from error
