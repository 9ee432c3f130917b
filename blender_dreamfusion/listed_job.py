"""One job of the list: what its folder told, its trainer, and what the artist can do with it. No bpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import job_record
from .core_files import protocol
from .job_record import JobGone, Record, State
from .language import say
from .trainer_job import TrainerJob
from .trainer_process import StartError

Order = protocol.Generate | protocol.Resume
_STOPPED = (State.FAILED, State.CANCELLED, State.INTERRUPTED)
_AT_WORK = (State.STARTING, State.RUNNING, State.PAUSED, State.CANCELLING)


class ListedJob:
    """One job of the list.

    Attributes: `folder`; `record`, what the folder told last; `trainer`, the newest of this program, at work or gone;
    `order`, what it waits with for its turn; `gave_up`, whether it gave up its turn when it waited last, until that is
    heard: then nothing newer comes of it.
    """

    def __init__(self, folder: Path, record: Record) -> None:
        """A job that is neither at work nor waiting."""
        self.folder = folder
        self.record = record
        self.trainer: TrainerJob | None = None
        self.order: Order | None = None
        self.gave_up = False
        self._problem = ""  # why its trainer could not be started

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.order is not None:
            return State.WAITING
        if self._problem:
            return State.FAILED
        return self.trainer.state if self.trainer is not None else self.record.state

    @property
    def at_work(self) -> bool:
        """Whether its trainer is at work here."""
        return self.state in _AT_WORK

    @property
    def error(self) -> str:
        """One sentence where it failed, else an empty string."""
        if self.state is not State.FAILED:
            return ""
        return say(self._problem or (self.trainer.error if self.trainer is not None else self.record.error))

    @property
    def blames_setup(self) -> bool:
        """Whether it failed because of the trainer's Python or its packages."""
        return bool(self._problem) or (self.trainer is not None and self.trainer.blames_setup)

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0 to 1."""
        progress = self.trainer.progress if self.trainer is not None else None
        return progress.fraction if progress is not None else self.record.fraction

    @property
    def can_resume(self) -> bool:
        """Whether it can go on from where it stopped (or begin, where it never came to its turn)."""
        return self.state in _STOPPED and (self.record.started or self.record.request is not None)

    @property
    def can_train_longer(self) -> bool:
        """Whether it is done and can go on with more epochs."""
        return self.state is State.DONE and self.record.has_checkpoint

    @property
    def can_retry(self) -> bool:
        """Whether it is known what it was asked for."""
        return self.record.request is not None

    @property
    def can_delete(self) -> bool:
        """Whether no trainer is at work on it."""
        return not self.at_work and self.state is not State.ELSEWHERE

    def may_have_changed(self) -> bool:
        """Whether another program may have been at it since it was read."""
        return self.state is State.ELSEWHERE or job_record.stamp(self.folder) != self.record.stamp

    def read(self) -> bool:
        """Read its folder again; returns whether another program has been at it since. Raises JobGone."""
        record = job_record.read(self.folder)
        if record is None:
            raise JobGone(say("There is no job in {folder} any more: put it back, or retry.", folder=self.folder))
        changed, self.record = record != self.record, record
        if changed and self.trainer is not None and self.trainer.gone:
            self.trainer = None  # how it ended is of the past
        return changed

    def note_done(self) -> None:
        """Its trainer has said that it is done, and is about to leave."""
        self.record = job_record.read(self.folder) or self.record

    def end(self) -> None:
        """Its trainer is gone. One that was refused, as another program's is at work, leaves no trace."""
        self.record = job_record.read(self.folder) or self.record
        if self.record.state is State.ELSEWHERE:
            self.trainer = None

    def begin(self, begin: Callable[[Order], TrainerJob]) -> None:
        """Its turn has come. Raises StartError, and has failed then."""
        assert self.order is not None
        order, self.order = self.order, None
        try:
            self.trainer = begin(order)
        except StartError as error:
            self._problem = str(error)
            raise

    def wait_with(self, order: Order) -> None:
        """Wait for its turn; what went wrong before is forgotten."""
        self.order, self.gave_up, self._problem = order, False, ""

    def give_up(self) -> None:
        """Wait no longer."""
        self.order, self.gave_up = None, True
