"""The environment's folder: where it lies, what state it is in, and how it goes away again."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core_files import lockfile
from ..language import say
from .events import SetupError

NAME = "dreamfusion_trainer"  # the folder's, in the one that the user chooses
_MARKER = "environment.json"
_LOCK = "setup.lock"


class State(enum.Enum):
    """What lies in the folder."""

    MISSING = "missing"
    INCOMPLETE = "incomplete"  # a set-up was broken off
    OUTDATED = "outdated"  # made for the packages of another version of the add-on
    BROKEN = "broken"  # the Python that it rests on is gone
    READY = "ready"


@dataclass(frozen=True)
class Record:
    """What the environment was made for. `requirements` is their fingerprint; `size` is in bytes."""

    complete: bool
    requirements: str
    back_end: str
    python_version: str
    device: str = ""
    size: int = 0


def default_parent(system: str = sys.platform, variables: Mapping[str, str] = os.environ) -> Path:
    """Where the folder lies unless the user chooses: with the user's local data, short on Windows."""
    home = Path(os.path.expanduser("~"))
    if system == "win32":
        return Path(variables.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if system == "darwin":
        return home / "Library" / "Application Support"
    return Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share")


def fingerprint(requirements: str) -> str:
    """A short name for the contents of a requirements.txt."""
    return hashlib.sha256("\n".join(requirements.split()).encode()).hexdigest()[:16]


class Environment:
    """The paths in the folder, and its record."""

    def __init__(self, folder: Path) -> None:
        """Touches nothing."""
        self.folder = folder
        self.venv = folder / "venv"
        self.cache = folder / "cache"
        self.log = folder / "setup.log"
        self._removed = folder.with_name(f"{folder.name}.removed")
        scripts, program = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
        self.python = self.venv / scripts / program

    def read(self) -> Record | None:
        """The record, or None where there is no readable one."""
        try:
            return Record(**json.loads((self.folder / _MARKER).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Replace the record whole."""
        part = self.folder / f"{_MARKER}.part"
        part.write_text(json.dumps(asdict(record), indent=2), encoding="utf-8")
        part.replace(self.folder / _MARKER)

    def state(self, requirements: str) -> State:
        """Its state, for an add-on whose requirements have this fingerprint."""
        record = self.read()
        if record is None:
            return State.MISSING
        if not record.complete:
            return State.INCOMPLETE
        if not self._has_base():
            return State.BROKEN
        return State.READY if record.requirements == requirements else State.OUTDATED

    def usable_python(self) -> str:
        """The environment's Python where it is complete, else an empty string."""
        record = self.read()
        return str(self.python) if record is not None and record.complete and self._has_base() else ""

    def _has_base(self) -> bool:
        """Whether the Python is there, and the one that it rests on: on Windows the first starts the second."""
        try:
            lines = (self.venv / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return False
        settings = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
        return self.python.exists() and os.path.isdir(settings.get("home", ""))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep other set-ups out of it. Raises SetupError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.read() is None and any(self.folder.glob("*")) and not (self.folder / _LOCK).exists():
                sentence = "{folder} holds files of something else: choose another folder."
                raise SetupError("folder", say(sentence, folder=self.folder))
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            sentence = "Cannot write to {folder} ({reason}): choose another folder."
            raise SetupError("folder", say(sentence, folder=self.folder, reason=error.strerror)) from error
        try:
            if not lockfile.try_lock(descriptor):
                sentence = "Another Blender is at work in {folder}: wait until it is done."
                raise SetupError("folder", say(sentence, folder=self.folder))
            yield
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Delete what a removal that was broken off left."""
        shutil.rmtree(self._removed, ignore_errors=True)

    def remove(self) -> None:
        """Delete the whole folder, which is the add-on's own. Raises SetupError where it is in use or another's."""
        self.sweep()
        if not self.folder.exists():
            return
        with self.locked():
            pass
        try:
            self.folder.rename(self._removed)  # all or nothing: Windows refuses while a file in it is open
            shutil.rmtree(self._removed)
        except OSError as error:
            sentence = "Cannot delete {path} ({reason}): close what uses it and try again."
            raise SetupError("folder", say(sentence, path=error.filename, reason=error.strerror)) from error


def folder_size(folder: Path) -> int:
    """Bytes of all files in it; those that vanish meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total
