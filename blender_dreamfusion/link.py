"""The loopback socket to the trainer, without blocking and without a thread.

Blender may crash beside a second thread of Python, even one that touches no bpy: parts of it ask whether Python is at
work, and take the other thread's work for their own. So the socket is looked at from the timer, like all else.
https://docs.blender.org/api/current/info_gotchas_threading.html
"""

from __future__ import annotations

import collections
import contextlib
import hmac
import itertools
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .core_files import protocol

_HELLO_SECONDS = 5.0  # a stranger that has not said Hello by then is dropped
_NO_SIGNAL: int = getattr(socket, "MSG_NOSIGNAL", 0)  # some Blenders would be killed by SIGPIPE
_MACOS_NO_SIGNAL = 0x1022  # SO_NOSIGPIPE, which Python does not name
_STRANGERS = 8  # at once
_MOST_AT_A_LOOK = 100  # connections that are taken
_READ_SIZE = 16384  # bytes at a look
_LONGEST_LOOK = 1.0  # seconds of silence that one look may find: Blender may have been busy, the computer asleep
LOADING_SILENCE_SECONDS = 120.0  # allowed until the training: loading torch or a model from a cold disk blocks all else


@dataclass(frozen=True)
class Lost:
    """The last event: nothing more will come from the trainer. `text` is for say(); `detail` may be empty."""

    text: str
    detail: str = ""


@dataclass
class _Stranger:
    """A connection that has not shown the token yet, since `since`."""

    connection: socket.socket
    reader: protocol.LineReader
    since: float


class Link:
    """Listens on a port that the system picks, lets one trainer in, and passes messages both ways.

    Whoever connects without the token is dropped and changes nothing. Nothing here blocks: :meth:`receive` has to be
    called often. `connected` tells whether the trainer was let in.
    """

    def __init__(self) -> None:
        """Start to listen. Raises OSError where the system has no port to give."""
        self.token = secrets.token_hex(32)
        self.connected = False
        self._at_work = False  # whether there was a Progress of more than loading
        self._lines: collections.deque[bytes] = collections.deque()  # read and not decoded yet
        self._outgoing = bytearray()
        self._lost: Lost | None = None
        self._closed = False
        self._silence = 0.0  # seconds without a message
        self._looked = time.monotonic()
        self._strangers: list[_Stranger] = []  # the oldest first
        self._connection: socket.socket | None = None
        self._reader = protocol.LineReader()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, protocol.BUFFER)  # the connections inherit it
        self.port: int = self._listener.getsockname()[1]

    def send(self, message: protocol.Message) -> None:
        """Send with the next :meth:`receive` that finds the trainer. Raises ProtocolError where it is no message."""
        self._outgoing += protocol.encode(message)

    def receive(self) -> protocol.Message | Lost | None:
        """The next message that has arrived, or None; heartbeats are left out. The last of all is a Lost."""
        if not self._lines and not self._closed:
            self._look()
        while self._lines:
            message = _decode_or_none(self._lines.popleft())
            if message is None:
                continue  # garbage is no sign of life
            self._silence = 0.0
            if isinstance(message, protocol.Progress):
                self._at_work = message.stage != "loading"
            if not isinstance(message, protocol.Heartbeat):
                return message
        patience = protocol.SILENCE_SECONDS if self._at_work else LOADING_SILENCE_SECONDS
        if self._connection is not None and self._silence > patience:
            self._lose("no sign of life", f"{patience:.0f} s")
        lost, self._lost = self._lost, None
        return lost

    def close(self) -> None:
        """Send what waits as far as that goes at once, and close the connection and the port."""
        self._send_waiting()
        self._closed = True
        self._close_port()
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _close_port(self) -> None:
        self._listener.close()
        for stranger in self._strangers:
            stranger.connection.close()
        self._strangers.clear()

    def _lose(self, text: str, detail: str = "") -> None:
        self.close()
        self._lost = Lost(text, detail)

    def _look(self) -> None:
        """Let the trainer in, read what has come, send what waits."""
        now = time.monotonic()
        self._silence += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        if not self.connected:
            self._wait_for_trainer()
        if self._connection is not None:
            self._read(self._connection)
            self._send_waiting()

    def _read(self, connection: socket.socket) -> None:
        """Read before anything is sent: a send that fails may take along what lies there unread."""
        try:
            data = _receive_waiting(connection, _READ_SIZE)
        except OSError as error:
            return self._lose("the connection broke", str(error.strerror or error))
        if data:
            self._lines.extend(self._reader.feed(data))
        elif data is not None:
            self._lose("the connection ended")
        return None

    def _send_waiting(self) -> None:
        """As far as that goes at once. A loss is left to the next reading, which tells it after all else."""
        if self._connection is not None and self._outgoing:
            with contextlib.suppress(OSError):
                del self._outgoing[: self._connection.send(self._outgoing, _NO_SIGNAL)]

    def _wait_for_trainer(self) -> None:
        """Take connections, and keep the one that shows the token."""
        for connection in itertools.islice(_accept_waiting(self._listener), _MOST_AT_A_LOOK):
            self._strangers.append(_Stranger(connection, protocol.LineReader(), time.monotonic()))
        for stranger in list(self._strangers):
            trusted = self._introduce(stranger)
            if trusted is not None:
                self._strangers.remove(stranger)
            if trusted:
                return self._let_in(stranger)
            if trusted is False:
                stranger.connection.close()
        self._drop_oldest()
        return None

    def _let_in(self, trainer: _Stranger) -> None:
        """Nobody else may come after it."""
        self._close_port()
        self.connected, self._connection, self._reader = True, trainer.connection, trainer.reader
        self._silence = 0.0

    def _introduce(self, stranger: _Stranger) -> bool | None:
        """Whether the stranger is the trainer; None while it has not said enough."""
        try:
            data = _receive_waiting(stranger.connection, 4096)
            if data is None:
                return None
            lines = stranger.reader.feed(data)
            if not lines:
                return None if data and not stranger.reader.dropped else False
            hello = protocol.decode(lines[0])
        except (OSError, protocol.ProtocolError):
            return False
        if not isinstance(hello, protocol.Hello):
            return False
        if not hmac.compare_digest(hello.token.encode("utf-8", "replace"), self.token.encode()):
            return False
        self._lines.extend(lines)
        return True

    def _drop_oldest(self) -> None:
        """Close those that were silent for too long, and the oldest where there are too many."""
        too_old = time.monotonic() - _HELLO_SECONDS
        while self._strangers and (len(self._strangers) > _STRANGERS or self._strangers[0].since < too_old):
            self._strangers.pop(0).connection.close()


def _accept_waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait to be taken, as far as the system lets us have them now."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            if sys.platform == "darwin":
                connection.setsockopt(socket.SOL_SOCKET, _MACOS_NO_SIGNAL, 1)
            yield connection


def _receive_waiting(connection: socket.socket, size: int) -> bytes | None:
    """What has come, at most `size` bytes; b"" at the end, None where nothing has come."""
    try:
        return connection.recv(size)
    except BlockingIOError:
        return None


def _decode_or_none(line: bytes) -> protocol.Message | None:
    """A garbled line is passed over: the ones after it still count."""
    try:
        return protocol.decode(line)
    except protocol.ProtocolError:
        return None
