"""The set-up's process as Blender sees it: started, read without blocking, cancelled. No bpy.

It runs this add-on's ``environment`` package in the Python that Blender runs on, apart from Blender and without what
lies in Python's path by accident.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .environment.events import Done, Event, Failed, Surveyed, decode
from .language import locale, say
from .pipe import Pipe
from .trainer_process import NO_WINDOW, child_environment, kill_tree

_ADDON = Path(__file__).resolve().parent
_START = "import sys, runpy; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_END_SECONDS = 5.0  # from being killed to its end
_WAIT_SECONDS = 0.01  # between two looks at one that is being closed


class SetupProcess:
    """One survey, install or remove. Its events end with a Surveyed, Done or Failed, whatever happens."""

    def __init__(self, arguments: list[str]) -> None:
        """Start it with the arguments of environment/__main__.py. Raises OSError where there is no Python."""
        command = [_host_python(), "-I", "-X", "utf8", "-c", _START, str(_ADDON.parent), f"{_ADDON.name}.environment"]
        self._process = subprocess.Popen(
            [*command, *arguments, "--language", locale()],
            cwd=os.path.abspath(os.sep),
            env=child_environment({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=sys.platform != "win32",
            creationflags=NO_WINDOW,
        )
        assert self._process.stdout is not None
        self._output = Pipe(self._process.stdout.fileno())
        self._rest = b""  # of a line that is not whole yet
        self._stray = ""  # the newest line that is no event
        self._last: Event | None = None
        self._ended = False

    def receive(self) -> list[Event]:
        """The events that have come since the last time. Where this is not called, a full pipe stops the process."""
        if self._ended:
            return []
        gone = self._process.poll() is not None  # before reading: what it said last may come between both
        data = self._output.read()
        *lines, self._rest = (self._rest + (data or b"")).split(b"\n")
        events = [event for event in map(self._decode, lines) if event is not None]
        if self._last is not None:
            self.cancel()  # its end may wait for that of its input
        if gone and not data:
            events.append(self._end())
        return events

    def _end(self) -> Event:
        """The last event, which was kept until the process had left."""
        self._ended = True
        self._decode(self._rest)
        self._close_pipes()
        line = self._stray or say("was it killed?")
        return self._last or Failed("other", say("The set-up ended without a word: {line}", line=line))

    def cancel(self) -> None:
        """Ask it to end; the last event tells when it has."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self, patience: float) -> None:
        """End it and wait for that, at most `patience` seconds for it to end its programs, else by force."""
        self.cancel()
        end = time.monotonic() + patience
        while self._process.poll() is None and time.monotonic() < end:
            self._output.read()  # a full pipe would hold it up
            time.sleep(_WAIT_SECONDS)
        kill_tree(self._process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._ended = True
        self._close_pipes()

    def _close_pipes(self) -> None:
        self.cancel()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _decode(self, raw: bytes) -> Event | None:
        """An event, unless it is none or the last one."""
        line = raw.decode("utf-8", "replace").strip()
        try:
            event = decode(line)
        except ValueError:
            self._stray = line or self._stray
            return None
        if isinstance(event, (Surveyed, Done, Failed)):
            self._last = event
            return None
        return event


def _host_python() -> str:
    """The Python that Blender runs on, or one from the path where Blender does not know. Raises OSError."""
    python = sys.executable if os.path.isfile(sys.executable or "") else shutil.which("python3") or ""
    if not python:
        raise OSError("Blender's Python was not found")
    return python
