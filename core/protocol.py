"""The messages between trainer and front end, and their framing.

One JSON object a line, in ASCII, at most MAX_LINE bytes, over a loopback socket. The first line from the trainer
must be a Hello with the front end's token; whatever else arrives first closes the connection. Pictures and
meshes travel as files in the job folder; messages only name them. Both sides import this file, so it uses the
standard library alone and Python 3.10 syntax, and imports nothing from its neighbours.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from dataclasses import dataclass
from typing import Any

VERSION = 3
MAX_LINE = 64 * 1024  # bytes, newline included
BUFFER = 32 * 1024  # bytes that the system keeps at each end: a front end that was busy has little to replay
HEARTBEAT_SECONDS = 2.0  # after this long without a message the trainer sends one
SILENCE_SECONDS = 20.0  # after this long without any message the trainer is taken for dead
ENV_PORT = "DREAMFUSION_PORT"  # how the front end tells the trainer where to connect
ENV_TOKEN = "DREAMFUSION_TOKEN"
_SCALARS = (str, int, float, bool)


class ProtocolError(ValueError):
    """A line that is no valid message."""


# From the trainer.


@dataclass(frozen=True)
class Hello:
    """The first message: proves that the sender was started by this front end."""

    token: str
    version: int = VERSION


@dataclass(frozen=True)
class Progress:
    """How far the job is. Sent a few times a second at most."""

    stage: str  # "loading", "training", "mesh", "texture", "turntable"
    step: int  # done in this stage
    steps: int  # in this stage
    fraction: float  # of the whole job, 0 to 1
    seconds_left: float  # of the whole job; negative while unknown


@dataclass(frozen=True)
class Preview:
    """A new picture lies at this path (absolute), and the same view's depth and normals beside it."""

    path: str


@dataclass(frozen=True)
class Sketch:
    """A new coarse mesh lies at this path (absolute): see core.sketch. Sent while the front end asks for it by Grow."""

    path: str


@dataclass(frozen=True)
class Log:
    """A line for the user, such as a warning about the prompt."""

    text: str


@dataclass(frozen=True)
class Heartbeat:
    """I am alive. A front end sends none: it may be busy for an hour, and its connection ends when it does."""


@dataclass(frozen=True)
class Done:
    """The job is done; the mesh lies at `mesh` (absolute path of mesh.npz)."""

    workspace: str
    mesh: str
    texture: str
    seconds: float


@dataclass(frozen=True)
class Error:
    """The job ended without a mesh. `kind` is "input", "failed", "memory" or "cancelled"."""

    text: str
    kind: str


# To the trainer.


@dataclass(frozen=True)
class Generate:
    """Start a new job; `options` are the command line's names and values, such as ``{"epochs": 5, "fp16": True}``."""

    prompt: str
    workspace: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Resume:
    """Go on with the job in this folder, or go on after a Pause (empty workspace).

    A job, even one that is done, is trained longer where `epochs` is more than it had; 0 leaves it as it is.
    """

    workspace: str = ""
    epochs: int = 0  # in all


@dataclass(frozen=True)
class Cancel:
    """Stop at the next step and keep a checkpoint."""


@dataclass(frozen=True)
class Pause:
    """Wait at the next step until a Resume or a Cancel."""


@dataclass(frozen=True)
class Grow:
    """Whether to make Sketches: every few seconds, or less often where they would cost over a twentieth of the time.

    None are made before this was said.
    """

    on: bool


FromTrainer = Hello | Progress | Preview | Sketch | Log | Done | Error | Heartbeat
ToTrainer = Generate | Resume | Cancel | Pause | Grow
Message = FromTrainer | ToTrainer
_KINDS: dict[str, type] = {
    kind.__name__.lower(): kind for kind in (*typing.get_args(FromTrainer), *typing.get_args(ToTrainer))
}


def encode(message: Message) -> bytes:
    """One line, newline included. Raises ProtocolError where :func:`decode` would refuse it."""
    body = {"type": type(message).__name__.lower(), **dataclasses.asdict(message)}
    try:
        line = json.dumps(body, allow_nan=False).encode("ascii") + b"\n"
    except (ValueError, TypeError, RecursionError) as error:
        raise ProtocolError(f"A {body['type']} message cannot be sent: {error}.") from error
    if len(line) > MAX_LINE:
        raise ProtocolError(f"A {body['type']} message of {len(line)} bytes is over the limit of {MAX_LINE}.")
    decode(line)
    return line


def decode(line: bytes) -> Message:
    """The inverse of :func:`encode`. Raises ProtocolError, and nothing else, where the line is no message.

    Every number is finite and fits 64 bits, every field has its declared type, and options are flat.
    """
    if len(line) > MAX_LINE:
        raise ProtocolError("The line is over the limit.")
    try:
        body = json.loads(line.decode(), parse_int=_int64, parse_float=_finite, parse_constant=_finite)
        kind = _KINDS[body.pop("type")]
        types = {field.name: str(field.type) for field in dataclasses.fields(kind)}
        message: Message = kind(**{name: _checked(value, types[name]) for name, value in body.items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"Not a message: {type(error).__name__}.") from error
    return message


def _int64(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError("a whole number beyond 64 bits")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    return value


def _checked(value: Any, kind: str) -> Any:
    """The value as the declared type `kind`, or TypeError. Only a whole number may stand for a float."""
    if kind == "dict[str, Any]":
        valid = type(value) is dict and all(item is None or type(item) in _SCALARS for item in value.values())
    elif kind == "float" and type(value) is int:
        value, valid = float(value), True
    else:
        valid = type(value).__name__ == kind
    if not valid:
        raise TypeError(f"not of type {kind}")
    return value


class LineReader:
    """Cuts a byte stream into lines; feed it whatever arrives.

    A line that grows beyond MAX_LINE is thrown away up to its end and counted in `dropped`, so that neither
    memory nor the stream is lost.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.dropped = 0
        self._rest = b""
        self._skipping = False  # inside a line that is thrown away

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines."""
        *ended, rest = (self._rest + data).split(b"\n")
        lines = []
        for line in ended:
            if not self._skipping and not self._drop_if_long(line) and line.strip():
                lines.append(line)
            self._skipping = False
        self._skipping = self._skipping or self._drop_if_long(rest)
        self._rest = b"" if self._skipping else rest
        return lines

    def _drop_if_long(self, line: bytes) -> bool:
        too_long = len(line) >= MAX_LINE
        self.dropped += too_long
        return too_long
