"""Objects of finished jobs that come into the scene by themselves. Main thread only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import compat, sketch_import
from .drawing import redraw
from .job_queue import JobQueue
from .job_record import State
from .language import say

_NO_OBJECT = (State.FAILED, State.CANCELLED, State.INTERRUPTED)


class Arrivals:
    """The jobs whose objects are expected in the .blend that they were started in.

    Attribute: `waiting` (why a finished object is not in the scene yet, or "").
    """

    def __init__(self) -> None:
        """Nothing is expected."""
        self.waiting = ""
        self._expected: list[Path] = []  # folders of jobs
        self._file = ""  # the .blend
        self._marked: set[str] = set()  # names of jobs' folders whose coarse meshes the file holds

    def __len__(self) -> int:
        """How many are expected."""
        return len(self._expected)

    def __contains__(self, folder: Path) -> bool:
        """Whether the object of the job in this folder is expected."""
        return folder in self._expected

    def expect(self, folder: Path) -> None:
        """Wait for the object of this job."""
        if folder not in self._expected:
            self._expected.append(folder)
        self._file = bpy.data.filepath

    def forget(self, folder: Path) -> None:
        """It is in the scene, by whatever way, or will never come."""
        if folder in self._expected:
            self._expected.remove(folder)
        self.waiting = ""

    def note_file(self) -> None:
        """A .blend was opened.

        Objects do not come by themselves into another than their jobs were started in, unless it was saved while they
        grew in it.
        """
        if not bpy.data.filepath or bpy.data.filepath != self._file:
            self._expected.clear()
            self.waiting = ""
        growing = sketch_import.growing_meshes()
        self._marked = {str(mesh["job"]) for mesh in growing if sketch_import.is_free(mesh)}

    def bring_in(self, queue: JobQueue) -> str:
        """Bring finished objects in, each as one undo step, as soon as the artist's hands are off the scene.

        Returns what went wrong, or an empty string.
        """
        self._file = bpy.data.filepath  # "Save As" may have changed it
        error = ""
        for job in queue.jobs if self._marked else ():
            if job.folder.name in self._marked:
                self._marked.discard(job.folder.name)
                self.expect(job.folder)
        for folder in list(self._expected):
            job = queue.find(folder)
            if job is None or job.gave_up or job.state in _NO_OBJECT:
                self.forget(folder)
                if job is not None:
                    job.gave_up = False  # heard, once
            elif job.state is State.DONE:
                error = self._bring_in_one(folder) or error
        return error

    def _bring_in_one(self, folder: Path) -> str:
        with main_window():
            waiting = _why_wait()
            if waiting != self.waiting:
                self.waiting = waiting
                redraw()
            if waiting:
                return ""
            self.forget(folder)  # where it fails, the panel's button tries again
            try:
                bpy.ops.dreamfusion.add_result(  # type: ignore[attr-defined]
                    "EXEC_DEFAULT", True, workspace=str(folder), renew=True
                )
            except RuntimeError as error:  # what the operator reported
                return str(error).partition(": ")[2].strip()  # after "Error" in Blender's language
            finally:
                redraw()
        return ""


def _why_wait() -> str:
    """Why the finished object cannot come into the scene yet, or an empty string."""
    if bpy.context.mode != "OBJECT":
        return say("The object is ready and comes in when you return to Object Mode.")
    return say("The object is ready and comes in a moment.") if is_busy() else ""


def is_busy() -> bool:
    """Whether Blender renders or the artist drags something."""
    return bpy.app.is_job_running("RENDER") or compat.is_moving()


def main_window() -> Any:
    """A context in which operators find a window: timers have none."""
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0])
