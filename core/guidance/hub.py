"""Models from the hub: looked at first, then downloaded, only the files that are needed, and once.

What the download will take and where it goes is said before it starts. A connection that was lost is taken up where it
broke; of a download that was stopped the files that are whole are kept.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of whichever HTTP library it is built on
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)
from tqdm import tqdm

from core.config import DEFAULT_SD_VERSION
from core.console import duration
from core.errors import DreamFusionError, InputError
from core.guidance import versions
from core.guidance.families import Family
from core.guidance.layout import check_files, family_at, first_line, has_part, is_weighted, variants, weights_stem

_SECONDS = 5.0  # between two lines of progress
_INDEX = "model_index.json"
_ADVICE = "give --hf_key a model on this computer, or set HF_ENDPOINT to a mirror"


def cached_folder(name: str) -> Path | None:
    """Where a hub model was downloaded to, perhaps in part; None where it was not."""
    index = huggingface_hub.try_to_load_from_cache(name, _INDEX)
    return Path(index).parent if isinstance(index, str) else None


def download(name: str, sd_version: str | None, fp16: bool, say: Callable[[str], None]) -> Path:
    """The folder of a hub model, downloaded unless it is whole already; `say` hears how it goes.

    Weights come in half precision if `fp16` is set and the hub has them so, else as they are.
    Raises InputError where there is no such model, or it cannot guide, or it is not the version asked for, all before
    weights are fetched; DreamFusionError where it cannot be fetched.
    """
    with _explained(name):
        if (folder := _whole_folder(name)) is not None:
            return folder
        endpoint = versions.mirror()
        sizes = _list_files(name, endpoint)
        index = huggingface_hub.hf_hub_download(name, _INDEX, endpoint=endpoint)
        family, settings = family_at(Path(index).parent)
        versions.check_version(repr(name), family.label, family.versions, sd_version)
        wanted = wanted_files(family, settings, list(sizes), fp16)
        plan = huggingface_hub.snapshot_download(name, allow_patterns=wanted, endpoint=endpoint, dry_run=True)
        missing = sum(sizes[file.filename] for file in plan if file.will_download)
        _check_room(name, missing)
        say(f"Downloading {name} once: {missing / 1e9:.2f} GB to {huggingface_hub.constants.HF_HUB_CACHE}.")
        progress = Progress(missing, say)
        meter = progress.meter()
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=wanted, endpoint=endpoint, tqdm_class=meter))


def _list_files(name: str, endpoint: str | None) -> dict[str, int]:
    """The files of a hub model with their sizes in bytes. Raises DreamFusionError where the hub cannot be reached."""
    try:
        info = huggingface_hub.HfApi(endpoint=endpoint).model_info(name, files_metadata=True)
    except HfHubHTTPError:
        raise
    except (HTTPError, OSError) as error:
        text = f"Cannot reach the hub for {name!r}, and it was not downloaded before: {_ADVICE}."
        raise DreamFusionError(text) from error
    return {file.rfilename: file.size or 0 for file in info.siblings or []}


def wanted_files(family: Family, settings: Mapping[str, Any], names: Sequence[str], fp16: bool) -> list[str]:
    """Which of a repository's files (names with "/") a model of this family needs."""
    parts = [part for part in (*family.parts, "scheduler") if has_part(family, settings, part)]
    wanted = [_INDEX]
    for part in parts:
        wanted += [name for name in names if re.fullmatch(rf"{part}/[^/]+\.(json|txt|model)", name)]
        if is_weighted(part):
            wanted += next(filter(None, (_weights(part, mark, names) for mark in variants(fp16))), [])
    return wanted


def _weights(part: str, variant: str, names: Sequence[str]) -> list[str]:
    stem = re.escape(f"{part}/{weights_stem(part)}{variant}")
    return [name for name in names if re.fullmatch(stem + r"(-\d+-of-\d+)?\.safetensors", name)]


def _whole_folder(name: str) -> Path | None:
    folder = cached_folder(name)
    try:
        if folder is not None:
            check_files(folder)
    except InputError:
        return None  # a part of it is missing
    return folder


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what the hub library raises into one line."""
    try:
        yield
    except GatedRepoError as error:
        raise InputError(f"Model {name!r} asks for consent: accept its licence on the hub and log in.") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"The hub has no public model {name!r}: check the name, or {_ADVICE}.") from error
    except RemoteEntryNotFoundError as error:
        raise InputError(f"{name!r} on the hub is no diffusers model ({_INDEX} is missing): choose another.") from error
    except HFValidationError as error:
        example = versions.HUB_NAMES[DEFAULT_SD_VERSION]
        raise InputError(f"hf_key {name!r} is neither a folder, a file nor a hub name such as {example}.") from error
    except (HTTPError, OSError) as error:
        text = f"Downloading {name!r} failed ({first_line(error)}): try again (whole files are kept), or {_ADVICE}."
        raise DreamFusionError(text) from error


def _check_room(name: str, size: int) -> None:
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise DreamFusionError(
            f"Downloading {name!r} takes {size / 1e9:.2f} GB, but {cache} has room for {free / 1e9:.2f}:"
            " make room, or set HF_HOME to a folder on another disk."
        )


class Progress:
    """Counts the bytes of a download and says every few seconds how it goes. Where `say` raises, every thread stops."""

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        """Of `total` bytes none is there yet."""
        self.total, self.done = total, 0
        self._say, self._lock = say, threading.Lock()
        self._last_time, self._last_done = time.monotonic(), 0
        self._stopped: BaseException | None = None

    def add(self, count: int) -> None:
        """`count` more bytes are there; several threads may say so."""
        with self._lock:
            if self._stopped is not None:
                raise self._stopped
            self.done += count
            seconds = time.monotonic() - self._last_time
            if seconds < _SECONDS:
                return
            speed = (self.done - self._last_done) / seconds
            self._last_time, self._last_done = time.monotonic(), self.done
            left = duration((self.total - self.done) / speed) if speed > 0 else "unknown time"
            text = (
                f"Downloaded {self.done / 1e9:.2f} of {self.total / 1e9:.2f} GB, {speed / 1e6:.1f} MB/s, {left} left."
            )
        self._say(text)

    def meter(self) -> type:
        """A class for snapshot_download's `tqdm_class`, that shows nothing and counts the bytes on the disk here."""
        add = self.add

        class Meter(tqdm):  # type: ignore[misc]
            def __init__(self, *args: Any, **options: Any) -> None:
                self._counts = str(options.get("desc")).startswith("Reconstructing")
                super().__init__(*args, **options | {"disable": True})

            def update(self, n: float | None = 1) -> None:
                if self._counts:
                    add(int(n or 0))

        return Meter
