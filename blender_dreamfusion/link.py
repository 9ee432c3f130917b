"""The loopback socket to the trainer: one thread that turns bytes into messages in a queue.

The thread touches no bpy. It also keeps the heartbeat going while Blender's main thread is busy with a render or a
file, so that a busy Blender is not taken for a dead one.
"""

from __future__ import annotations

import contextlib
import hmac
import queue
import secrets
import select
import socket
import threading
import time
from dataclasses import dataclass

from .core_files import protocol

_TICK = 0.1  # seconds between looks at what is to be sent
_HELLO_SECONDS = 5.0  # a stranger that has not said Hello by then is dropped
_STRANGERS = 8  # at once
LOADING_SILENCE_SECONDS = 120.0  # allowed until the training: loading torch or a model from a cold disk blocks all else


@dataclass(frozen=True)
class Lost:
    """The last event: nothing more will come from the trainer. `text` is for say(); `detail` may be empty."""

    text: str
    detail: str = ""


@dataclass
class _Stranger:
    """A connection that has not shown the token yet, since `since`."""

    reader: protocol.LineReader
    since: float


class Link:
    """Listens on a port that the system picks, lets one trainer in, and passes messages both ways.

    Whoever connects without the token is dropped and changes nothing. `events` holds messages in the order of their
    arrival (heartbeats left out) and then one Lost.
    """

    def __init__(self) -> None:
        """Start to listen. Raises OSError where the system has no port to give."""
        self.token = secrets.token_hex(32)
        self.events: queue.SimpleQueue[protocol.Message | Lost] = queue.SimpleQueue()
        self.connected = False
        self._at_work = False  # whether there was a Progress of more than loading
        self._outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="DreamFusion link", daemon=True)
        self._thread.start()

    def send(self, message: protocol.Message) -> None:
        """Send as soon as the trainer is there. Never blocks. Raises ProtocolError where it is no message."""
        self._outgoing.put(protocol.encode(message))

    def close(self) -> None:
        """Close the connection after what waits to be sent. Never blocks; the thread ends a moment later."""
        self._closed.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; returns whether it ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        lost = Lost("an error in the add-on")
        try:
            lost = self._talk()
        except OSError as error:
            lost = Lost("the connection broke", str(error.strerror or error))
        finally:  # whatever happens, the other side of the queue must hear that it is over
            self.events.put(lost)

    def _talk(self) -> Lost:
        """Let the trainer in and pass messages; returns why it ended."""
        found = self._wait_for_trainer()
        if found is None:
            return Lost("closed")
        connection, reader = found
        with connection:
            connection.settimeout(protocol.SILENCE_SECONDS)
            self.connected = True
            return self._serve(connection, reader)

    def _wait_for_trainer(self) -> tuple[socket.socket, protocol.LineReader] | None:
        """The connection that showed the token, or None once closed."""
        strangers: dict[socket.socket, _Stranger] = {}
        with self._listener:
            try:
                while not self._closed.is_set():
                    for ready in select.select([self._listener, *strangers], [], [], _TICK)[0]:
                        if ready is self._listener:
                            with contextlib.suppress(OSError):  # it may be gone again already
                                strangers[ready.accept()[0]] = _Stranger(protocol.LineReader(), time.monotonic())
                            continue
                        trusted = self._introduce(ready, strangers[ready])
                        if trusted:
                            return ready, strangers.pop(ready).reader
                        if trusted is False:
                            del strangers[ready]
                            ready.close()
                    _drop_oldest(strangers)
            finally:
                for connection in strangers:
                    connection.close()
        return None

    def _introduce(self, connection: socket.socket, stranger: _Stranger) -> bool | None:
        """Whether the stranger is the trainer; None while it has not said enough."""
        try:
            data = connection.recv(4096)
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
        self._take(lines)
        return True

    def _take(self, lines: list[bytes]) -> bool:
        """Pass messages on; whether there was one, as garbage is no sign of life."""
        messages = [message for message in map(_decode_or_none, lines) if message is not None]
        for message in messages:
            if isinstance(message, protocol.Progress):
                self._at_work = message.stage != "loading"
            if not isinstance(message, protocol.Heartbeat):
                self.events.put(message)
        return bool(messages)

    def _serve(self, connection: socket.socket, reader: protocol.LineReader) -> Lost:
        """Pass messages both ways; returns why it ended."""
        sent = before = time.monotonic()
        silence = 0.0  # seconds without a message: time in which this computer slept does not count
        while True:
            closing = self._closed.is_set()
            sent = self._send_waiting(connection, sent)
            if closing:
                return Lost("closed")
            if select.select([connection], [], [], _TICK)[0]:
                data = connection.recv(65536)
                if not data:
                    return Lost("the connection ended")
                silence = 0.0 if self._take(reader.feed(data)) else silence
            before, waited = time.monotonic(), time.monotonic() - before
            silence += min(waited, _TICK)
            patience = protocol.SILENCE_SECONDS if self._at_work else LOADING_SILENCE_SECONDS
            if silence > patience:
                return Lost("no sign of life", f"{patience:.0f} s")

    def _send_waiting(self, connection: socket.socket, sent: float) -> float:
        """Send what waits, or a heartbeat where one is due; returns when something was last sent."""
        if self._outgoing.empty() and time.monotonic() - sent > protocol.HEARTBEAT_SECONDS:
            self.send(protocol.Heartbeat())
        while not self._outgoing.empty():
            connection.sendall(self._outgoing.get())
            sent = time.monotonic()
        return sent


def _decode_or_none(line: bytes) -> protocol.Message | None:
    """A garbled line is passed over: the ones after it still count."""
    try:
        return protocol.decode(line)
    except protocol.ProtocolError:
        return None


def _drop_oldest(strangers: dict[socket.socket, _Stranger]) -> None:
    """Close those that were silent for too long, and the oldest where there are too many."""
    oldest_first = sorted(strangers, key=lambda connection: strangers[connection].since)
    for index, connection in enumerate(oldest_first):
        too_many = index < len(oldest_first) - _STRANGERS
        if too_many or time.monotonic() - strangers[connection].since > _HELLO_SECONDS:
            del strangers[connection]
            connection.close()
