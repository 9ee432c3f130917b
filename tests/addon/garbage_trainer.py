"""A trainer gone mad: after its Hello come 10,000 lines of garbage among the messages of a job that works.

With --alone nothing but garbage comes, for ever.
"""

import os
import random
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.protocol import ENV_PORT, ENV_TOKEN, MAX_LINE, Done, Hello, Preview, Progress, encode

DRAW = random.Random(0)


def garbage():
    """Random bytes, a broken message, or a line without an end in sight."""
    kind = DRAW.randrange(100)
    if kind == 0:
        return b"{" * (MAX_LINE + DRAW.randrange(MAX_LINE))
    if kind < 50:
        return DRAW.randbytes(DRAW.randrange(200)).replace(b"\n", b"")
    return encode(Progress("training", 1, 2, 0.5, 1.0))[: DRAW.randrange(1, 40)]


def main():
    with socket.create_connection(("127.0.0.1", int(os.environ[ENV_PORT]))) as connection:
        connection.sendall(encode(Hello(os.environ[ENV_TOKEN])) + encode(Progress("training", 1, 2, 0.5, 1.0)))
        while "--alone" in sys.argv:
            connection.sendall(garbage() + b"\n")
            time.sleep(0.01)
        for number in range(10_000):
            connection.sendall(garbage() + b"\n")
            if number % 100 == 0:
                connection.sendall(encode(Preview(f"/{number}.png")))
        connection.sendall(encode(Progress("training", 2, 2, 1.0, 0.0)) + encode(Done("/", "/mesh.npz", "", 1.0)))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # the order: closing with it unread would tear the rest away
            pass


if __name__ == "__main__":
    main()
