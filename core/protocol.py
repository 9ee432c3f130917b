"""The messages between trainer and front end, and their framing.

One JSON object a line, UTF-8, at most MAX_LINE bytes, over a loopback socket. The first line from the trainer
must be a Hello with the front end's token; whatever else arrives first closes the connection. Pictures and
meshes travel as files in the job folder; messages only name them. Both sides import this file, so it uses the
standard library alone and Python 3.10 syntax, and imports nothing from its neighbours.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Union

VERSION = 1
MAX_LINE = 64 * 1024  # bytes, newline included
HEARTBEAT_SECONDS = 2.0  # each side sends one this often
SILENCE_SECONDS = 20.0  # after this long without any message the other side is taken for dead
ENV_PORT = "DREAMFUSION_PORT"  # how the front end tells the trainer where to connect
ENV_TOKEN = "DREAMFUSION_TOKEN"


class ProtocolError(ValueError):
    """A line that is no valid message."""


# From the trainer.


@dataclass(frozen=True)
class Hello:
    """The first message: proves that the sender was started by this front end."""

    token: str
    version: int = VERSION
    pid: int = 0


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
    """A new picture lies at this path (absolute)."""

    path: str


@dataclass(frozen=True)
class Log:
    """A line for the user, such as a warning about the prompt."""

    text: str


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
    resumable: bool = False


# To the trainer.


@dataclass(frozen=True)
class Generate:
    """Start a new job; `options` are the command line's names and values."""

    prompt: str
    workspace: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Resume:
    """Go on with the job in this folder, or go on after a Pause (empty workspace)."""

    workspace: str = ""


@dataclass(frozen=True)
class Cancel:
    """Stop at the next step and keep a checkpoint."""


@dataclass(frozen=True)
class Pause:
    """Wait at the next step until a Resume or a Cancel."""


# Both ways.


@dataclass(frozen=True)
class Heartbeat:
    """I am alive."""


FromTrainer = Union[Hello, Progress, Preview, Log, Done, Error, Heartbeat]
ToTrainer = Union[Generate, Resume, Cancel, Pause, Heartbeat]
Message = Union[FromTrainer, ToTrainer]
_KINDS: dict[str, type] = {
    kind.__name__.lower(): kind
    for kind in (Hello, Progress, Preview, Log, Done, Error, Generate, Resume, Cancel, Pause, Heartbeat)
}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict[str, Any]": (dict,),
}


def encode(message: Message) -> bytes:
    """One line, newline included. Raises ProtocolError where it would be longer than MAX_LINE."""
    body = {"type": type(message).__name__.lower(), **dataclasses.asdict(message)}
    line = json.dumps(body, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise ProtocolError(f"A {body['type']} message of {len(line)} bytes is over the limit of {MAX_LINE}.")
    return line


def decode(line: bytes) -> Message:
    """The inverse of :func:`encode`. Raises ProtocolError where the line is not a well-formed message."""
    if len(line) > MAX_LINE:
        raise ProtocolError("The line is over the limit.")
    try:
        body = json.loads(line)
        kind = _KINDS[body.pop("type")]
        message = kind(**body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"Not a message: {type(error).__name__}.") from error
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if not isinstance(value, _TYPES[str(field.type)]) or (field.type != "bool" and isinstance(value, bool)):
            raise ProtocolError(f"{kind.__name__}.{field.name} has the wrong type.")
    return message  # type: ignore[no-any-return]


class LineReader:
    """Cuts a byte stream into lines; feed it whatever arrives.

    Raises ProtocolError once a line grows beyond MAX_LINE without ending; the stream is lost then.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, [*lines, self._rest])) >= MAX_LINE:
            raise ProtocolError("A line is over the limit.")
        return [line for line in lines if line.strip()]
