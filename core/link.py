"""The trainer's end of the connection to its front end: a reader thread and a sender thread.

What the front end says becomes flags of a Control; garbled lines are dropped and logged, and the job goes on.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
from collections.abc import Callable

from core.control import Control
from core.protocol import (
    HEARTBEAT_SECONDS,
    Cancel,
    Done,
    Error,
    FromTrainer,
    Generate,
    Grow,
    Heartbeat,
    LineReader,
    Pause,
    Preview,
    Progress,
    ProtocolError,
    Resume,
    Sketch,
    decode,
    encode,
)

_POLL_SECONDS = 0.5
_SEND_SECONDS = 0.2  # between two sendings: of what comes faster only the newest counts
_FLUSH_SECONDS = 2.0  # after the last message, for the front end to close in turn
_LOGGED_LINES = 10  # garbled ones; the rest only count


class Link:
    """Sends messages in the background and hears the front end.

    `on_gone` is called once, from a thread, when the front end has closed the connection or died. One that reads
    nothing for a while is busy, not dead: what waits for it is kept, and thinned out as it is sent.
    """

    def __init__(self, connection: socket.socket, control: Control, on_gone: Callable[[], None]) -> None:
        """Start both threads on a connected blocking socket."""
        self.gone = False
        self._connection = connection
        self._control = control
        self._on_gone = on_gone
        self._closing = threading.Event()
        self._ordered = False
        self._garbled = 0
        self._parent = os.getppid()
        self._orders: queue.SimpleQueue[Generate | Resume | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[FromTrainer | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="reader", daemon=True)
        self._sender = threading.Thread(target=self._write, name="sender", daemon=True)
        self._reader.start()
        self._sender.start()

    def send(self, message: FromTrainer) -> None:
        """Queue a message; never blocks, never raises for a lost connection."""
        self._outbox.put(message)

    def wait_for_order(self) -> Generate | Resume | None:
        """The job to run, or None if the front end left before it gave one."""
        return self._orders.get()

    def close(self, last: Done | Error) -> None:
        """Send the last message and part: closing with unread data would tear the message away from its reader."""
        self._closing.set()
        self.send(last)
        self._outbox.put(None)
        self._sender.join()
        if not self.gone:
            self._reader.join(_FLUSH_SECONDS)
        self._connection.close()

    def _write(self) -> None:
        messages: list[FromTrainer | None] = []
        while None not in messages:
            messages = self._wait_for_messages()
            try:
                self._connection.sendall(b"".join(_encode_or_drop(message) for message in _newest(messages)))
            except OSError:
                self._lose("The connection to the front end broke")
                return
            self._closing.wait(_SEND_SECONDS)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def _wait_for_messages(self) -> list[FromTrainer | None]:
        """All that wait to be sent, or a heartbeat if there is nothing for a while."""
        try:
            messages: list[FromTrainer | None] = [self._outbox.get(timeout=HEARTBEAT_SECONDS)]
        except queue.Empty:
            return [Heartbeat()]
        while not self._outbox.empty():
            messages.append(self._outbox.get())
        return messages

    def _read(self) -> None:
        reader = LineReader()
        while not self.gone:
            try:
                ready, _, _ = select.select([self._connection], [], [], _POLL_SECONDS)
                data = self._connection.recv(65536) if ready else b""
            except (OSError, ValueError):
                return self._lose("The connection to the front end broke")
            if ready and not data:
                return self._lose("The front end closed the connection")
            self._hear(reader, data)
            if os.name == "posix" and os.getppid() != self._parent:
                return self._lose("The front end died")
        return None

    def _hear(self, reader: LineReader, data: bytes) -> None:
        """Obey the messages that `data` completes."""
        dropped = reader.dropped
        for line in reader.feed(data):
            try:
                self._obey(decode(line))
            except ProtocolError as error:
                self._note_garbled(str(error))
        if reader.dropped > dropped:
            self._note_garbled("A line is over the limit.")

    def _obey(self, message: object) -> None:
        if isinstance(message, Cancel):
            self._control.cancel("Cancelled.")
            if not self._ordered:
                self._orders.put(None)
        elif isinstance(message, Pause):
            self._control.pause()
        elif isinstance(message, Grow):
            self._control.grow = message.on
        elif isinstance(message, (Generate, Resume)):
            if not self._ordered:
                self._ordered = True
                self._orders.put(message)
            elif isinstance(message, Resume):
                self._control.go_on()
            else:
                _say("A second job was refused: a trainer runs one.")
        else:
            self._note_garbled(f"{type(message).__name__} is not for a trainer.")

    def _note_garbled(self, text: str) -> None:
        self._garbled += 1
        if self._garbled <= _LOGGED_LINES:
            _say(f"A message from the front end was dropped. {text}")

    def _lose(self, reason: str) -> None:
        """Take the front end for gone, unless this side is parting anyway."""
        if self.gone or self._closing.is_set():
            return
        self.gone = True
        self._control.cancel(f"{reason}.")
        self._orders.put(None)
        self._on_gone()
        _say(f"{reason}: ending.")


def _newest(messages: list[FromTrainer | None]) -> list[FromTrainer]:
    """The messages without those that a later one of their kind makes stale."""
    newest = {type(message): message for message in messages}
    stale = (Progress, Preview, Sketch)
    return [
        message
        for message in messages
        if message is not None and (not isinstance(message, stale) or message is newest[type(message)])
    ]


def _encode_or_drop(message: FromTrainer) -> bytes:
    try:
        return encode(message)
    except ProtocolError as error:
        _say(f"A message was not sent: {error}")
        return b""


def _say(text: str) -> None:
    """Print to the log; a pipe whose reader died must not take this thread along."""
    with contextlib.suppress(OSError):
        print(text, flush=True)
