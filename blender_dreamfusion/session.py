"""The job of this Blender, outside of any .blend, and the timer that follows it. Main thread only.

Nothing here keeps a reference to Blender's data, so another file may be loaded at any time.
"""

from __future__ import annotations

import atexit
from pathlib import Path

import bpy

from . import compat, preferences, preview, workspaces
from .core_files import protocol
from .trainer_job import TrainerJob
from .trainer_process import StartError

_SECONDS = 0.1  # between two looks at the job


class Session:
    """What the panel shows.

    Attributes: `job` (the newest, or None); `error` (of a start or of an import that failed, or ""); `interrupted`
    (folder of an unfinished job that no trainer is at work on, or None) and `interrupted_prompt`; `waiting` (why the
    finished object is not in the scene yet, or "").
    """

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.job: TrainerJob | None = None
        self.error = ""
        self.waiting = ""
        self.interrupted: Path | None = None
        self.interrupted_prompt = ""
        self._added = False
        self._shown = 0  # how many of the job's pictures were shown or passed over

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and not self.job.ended

    @property
    def ready(self) -> bool:
        """Whether a new job can start: none runs, the last one's trainer is gone, and its object is in the scene."""
        return self.job is None or (self.job.gone and not self.waiting)

    def start(self, order: protocol.Generate | protocol.Resume) -> bool:
        """Start a job; where that fails, `error` says why."""
        self.error = self.waiting = ""
        self.job = None
        self._added, self._shown = False, 0
        preview.clear()
        offline = {} if compat.online_access() else {"HF_HUB_OFFLINE": "1"}
        try:
            self.job = TrainerJob(preferences.trainer_python(), order, offline)
        except StartError as error:
            self.error = str(error)
            return False
        self.interrupted = None
        if not bpy.app.timers.is_registered(tick):
            bpy.app.timers.register(tick, first_interval=_SECONDS, persistent=True)
        return True

    def step(self) -> bool:
        """Follow the job; returns whether there is more to follow."""
        if self.job is None:
            return False
        if self.job.pump():
            if self.job.previews > self._shown:
                self._shown = self.job.previews
                preview.show(self.job.preview)
            redraw()
        if self.job.done is not None and not self._added:
            self._add(self.job.done)
        if not self.job.gone:
            return True
        self._offer(self.job.workspace)
        redraw()
        return bool(self.waiting)

    def _add(self, done: protocol.Done) -> None:
        """Bring the object in as one undo step, as soon as the artist's hands are off the scene."""
        window = bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window):
            waiting = _why_wait(window)
            if waiting != self.waiting:
                self.waiting = waiting
                redraw()
            if waiting:
                return
            self._added = True
            try:
                bpy.ops.dreamfusion.add_result(  # type: ignore[attr-defined]
                    "EXEC_DEFAULT", True, workspace=done.workspace, mesh=done.mesh, texture=done.texture
                )
            except RuntimeError as error:  # what the operator reported
                self.error = str(error).removeprefix("Error: ").strip()
        redraw()

    def find_interrupted(self) -> None:
        """Look in the folder for jobs for one to resume."""
        newest = workspaces.newest_interrupted(preferences.jobs_folder())
        if newest is not None and self.job is None:
            self._offer(newest)
            redraw()

    def _offer(self, workspace: Path) -> None:
        """Offer to resume the job there, if it is unfinished."""
        details = workspaces.read_details(workspace)
        if details is not None and workspaces.is_interrupted(workspace):
            self.interrupted, self.interrupted_prompt = workspace, details.prompt

    def close(self) -> None:
        """End the trainer, if one is at work."""
        if self.job is not None:
            self.job.close()


SESSION = Session()


def register() -> None:
    """Make sure that a trainer ends with Blender, and look for an interrupted job once the window is there."""
    atexit.register(SESSION.close)
    bpy.app.timers.register(_look_once, first_interval=0.5)


def unregister() -> None:
    """End the trainer and the timers."""
    for timer in (tick, _look_once):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    SESSION.close()
    atexit.unregister(SESSION.close)


def tick() -> float | None:
    """The timer: again in a moment, or never where nothing is left to follow."""
    return _SECONDS if SESSION.step() else None


def _look_once() -> None:
    """A timer too: register() comes before Blender has a window to draw in."""
    SESSION.find_interrupted()


def redraw() -> None:
    """Draw every sidebar again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def _why_wait(window: bpy.types.Window) -> str:
    """Why the finished object cannot come into the scene yet, or an empty string."""
    if bpy.context.mode != "OBJECT":
        return "The object is ready and comes in when you return to Object Mode."
    return "The object is ready and comes in a moment." if compat.is_busy(window) else ""
