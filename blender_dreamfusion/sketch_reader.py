"""Reads newer coarse meshes of a job in training in a thread, since a disk may be slow. No bpy."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from . import workspaces
from .mesh_file import MeshFileError, Sketch, read_sketch


class SketchReader:
    """Reads one sketch at a time."""

    def __init__(self) -> None:
        """Nothing to read."""
        self._folder: Path | None = None
        self._thread: threading.Thread | None = None
        self._sketch: Sketch | None = None

    @property
    def idle(self) -> bool:
        """Whether the last one was taken or forgotten, so that another can be read."""
        return self._thread is None

    def begin(self, folder: Path) -> None:
        """Read the sketch of the job in this folder."""
        self._folder, self._sketch = folder, None
        self._thread = threading.Thread(target=self._read, args=(folder,), name="DreamFusion sketch", daemon=True)
        self._thread.start()

    def take(self, folder: Path) -> Sketch | None:
        """What was read, once, where it is this job's and whole; None as long as there is nothing."""
        if self._thread is None or self._thread.is_alive():
            return None
        sketch, self._thread, self._sketch = self._sketch, None, None
        return sketch if self._folder == folder else None

    def forget(self) -> None:
        """What is being read, or was, is of no use any more."""
        self._folder = None

    def _read(self, folder: Path) -> None:
        with contextlib.suppress(MeshFileError):  # the next one may be whole
            self._sketch = read_sketch(workspaces.sketch_path(folder))
