"""What pip is told, and what its output means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..language import say
from .backends import BackEnd
from .events import SetupError

ITSELF = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "pip==26.3")
"""For ``pip install``: a pip that tells its progress in bytes and resumes broken downloads, as older ones do not."""

_COMMON = ("--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--only-binary", ":all:")
_UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_UNPACKED = 2.5  # times its own size takes what is in a wheel: 2.1 for all of CUDA's
_NO_SPACE = ("No space left on device", "[Errno 28]", "[WinError 112]", "Disk quota exceeded")
_UNREACHABLE = (
    "Failed to establish a new connection",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ProxyError",
    "SSLError",
)
_BROKEN_OFF = (
    "ReadTimeoutError",
    "Read timed out",
    "IncompleteRead",
    "Connection reset",
    "Connection aborted",
    "RemoteDisconnected",
    "incomplete-download",
)
_HOST = re.compile(r"host='([^']+)'")
_NO_MATCH = re.compile(r"ERROR: No matching distribution found for (\S+)")


def torch_requirement(requirements: str, back_end: BackEnd) -> str:
    """The requirement of torch, pinned to the build of the back end, as pip would take PyPI's otherwise."""
    found = re.search(r"^torch==[\d.]+$", requirements, flags=re.MULTILINE)
    if found is None:
        raise SetupError("other", say("The add-on's requirements.txt names no torch: install the whole zip again."))
    return found[0] + back_end.local_version()


def online_arguments(wanted: list[str], index_url: str, cache: Path) -> list[str]:
    """For ``pip install`` over the network; other settings of the user's pip, such as a mirror, count too.

    `index_url` is asked beside PyPI where it is not empty.
    """
    index = ["--extra-index-url", index_url] if index_url else []
    return [*_COMMON, "--progress-bar", "raw", "--cache-dir", str(cache), *index, *wanted]


def offline_arguments(wanted: list[str], wheels: Path) -> list[str]:
    """For ``pip install`` from a folder of wheels alone, whose torch is of whatever build the user put there."""
    return [*_COMMON, "--progress-bar", "off", "--no-index", "--find-links", str(wheels), *wanted]


def check_wheels(folder: Path) -> None:
    """Raise SetupError where the folder holds no wheel of torch, the biggest part, so surely not all."""
    if not any(folder.glob("torch-*.whl")):
        sentence = "There is no torch-*.whl in {folder}: choose the folder that holds all wheels."
        raise SetupError("wheels", say(sentence, folder=folder))


def unpacked_size(folder: Path) -> int:
    """Bytes that the wheels in the folder take once they are installed, about: less than three times their own."""
    sizes = [path.stat().st_size for path in folder.glob("*.whl") if path.exists()]
    return int(_UNPACKED * sum(sizes))


class PipOutput:
    """Follows the output of ``pip install``: bytes fetched so far, and the lines that are not progress."""

    def __init__(self, before: int = 0) -> None:
        """`before`: how many bytes an earlier ``pip install`` fetched."""
        self.lines: list[str] = []
        self.installing = False
        self._before = before  # of the files that are done
        self._file = 0  # of the one at hand

    def feed(self, line: str) -> bool:
        """Take a line in; returns whether it is one for the log."""
        raw = re.fullmatch(r"Progress (\d+) of (\d+)", line)
        if raw:
            self._file = int(raw[1])
        else:
            self.lines.append(line)
            self._begin(line)
        return raw is None

    @property
    def fetched(self) -> int:
        """Bytes so far, from the network or from what an earlier set-up kept."""
        return self._before + self._file

    def _begin(self, line: str) -> None:
        """A new file, one from the cache, or the end of all files."""
        if line.lstrip().startswith("Downloading "):
            self._before, self._file = self._before + self._file, 0
        elif line.lstrip().startswith("Using cached "):
            self._before += _size(line)
        self.installing = self.installing or line.startswith("Installing collected packages")


def _size(line: str) -> int:
    """The bytes in a line such as "Using cached torch-2.13.0.whl (191.8 MB)"."""
    found = re.search(r"\(([\d.]+) (bytes|kB|MB|GB)\)", line)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def plain(line: str) -> str:
    """A line of pip's as the user reads it: that it tries again is said in a sentence."""
    if line.startswith("WARNING: Retrying "):
        return say("{server} does not answer: trying again.", server=_server(line))
    return line


def _server(line: str) -> str:
    """The one that a line of pip's is about."""
    host = _HOST.search(line)
    return host[1] if host else say("The server")


def explain(lines: Iterable[str]) -> SetupError:
    """Why pip failed, from what it printed."""
    text = "\n".join(lines)
    if is_full(text):
        return disk_full()
    unreachable = next((line for line in text.splitlines() if any(words in line for words in _UNREACHABLE)), "")
    if unreachable:
        sentence = "{server} cannot be reached: check the network and try again, or choose a folder of wheels."
        return SetupError("network", say(sentence, server=_server(unreachable)))
    if any(words in text for words in _BROKEN_OFF):
        text = say("The download broke off: check the network and try again; what is here is kept.")
        return SetupError("network", text)
    missing = _NO_MATCH.search(text)
    if missing:
        sentence = "There is no {package} for this computer and Python: choose another Python or back end."
        return SetupError("pip", say(sentence, package=missing[1]))
    errors = [line.strip() for line in text.splitlines() if line.lstrip().startswith("ERROR: ")]
    reason = errors[-1].removeprefix("ERROR: ").rstrip(".") if errors else say("it gave no reason")
    sentence = "pip could not install the packages ({reason}): see the log, then try again."
    return SetupError("pip", say(sentence, reason=reason))


def is_full(text: str) -> bool:
    """Whether an error's text tells of a full disk."""
    return any(words in text for words in _NO_SPACE)


def disk_full() -> SetupError:
    """The sentence for it."""
    return SetupError("disk", say("The disk is full: free some space, or choose a folder on another disk."))
