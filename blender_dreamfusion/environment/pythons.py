"""The Pythons on this computer that can carry the trainer's environment."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ..language import say
from ..trainer_process import NO_WINDOW, child_environment

VERSIONS = ((3, 11), (3, 12), (3, 13))  # what all packages in requirements.txt have wheels for
_SECONDS = 20.0  # a first start may be slow
_PLACES = {
    "win32": (
        r"%LOCALAPPDATA%\Programs\Python\Python3*\python.exe",
        r"%ProgramFiles%\Python3*\python.exe",
        r"C:\Python3*\python.exe",
    ),
    "darwin": (
        "/Library/Frameworks/Python.framework/Versions/3.*/bin/python3",
        "/opt/homebrew/bin/python3.*[0-9]",
        "/usr/local/bin/python3.*[0-9]",
    ),
    "linux": ("/usr/bin/python3.*[0-9]", "/usr/local/bin/python3.*[0-9]"),
}
_PROBE = """
import sys, json, os
try:
    import venv, ensurepip
    nt = os.path.join(os.path.dirname(venv.__file__), "scripts", "nt")
    able = os.name != "nt" or any(os.path.exists(os.path.join(nt, n)) for n in ("python.exe", "venvlauncher.exe"))
except ImportError:
    able = False
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps([base, list(sys.version_info[:3]), sys.maxsize > 2 ** 32, able]))
"""


@dataclass(frozen=True)
class Python:
    """A Python. `program` is the one that its environments rest on; `problem` is empty where it is suitable."""

    program: str
    version: tuple[int, ...]
    problem: str = ""

    @property
    def version_text(self) -> str:
        """Its version, such as 3.11.9."""
        return ".".join(map(str, self.version))


def wanted() -> str:
    """VERSIONS in words."""
    *others, last = (f"{major}.{minor}" for major, minor in VERSIONS)
    return say("{versions} or {last}", versions=", ".join(others), last=last)


def find() -> list[Python]:
    """The suitable ones, each once: the one that runs this first, which in Blender is Blender's own."""
    found: dict[str, Python] = {}
    for program in _candidates():
        python = probe(program)
        if not python.problem:
            found.setdefault(os.path.realpath(python.program), python)
    return list(found.values())


def why_none() -> str:
    """Where find() finds none: what a Python of the right version lacks, as Debian's without python3-venv does."""
    for program in _candidates():
        python = probe(program)
        if python.version[:2] in VERSIONS and python.problem:
            return python.problem
    sentence = "No Python {versions} was found on this computer: install one, or choose its program."
    return say(sentence, versions=wanted())


def probe(program: str) -> Python:
    """Ask a Python for its version and whether it can make environments."""
    try:
        done = subprocess.run(
            [program, "-I", "-c", _PROBE],
            env=child_environment({}),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=NO_WINDOW,
        )
        base, version, is_64_bit, able = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        sentence = "{program} is no Python that answers: choose a Python {versions}."
        return Python(program, (), say(sentence, program=program, versions=wanted()))
    return Python(base, tuple(version), _problem(base, tuple(version), is_64_bit, able))


def _problem(program: str, version: tuple[int, ...], is_64_bit: bool, able: bool) -> str:
    """Why it does not suit, or an empty string."""
    if version[:2] not in VERSIONS:
        number = ".".join(map(str, version))
        sentence = "{program} is Python {number}, which the trainer does not run on: choose a Python {versions}."
        return say(sentence, program=program, number=number, versions=wanted())
    if not is_64_bit:
        sentence = "{program} is a 32-bit Python, which PyTorch does not come for: choose a 64-bit one."
        return say(sentence, program=program)
    if not able:
        if sys.platform == "linux":
            sentence = "{program} cannot make virtual environments: install python3-venv, or choose another."
        else:
            sentence = "{program} cannot make virtual environments: choose another."
        return say(sentence, program=program)
    return ""


def _candidates() -> Iterator[str]:
    """Programs to ask, best first; some may not exist or be the same."""
    yield sys.executable
    names = [*(f"python{major}.{minor}" for major, minor in reversed(VERSIONS)), "python3", "python"]
    for name in names:
        path = shutil.which(name)
        if path and "WindowsApps" not in path:  # the Store's Pythons write elsewhere than they say
            yield path
    for pattern in _PLACES.get(sys.platform, ()):
        yield from sorted(glob.glob(os.path.expandvars(pattern)), reverse=True)
