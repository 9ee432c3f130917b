"""Runs one program after the other for the set-up: each heard line by line, and ended at once on cancel."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ..language import say
from ..trainer_process import NO_WINDOW, child_environment, kill_tree
from .events import SetupError

_IDLE_SECONDS = 1.0
_DROPPED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_INDEX")


class Runner:
    """Runs programs; :meth:`cancel` may come from another thread at any time."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._cancelled = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """End what runs, and start nothing any more."""
        with self._lock:
            self._cancelled.set()
            if self._process is not None:
                kill_tree(self._process)

    def run(
        self,
        command: list[str],
        folder: Path,
        variables: Mapping[str, str],
        on_line: Callable[[str], None],
        on_idle: Callable[[], None] = lambda: None,
    ) -> int:
        """Run it in `folder`; `on_line` gets what it prints, `on_idle` is called in every second of silence.

        Returns the exit code. Raises SetupError where it was cancelled or cannot be started.
        """
        process = self._start(command, folder, variables)
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        while True:
            try:
                line = lines.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                on_idle()
                continue
            if line is None:
                break
            on_line(line)
        code = process.wait()
        self.check()
        return code

    def check(self) -> None:
        """Raise SetupError where it was cancelled."""
        if self._cancelled.is_set():
            text = say("Cancelled: resume the set-up to go on; what was downloaded is kept.")
            raise SetupError("cancelled", text)

    def _start(self, command: list[str], folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._lock:
            self.check()
            try:
                self._process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=_clean(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=sys.platform != "win32",
                    creationflags=NO_WINDOW,
                )
            except OSError as error:
                sentence = "Cannot run {program} ({reason}): choose another Python."
                text = say(sentence, program=command[0], reason=error.strerror)
                raise SetupError("python", text) from error
            return self._process


def _clean(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment, without what sends pip's packages elsewhere."""
    kept = {name: value for name, value in child_environment({}).items() if name not in _DROPPED}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **variables}


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    """Pass on what the process prints; None at its end."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line.decode("utf-8", "replace").rstrip())
    lines.put(None)


def working_folder() -> Path:
    """A folder that no Python imports anything from by accident."""
    return Path(os.path.abspath(os.sep))
