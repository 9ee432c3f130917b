"""Reads what a program has printed, without waiting for more and without a thread (see link.py for why)."""

from __future__ import annotations

import contextlib
import os
import sys

if sys.platform == "win32":
    import _winapi  # what multiprocessing.connection asks too; os.set_blocking knows pipes from Python 3.12 on
    import msvcrt

_SIZE = 65536  # bytes at once


class Pipe:
    """The reading end of a pipe, by its file descriptor, which stays its owner's to close."""

    def __init__(self, descriptor: int) -> None:
        """From now on reading from the descriptor does not block."""
        self._descriptor = descriptor
        if sys.platform != "win32":
            os.set_blocking(descriptor, False)

    def read(self) -> bytes | None:
        """What has come; b"" at the end, None where nothing has come."""
        if sys.platform == "win32":
            try:
                waiting = _winapi.PeekNamedPipe(msvcrt.get_osfhandle(self._descriptor))[-2]  # the one before "left"
            except BrokenPipeError:
                return b""
            return os.read(self._descriptor, min(waiting, _SIZE)) if waiting else None
        with contextlib.suppress(BlockingIOError):
            return os.read(self._descriptor, _SIZE)
        return None
