"""The jobs of this Blender, outside of any .blend, and the timer that follows them. Main thread only.

Nothing here keeps a reference to Blender's data, so another file may be loaded at any time.
"""

from __future__ import annotations

import atexit
import contextlib
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from . import compat, preferences, preview, workspaces
from .arrivals import Arrivals, main_window
from .drawing import count_slots, redraw
from .growth import Growth
from .job_queue import JobQueue
from .job_record import JobGone
from .language import say
from .listed_job import ListedJob
from .picture_job import PictureJob
from .trainer_job import TrainerJob
from .trainer_process import StartError, check_python
from .trainer_setup import SETUP

_SECONDS = 0.1  # between two looks at the jobs while there is something to follow
_BUDGET = 0.002  # seconds that a look may take of Blender's time, about
_IDLE_SECONDS = 1.0  # and while there is nothing
_LOOK_SECONDS = 0.9  # between two looks at the folders of jobs


class Session:
    """What the panel shows.

    Attributes: `queue` (the list of jobs); `selected` (the folder of the one that the panel shows, or None);
    `pictures` (of a prompt, or None); `error` (of a start or of an import that failed, or ""); `blames_setup`
    (whether the preferences mend that); `arrivals` (objects that come into the scene by themselves); `growth` (their
    coarse meshes before).
    """

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.queue = JobQueue(
            lambda order: TrainerJob(preferences.trainer_python(), order, compat.download_variables())
        )
        self.selected: Path | None = None
        self.pictures: PictureJob | None = None
        self.error = ""
        self.blames_setup = False
        self.arrivals = Arrivals()
        self.growth = Growth()
        self._drew = False  # whether the last step showed pictures
        self._scanned: tuple[Path, int] | None = None  # the folder for jobs and when it had last changed
        self._looked = 0.0  # when the folders of jobs were last looked at

    @property
    def job(self) -> ListedJob | None:
        """The selected job."""
        return self.queue.find(self.selected)

    @property
    def draws(self) -> bool:
        """Whether pictures of a prompt are being drawn."""
        return self.pictures is not None and not self.pictures.done

    @property
    def uses_trainer(self) -> bool:
        """Whether a trainer is at work on a job or on pictures."""
        return self.queue.active is not None or self.draws

    def generate(self, prompt: str, requests: list[dict[str, Any]]) -> bool:
        """A job for each of these options; where that fails, `error` says why. Returns whether it worked."""
        with self._telling():
            check_python(preferences.trainer_python())
            jobs: list[ListedJob] = []
            for request in requests:  # those before one that fails are made
                workspace = workspaces.new_workspace(preferences.jobs_folder(), prompt)
                jobs.append(self.queue.add(workspace, prompt, request))
                self._expect(jobs[-1])
                self.selected = jobs[0].folder
        return not self.error

    def preview_prompt(self, prompt: str, options: dict[str, Any]) -> bool:
        """Draw flat pictures of a prompt, likewise."""
        self.end_preview()
        with self._telling():
            folder = Path(tempfile.mkdtemp(prefix="prompt_", dir=bpy.app.tempdir)) / "pictures"
            python, variables = preferences.trainer_python(), compat.download_variables()
            self.pictures = PictureJob(python, prompt, options, folder, variables)
            wake()
        return not self.error

    def end_preview(self) -> None:
        """Put the pictures of a prompt away."""
        if self.pictures is not None:
            self.pictures.close()
        self.pictures = None
        redraw()

    def retry(self, job: ListedJob, seed: int) -> bool:
        """The same with another seed, likewise."""
        with self._telling():
            check_python(preferences.trainer_python())
            self._expect(self.queue.retry(job, seed))
        return not self.error

    def resume(self, job: ListedJob, epochs: int = 0) -> bool:
        """Let a job go on when its turn comes, likewise."""
        with self._telling():
            check_python(preferences.trainer_python())
            self.queue.resume(job, epochs)
            self._expect(job)
        return not self.error

    def delete(self, job: ListedJob) -> bool:
        """Delete a job with its folder; where that fails, `error` says why."""
        self.error, self.blames_setup = "", False
        number = self.queue.jobs.index(job)
        try:
            if not self.queue.delete(job):
                self.error = say("A trainer is at work on this job: cancel it first.")
        except OSError as error:
            sentence = "Cannot delete {path} ({reason}): close what uses it and try again."
            self.error = say(sentence, path=error.filename, reason=error.strerror)
        else:
            self.arrivals.forget(job.folder)
            self.growth.remove(job.folder)
            left = self.queue.jobs[min(number, len(self.queue.jobs) - 1) :]
            self.selected = left[0].folder if left else None
        redraw()
        return not self.error

    def scan(self) -> None:
        """Look at the folder for jobs, from the first to the last, and at pictures that could not be read."""
        self._scanned = None
        preview.try_again()

    def step(self) -> float:
        """Follow the jobs; returns in how many seconds to come again."""
        self._look_again()
        changed = self.queue.pump(_BUDGET)
        drawing = self.draws
        if self.pictures is not None and self.pictures.pump():
            changed = True
        self._drew = not self._drew and preview.follow_jobs(self.queue.jobs)
        if not bpy.app.background:
            with main_window():
                self.growth.settle()
                if not self._drew:  # pictures or growth: one of both is enough at a time
                    self.growth.follow(self.queue, self.arrivals)
        self._select()
        if count_slots(len(self.queue.jobs)) or changed or self._drew:
            redraw()
        error = self.arrivals.bring_in(self.queue)
        if error:
            self.error, self.blames_setup = error, False
        follows = self.queue.busy or self.arrivals or drawing or preview.is_behind()
        return _SECONDS if follows else _IDLE_SECONDS

    def note_added(self, workspace: Path) -> None:
        """The object is in the scene, by whatever way."""
        self.arrivals.forget(workspace)
        self.growth.end(workspace)
        self.error = ""

    def close(self) -> None:
        """End the trainer, if one is at work."""
        if self.pictures is not None:
            self.pictures.close()
        self.queue.close()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Keep what cannot be started as `error`."""
        self.error, self.blames_setup = "", False
        try:
            yield
        except (StartError, JobGone) as error:
            self.error, self.blames_setup = str(error), isinstance(error, StartError)
        redraw()

    def _expect(self, job: ListedJob) -> None:
        self.arrivals.expect(job.folder)
        self.growth.begin(job.folder)
        self.selected = job.folder
        wake()

    def _follow_folder(self) -> None:
        """Scan the folder for jobs where it is another one or jobs have come or gone."""
        folder = preferences.jobs_folder()
        try:
            now = (folder, folder.stat().st_mtime_ns)
        except OSError:
            now = (folder, 0)
        if now != self._scanned:
            self.queue.scan(folder, again=self._scanned is None)
            self._scanned = now

    def _look_again(self) -> None:
        """Let the queue see what other programs do: now and then, and at once where a scan is asked for."""
        if self._scanned is None or time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._follow_folder()
            self.queue.look_again()

    def _select(self) -> None:
        if self.job is None and not self.queue.reading:
            self.selected = self.queue.jobs[0].folder if self.queue.jobs else None


SESSION = Session()


def register() -> None:
    """Make sure that a trainer and a set-up end with Blender, and follow the jobs once the window is there."""
    atexit.register(SESSION.close)
    atexit.register(SETUP.close)
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(bpy.app.handlers.persistent(handler))
    bpy.app.timers.register(tick, first_interval=0.5, persistent=True)


def unregister() -> None:
    """End the trainer, the set-up and the timers."""
    for timer in (tick, _survey):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    for part in (SESSION, SETUP):
        part.close()
        atexit.unregister(part.close)
    for name, handler in _HANDLERS.items():
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:  # another add-on may have emptied the list
            handlers.remove(handler)


def look_around() -> None:
    """See what this computer has, once the interface is drawn."""
    if not bpy.app.timers.is_registered(_survey):
        bpy.app.timers.register(_survey)


def _survey() -> None:
    SETUP.look()
    wake()


def wake() -> None:
    """Let the timer come at once: it may be idle."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    bpy.app.timers.register(tick, persistent=True)


def tick() -> float:
    """The timer."""
    try:
        action = SETUP.action
        if SETUP.pump():
            if SESSION.blames_setup and action == "install" and not SETUP.action and SETUP.failed is None:
                SESSION.error, SESSION.blames_setup = "", False
            redraw()
        pause = SESSION.step()
        return _SECONDS if SETUP.action else pause
    except Exception as error:  # noqa: BLE001 - an error must not leave a job that nobody follows
        traceback.print_exc()
        SESSION.error, SESSION.blames_setup = say("An error in the add-on: {error}", error=error), False
        redraw()
        return _IDLE_SECONDS


def _on_load(*_: object) -> None:
    SESSION.arrivals.note_file()
    SESSION.growth.note_file()
    count_slots(len(SESSION.queue.jobs))


def _on_undo(*_: object) -> None:
    SESSION.growth.note_travel("undo")
    wake()


def _on_redo(*_: object) -> None:
    SESSION.growth.note_travel("redo")
    wake()


def _on_save(*_: object) -> None:
    SESSION.growth.clean()


_HANDLERS = {"load_post": _on_load, "undo_post": _on_undo, "redo_post": _on_redo, "save_pre": _on_save}
