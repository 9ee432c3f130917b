"""The list of jobs, newest first, and the one that is at work: one trainer at a time, the others wait. No bpy.

Everything that outlives this process lies in the jobs' folders; :meth:`JobQueue.scan` reads it back. Nothing here
blocks: the caller calls :meth:`JobQueue.pump` often.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import deletion, job_record, workspaces
from .core_files import protocol
from .job_record import JobGone, State
from .language import say
from .listed_job import ListedJob, Order
from .trainer_job import TrainerJob
from .trainer_process import StartError


class JobQueue:
    """The list. Attribute: `jobs`, newest first."""

    def __init__(self, begin: Callable[[Order], TrainerJob]) -> None:
        """An empty list; `begin` starts a trainer, or raises StartError."""
        self.jobs: list[ListedJob] = []
        self._begin = begin
        self._active: ListedJob | None = None  # whose trainer is not gone yet
        self._waiting: deque[ListedJob] = deque()
        self._unread: deque[Path] = deque()

    @property
    def active(self) -> ListedJob | None:
        """The job at work, until its trainer is gone."""
        return self._active

    @property
    def reading(self) -> bool:
        """Whether there are folders left to read."""
        return bool(self._unread)

    @property
    def busy(self) -> bool:
        """Whether there is something to pump."""
        return self._active is not None or bool(self._waiting or self._unread)

    def find(self, folder: Path | None) -> ListedJob | None:
        """The job in this folder, if it is listed."""
        return next((job for job in self.jobs if job.folder == folder), None)

    def scan(self, jobs_folder: Path, again: bool = True) -> None:
        """Look for the jobs there: new ones join the list as pump() reads them, those that are gone leave it.

        Those that are listed already are read only `again` where that is wanted.
        """
        try:
            found = [path for path in jobs_folder.iterdir() if path.is_dir()]
        except OSError:
            found = []
        kept, known = set(found), {job.folder for job in self.jobs}
        for job in [job for job in self._waiting if not job.folder.is_dir()]:
            self.cancel(job)
        self.jobs = [job for job in self.jobs if job.at_work or job.order is not None or job.folder in kept]
        self._unread = deque(path for path in found if again or path not in known)

    def look_again(self) -> None:
        """Read those jobs again that another program may have been at. Call it every second or so."""
        resting = [job for job in self.jobs if not job.at_work and job.order is None]
        self._unread.extend(job.folder for job in resting if job.may_have_changed())

    def add(self, folder: Path, prompt: str, options: dict[str, Any]) -> ListedJob:
        """A new job, which waits for its turn. Raises StartError where the folder cannot be written."""
        try:
            job_record.write_request(folder, prompt, options)
        except OSError as error:
            sentence = "Cannot write to {folder} ({reason}): choose another folder for jobs in the preferences."
            raise StartError(say(sentence, folder=folder, reason=error.strerror)) from error
        record = job_record.read(folder)
        assert record is not None
        job = ListedJob(folder, record)
        self.jobs.insert(0, job)
        self._enqueue(job, protocol.Generate(prompt, str(folder), options))
        return job

    def resume(self, job: ListedJob, epochs: int = 0) -> None:
        """Let it go on, for `epochs` in all where that is more than it had, when its turn comes.

        Nothing happens where another program has brought it to its end, or is at it. Raises JobGone.
        """
        job.read()
        if not (job.can_resume or (epochs and job.can_train_longer)):
            return
        request = job.record.request
        if job.record.started or request is None:
            self._enqueue(job, protocol.Resume(str(job.folder), epochs))
        else:
            options = {name: value for name, value in request.items() if name != "prompt"}
            self._enqueue(job, protocol.Generate(job.record.prompt, str(job.folder), options))

    def retry(self, job: ListedJob, seed: int) -> ListedJob:
        """A new job that asks for the same with another seed. Raises StartError."""
        options = {**(job.record.request or {}), "seed": seed}
        prompt = str(options.pop("prompt"))
        return self.add(workspaces.new_workspace(job.folder.parent, prompt), prompt, options)

    def cancel(self, job: ListedJob) -> None:
        """Stop it and keep a checkpoint; one that waits gives up its turn."""
        if job in self._waiting:
            self._waiting.remove(job)
            job.give_up()
        elif job.trainer is not None:
            job.trainer.cancel()

    def delete(self, job: ListedJob) -> bool:
        """Delete its folder, unless a trainer is at work on it; returns whether it is gone. Raises OSError."""
        if not job.can_delete or not deletion.delete_job(job.folder):
            self._unread.append(job.folder)  # another program may be at it
            return False
        self.cancel(job)
        self.jobs.remove(job)
        return True

    def pump(self, seconds: float = 0.005) -> bool:
        """Follow the job at work, start the next, read folders: about `seconds`. Returns whether anything changed."""
        deadline = time.monotonic() + seconds
        changed = self._follow(seconds)
        if self._active is None and self._waiting:
            self._start_next()
            changed = True
        while self._unread and time.monotonic() < deadline:
            changed = self._read(self._unread.popleft()) or changed
        return changed

    def close(self) -> None:
        """End the trainer at work and wait for that. Jobs that wait are found in their folders later."""
        if self._active is not None and self._active.trainer is not None:
            self._active.trainer.close()
        self._waiting.clear()

    def _enqueue(self, job: ListedJob, order: Order) -> None:
        job.wait_with(order)
        self._waiting.append(job)

    def _follow(self, seconds: float) -> bool:
        job = self._active
        if job is None or job.trainer is None:
            return False
        changed = job.trainer.pump(seconds)
        if changed and job.state is State.DONE:
            job.note_done()
        if not job.trainer.gone:
            return changed
        job.end()
        self._active = None
        if job.blames_setup:
            self._hold()
        return True

    def _start_next(self) -> None:
        job = self._waiting.popleft()
        if not job.folder.is_dir():  # deleted by hand: the trainer would make it anew
            job.give_up()
            return
        try:
            job.begin(self._begin)
            self._active = job
        except StartError:
            self._hold()

    def _hold(self) -> None:
        """Nothing else would start either: let none of them wait."""
        while self._waiting:
            self.cancel(self._waiting[0])

    def _read(self, folder: Path) -> bool:
        """Bring what the folder tells into the list; returns whether there was anything new."""
        job = self.find(folder)
        if job is not None:
            return self._read_again(job)
        record = job_record.read(folder)
        if record is not None:
            self.jobs.append(ListedJob(folder, record))
            self.jobs.sort(key=lambda job: job.record.created, reverse=True)
        return record is not None

    def _read_again(self, job: ListedJob) -> bool:
        try:
            return job.read()
        except JobGone:
            if job.at_work or job.order is not None:
                return False
            self.jobs.remove(job)
            return True
