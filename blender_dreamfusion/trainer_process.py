"""The trainer's process: started, watched and ended. Knows nothing of sockets or of Blender.

Its output goes to a file, because a pipe that nobody empties stops the writer. It gets a group of its own, so that
whatever it starts ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .language import say

_DROPPED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONSAFEPATH",
    "__PYVENV_LAUNCHER__",
)
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # a console would open on Windows
_LOG_TAIL = 8192  # bytes
_WORKER = ("-m", "core.worker")


class StartError(Exception):
    """The trainer's Python cannot be started; the message says what to set."""


class TrainerProcess:
    """A running ``python -m core.worker``, or another program of the trainer."""

    def __init__(
        self, python: str, root: Path, log: Path, variables: Mapping[str, str], arguments: Sequence[str] = _WORKER
    ) -> None:
        """Start it in `root`, the folder that contains ``core/``, with `variables` added to the environment.

        Output is appended to `log`. Raises StartError where `python` cannot be run, OSError where `log` cannot be
        written.
        """
        check_python(python)
        self._log = log
        with log.open("ab") as output:
            self._log_start = output.tell()
            try:
                self._process = subprocess.Popen(
                    [python, *arguments],
                    cwd=root,
                    env=child_environment(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=sys.platform != "win32",
                    creationflags=NO_WINDOW,
                )
            except OSError as error:
                sentence = "Cannot run {program} ({reason}): set the trainer's Python."
                raise StartError(say(sentence, program=python, reason=error.strerror)) from error

    @property
    def pid(self) -> int:
        """The process id of the trainer."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; returns whether it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def terminate(self) -> None:
        """Ask it to end. Windows knows no asking, and would leave what it started behind."""
        if sys.platform == "win32":
            self.kill()
        elif self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it and all that it started, at once."""
        kill_tree(self._process)

    def last_line(self) -> str:
        """The last line that it printed, or an empty string."""
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - _LOG_TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process, the leader of its session, and all that it started, at once."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],
            capture_output=True,
            check=False,
            creationflags=NO_WINDOW,
        )
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of a zombie
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def check_python(python: str) -> None:
    """Raise StartError where this is no program that can be run."""
    if not python.strip():
        raise StartError(say("Press Set Up Trainer in the preferences first, or set the trainer's Python there."))
    if os.path.isdir(python):
        sentence = "{path} is a folder: set the trainer's Python to the program inside it."
        raise StartError(say(sentence, path=python))
    if not os.path.isfile(python):
        raise StartError(say("There is no {path}: set the trainer's Python to another.", path=python))
    if not os.access(python, os.X_OK):
        raise StartError(say("{path} is no program: set the trainer's Python to another.", path=python))


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would lead another Python astray, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1", **variables}
