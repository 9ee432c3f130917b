"""A front end for tests of the worker."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from core.protocol import (
    ENV_PORT,
    ENV_TOKEN,
    Generate,
    Hello,
    LineReader,
    decode,
    encode,
)

BODIES = Path(__file__).with_name("job_bodies.py")
PATIENCE = 60.0  # seconds; a busy machine starts Python slowly


class FrontEnd:
    """Starts a worker, accepts its connection and talks to it."""

    def __init__(self, body):
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)
        port = self._server.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, BODIES, "worker", body],
            env={**os.environ, ENV_PORT: str(port), ENV_TOKEN: "secret"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.socket, _ = self._server.accept()
        self.socket.settimeout(PATIENCE)
        self._reader = LineReader()
        self._inbox = []
        assert self.receive() == Hello("secret")

    def send(self, *messages):
        for message in messages:
            self.socket.sendall(encode(message))

    def receive(self):
        """The next message, or None at the end of the stream."""
        while not self._inbox:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._inbox += map(decode, self._reader.feed(data))
        return self._inbox.pop(0)

    def receive_until(self, *kinds):
        """All messages up to and with the first of these kinds."""
        messages = []
        while not messages or not isinstance(messages[-1], kinds):
            message = self.receive()
            assert message is not None, f"the worker left after {messages[-5:]}"
            messages.append(message)
        return messages

    def end(self):
        """Hang up after the last message; the exit code."""
        self.socket.close()
        return self.process.wait(PATIENCE)

    def close(self):
        self.socket.close()
        self._server.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def order(folder, **options):
    return Generate("a hamburger", str(folder), options)
