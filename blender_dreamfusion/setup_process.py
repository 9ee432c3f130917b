"""The set-up's process as Blender sees it: started, read without blocking, cancelled. No bpy.

It runs this add-on's ``environment`` package in the Python that Blender runs on, apart from Blender and without what
lies in Python's path by accident.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from .environment.events import Done, Event, Failed, Surveyed, decode
from .language import locale, say
from .trainer_process import NO_WINDOW, child_environment, kill_tree

_ADDON = Path(__file__).resolve().parent
_START = "import sys, runpy; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_END_SECONDS = 5.0  # from its end to that of its output


class SetupProcess:
    """One survey, install or remove. Its `events` end with a Surveyed, Done or Failed, whatever happens."""

    def __init__(self, arguments: list[str]) -> None:
        """Start it with the arguments of environment/__main__.py. Raises OSError where there is no Python."""
        self.events: queue.Queue[Event] = queue.Queue()
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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def cancel(self) -> None:
        """Ask it to end; the last event tells when it has."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self, patience: float) -> None:
        """End it and wait for that, at most `patience` seconds for it to end its programs, else by force."""
        self.cancel()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        kill_tree(self._process)
        self._reader.join(_END_SECONDS)

    def _read(self) -> None:
        """In a thread of its own: what it prints becomes events."""
        assert self._process.stdout is not None
        stray = ""
        ended = False
        with self._process.stdout:
            for raw in self._process.stdout:
                line = raw.decode("utf-8", "replace").strip()
                try:
                    event = decode(line)
                except ValueError:
                    stray = line or stray
                    continue
                ended = ended or isinstance(event, (Surveyed, Done, Failed))
                self.events.put(event)
        self._process.wait()
        self.cancel()  # closes what is left of the channel
        if not ended:
            text = say("The set-up ended without a word: {line}", line=stray or say("was it killed?"))
            self.events.put(Failed("other", text))


def _host_python() -> str:
    """The Python that Blender runs on, or one from the path where Blender does not know. Raises OSError."""
    python = sys.executable if os.path.isfile(sys.executable or "") else shutil.which("python3") or ""
    if not python:
        raise OSError("Blender's Python was not found")
    return python
