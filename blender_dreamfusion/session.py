"""The job of this Blender, outside of any .blend, and the timer that follows it. Main thread only.

Nothing here keeps a reference to Blender's data, so another file may be loaded at any time.
"""

from __future__ import annotations

import atexit
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy

from . import compat, preferences, preview, workspaces
from .core_files import protocol
from .trainer_job import TrainerJob
from .trainer_process import StartError
from .trainer_setup import SETUP

_SECONDS = 0.1  # between two looks at the job
_REGIONS = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}  # where something of the add-on is drawn


class Session:
    """What the panel shows.

    Attributes: `job` (the newest, or None); `error` (of a start or of an import that failed, or ""); `interrupted`
    (folder of an unfinished job that no trainer is at work on, or None) and `interrupted_prompt`; `result` (folder of
    the newest finished job, or None) and `result_prompt`; `waiting` (why the finished object is not in the scene yet,
    or "").
    """

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.job: TrainerJob | None = None
        self.error = ""
        self.waiting = ""
        self.interrupted: Path | None = None
        self.interrupted_prompt = ""
        self.result: Path | None = None
        self.result_prompt = ""
        self._expected = False  # whether the job's object comes into the scene by itself
        self._file = ""  # the .blend that the job was started in
        self._shown = 0  # how many of the job's pictures were shown or passed over

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and not self.job.ended

    @property
    def ready(self) -> bool:
        """Whether a new job can start: none runs, the last one's trainer is gone, and its object waits for nothing."""
        return self.job is None or (self.job.gone and not self.waiting)

    def start(self, order: protocol.Generate | protocol.Resume) -> bool:
        """Start a job; where that fails, `error` says why."""
        self.error = self.waiting = ""
        self.job = None
        self._expected, self._file, self._shown = True, bpy.data.filepath, 0
        preview.clear()
        try:
            self.job = TrainerJob(preferences.trainer_python(), order, compat.download_variables())
        except StartError as error:
            self.error = str(error)
            return False
        self.interrupted = None
        wake()
        return True

    def step(self) -> bool:
        """Follow the job; returns whether there is more to follow."""
        if self.job is None:
            return False
        if self.job.pump():
            if self.job.previews > self._shown and not bpy.app.is_job_running("RENDER"):
                self._shown = self.job.previews
                preview.show(self.job.preview)
            redraw()
        if self._expected:
            self._file = bpy.data.filepath  # "Save As" may have changed it
        if self.job.done is not None and self._expected:
            self._add(self.job.workspace)
        if self.waiting or not self.job.gone:
            return True
        self._offer()
        return False

    def _add(self, workspace: Path) -> None:
        """Bring the object in as one undo step, as soon as the artist's hands are off the scene."""
        window = bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window):
            waiting = _why_wait()
            if waiting != self.waiting:
                self.waiting = waiting
                redraw()
            if waiting:
                return
            self._expected = False  # where it fails, the panel's button tries again
            try:
                bpy.ops.dreamfusion.add_result(  # type: ignore[attr-defined]
                    "EXEC_DEFAULT", True, workspace=str(workspace)
                )
            except RuntimeError as error:  # what the operator reported
                self.error = str(error).removeprefix("Error: ").strip()
        redraw()

    def note_added(self, workspace: Path) -> None:
        """The object is in the scene, by whatever way."""
        if self.job is not None and self.job.workspace == workspace:
            self._expected, self.waiting, self.error = False, "", ""

    def note_file(self) -> None:
        """A .blend was opened. The object does not come by itself into another than the job was started in."""
        if not bpy.data.filepath or bpy.data.filepath != self._file:
            self._expected, self.waiting = False, ""

    def find_jobs(self) -> None:
        """Offer what an earlier Blender left, unless a job was started here meanwhile."""
        if self.job is None:
            self._offer()

    def _offer(self) -> None:
        """Offer to resume a job and to add a finished one: this Blender's own, or the newest in the folder for jobs."""
        self.interrupted, self.interrupted_prompt = self._find(workspaces.is_interrupted)
        self.result, self.result_prompt = self._find(workspaces.is_done)
        redraw()

    def _find(self, fits: Callable[[Path], bool]) -> tuple[Path | None, str]:
        """A folder that `fits`, and its prompt."""
        if self.job is not None and fits(self.job.workspace):
            found: Path | None = self.job.workspace
        else:
            found = workspaces.newest(preferences.jobs_folder(), fits)
        details = workspaces.read_details(found) if found is not None else None
        return (found, details.prompt) if details is not None else (None, "")

    def close(self) -> None:
        """End the trainer, if one is at work."""
        if self.job is not None:
            self.job.close()


SESSION = Session()


def register() -> None:
    """Make sure that a trainer and a set-up end with Blender, and look for earlier jobs once the window is there."""
    atexit.register(SESSION.close)
    atexit.register(SETUP.close)
    bpy.app.handlers.load_post.append(bpy.app.handlers.persistent(_on_load))
    bpy.app.timers.register(_look_once, first_interval=0.5, persistent=True)


def unregister() -> None:
    """End the trainer and the timers."""
    for timer in (tick, _look_once, _survey):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    bpy.app.handlers.load_post.remove(_on_load)
    for part in (SESSION, SETUP):
        part.close()
        atexit.unregister(part.close)


def wake() -> None:
    """Let the timer run, until nothing is left to follow."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=_SECONDS, persistent=True)


def look_around() -> None:
    """See what this computer has, once the interface is drawn."""
    if not bpy.app.timers.is_registered(_survey):
        bpy.app.timers.register(_survey)


def _survey() -> None:
    SETUP.look()
    wake()


def tick() -> float | None:
    """The timer: again in a moment, or never where nothing is left to follow."""
    try:
        if SETUP.pump():
            redraw()
        working = SESSION.step()
        return _SECONDS if working or SETUP.action else None
    except Exception as error:  # noqa: BLE001 - an error must not leave a job that nobody follows
        traceback.print_exc()
        SESSION.error = f"An error in the add-on: {error}"
        redraw()
        working = SESSION.job is not None and not SESSION.job.gone
        return _SECONDS if working or SETUP.action else None


def _look_once() -> None:
    """A timer too: register() comes before Blender has a window to draw in."""
    SESSION.find_jobs()


def _on_load(*_: object) -> None:
    SESSION.note_file()


def redraw() -> None:
    """Draw every sidebar and the preferences again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if _REGIONS.get(area.type) == region.type:
                    region.tag_redraw()


def _why_wait() -> str:
    """Why the finished object cannot come into the scene yet, or an empty string."""
    if bpy.context.mode != "OBJECT":
        return "The object is ready and comes in when you return to Object Mode."
    busy = bpy.app.is_job_running("RENDER") or compat.is_moving()
    return "The object is ready and comes in a moment." if busy else ""
