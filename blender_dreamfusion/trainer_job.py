"""One job as a front end sees it: starts the trainer, follows its messages, ends it. No bpy, no blocking.

The caller calls :meth:`TrainerJob.pump` often: from a timer in Blender's window, from a plain loop without one. The
job's folder outlives this object; a job that broke off goes on with ``protocol.Resume``.
"""

from __future__ import annotations

import time
from pathlib import Path

from .core_files import ROOT, protocol
from .job_record import State
from .language import say
from .link import Link, Lost
from .trainer_process import StartError, TrainerProcess, check_python

START_SECONDS = 60.0  # until it connects; it loads nothing big before that
CANCEL_SECONDS = 60.0  # from the Cancel message to terminate: a step may be long; a silent trainer is ended sooner
END_SECONDS = 5.0  # from the job's end, or Blender's, to terminate
LOST_SECONDS = 0.2  # from the connection's end to the process's, which may be a moment behind
_WAIT_SECONDS = 0.01  # between two looks at a trainer that is being closed
KILL_SECONDS = 1.0  # from terminate, which a trainer takes as another Cancel, to kill
LOG_NAME = "trainer.log"  # what is printed until the job is open; then log.txt takes over
_JOB_LOG_NAME = "log.txt"


ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class TrainerJob:
    """A trainer at work on one job.

    Attributes: `state`; `progress` (the newest, or None); `preview` (path of the newest picture, or "") and `previews`
    (how many were heard of); `sketches` (likewise, of coarse meshes); `remarks` (the trainer's lines for the user, each
    once); `error` (one sentence, once FAILED); `done` (the last message, once DONE).
    """

    def __init__(
        self, python: str, order: protocol.Generate | protocol.Resume, variables: dict[str, str] | None = None
    ) -> None:
        """Start a trainer with the program `python` for this order, whose workspace is absolute.

        `variables` are added to the trainer's environment. Raises StartError with a sentence for the user.
        """
        check_python(python)
        self.workspace = Path(order.workspace)
        self.state = State.STARTING
        self.progress: protocol.Progress | None = None
        self.preview = self.error = ""
        self.remarks: list[str] = []
        self.previews = self.sketches = 0
        self._grows = False
        self._error_kind = ""
        self._lost = ""  # why the connection ended without a last message
        self.done: protocol.Done | None = None
        self._ends_at = time.monotonic() + START_SECONDS  # when patience ends: see _watch
        self._terminated = False
        try:
            self._link = Link()
        except OSError as error:
            raise StartError(say("The system gives no port to talk to the trainer: {error}.", error=error)) from error
        try:
            self._link.send(order)
            self._process = self._start(python, variables or {})
        except (OSError, StartError, protocol.ProtocolError) as error:
            self._link.close()
            raise StartError(_why_not_started(error, self.workspace)) from error

    def _start(self, python: str, variables: dict[str, str]) -> TrainerProcess:
        self.workspace.mkdir(parents=True, exist_ok=True)
        secret = {protocol.ENV_PORT: str(self._link.port), protocol.ENV_TOKEN: self._link.token}
        return TrainerProcess(python, ROOT, self.workspace / LOG_NAME, {**variables, **secret})

    @property
    def ended(self) -> bool:
        """Whether the job is done, failed or cancelled."""
        return self.state in ENDED

    @property
    def gone(self) -> bool:
        """Whether it ended and its process is no more: nothing is left to pump."""
        return self.ended and self._process.exit_code() is not None

    @property
    def blames_setup(self) -> bool:
        """Whether it failed before it got anywhere: the trainer's Python or its packages may be at fault."""
        return self.state is State.FAILED and self.progress is None and self._error_kind != "input"

    @property
    def trainer_pid(self) -> int:
        """The process id of the trainer."""
        return self._process.pid

    def cancel(self) -> None:
        """Ask the trainer to stop and keep a checkpoint; it is ended by force if it does not."""
        if self.ended or self.state is State.CANCELLING:
            return
        self.state = State.CANCELLING
        if self._link.connected and not self._lost:
            self._link.send(protocol.Cancel())
            self._ends_at = time.monotonic() + CANCEL_SECONDS
        else:
            self._force()

    def pause(self) -> None:
        """Ask the trainer to wait at its next step; its memory stays taken."""
        if self.state is State.RUNNING:
            self._link.send(protocol.Pause())
            self.state = State.PAUSED

    def go_on(self) -> None:
        """End a pause."""
        if self.state is State.PAUSED:
            self._link.send(protocol.Resume())
            self.state = State.RUNNING

    def grow(self, on: bool) -> None:
        """Ask the trainer for a coarse mesh every few seconds, or no longer."""
        if on != self._grows:
            self._grows = on
            self._link.send(protocol.Grow(on))

    def pump(self, seconds: float = 0.005) -> bool:
        """Handle what has arrived, for `seconds` at most; returns whether anything changed."""
        if self.ended:
            self._see_off()
            return False
        before = self.state
        changed = False
        deadline = time.monotonic() + seconds
        while not self.ended and time.monotonic() < deadline:
            event = self._link.receive()
            if event is None:
                self._watch()
                break
            self._handle(event)
            changed = True
        return changed or self.state is not before

    def close(self) -> None:
        """End the trainer and wait for that; it keeps a checkpoint where it manages within END_SECONDS."""
        self.cancel()
        end = time.monotonic() + END_SECONDS
        while not self.gone and time.monotonic() < end:
            self.pump()
            time.sleep(_WAIT_SECONDS)
        self._link.close()  # a trainer ends when its front end is gone
        self._process.terminate()
        self._process.wait(KILL_SECONDS)
        self._process.kill()
        self._process.wait(KILL_SECONDS)

    def _handle(self, event: protocol.Message | Lost) -> None:
        if isinstance(event, protocol.Hello):
            self._greet(event)
        elif isinstance(event, protocol.Progress):
            self.progress = event
        elif isinstance(event, protocol.Preview):
            self.preview = event.path
            self.previews += 1
        elif isinstance(event, protocol.Sketch):
            self.sketches += 1
        elif isinstance(event, protocol.Log):
            if event.text not in self.remarks:
                self.remarks.append(event.text)
        elif isinstance(event, protocol.Done):
            self.done = event
            self._end(State.DONE)
        elif isinstance(event, protocol.Error):
            self._error_kind = event.kind
            self._end(State.CANCELLED if event.kind == "cancelled" else State.FAILED, event.text)
        elif isinstance(event, Lost):
            self._lost = say("The trainer stopped: {reason}.", reason=_why_lost(event))
            self._ends_at = time.monotonic() + LOST_SECONDS

    def _greet(self, hello: protocol.Hello) -> None:
        if hello.version != protocol.VERSION:
            text = say("The trainer is of another version than the add-on: install the whole zip again.")
            self._end(State.FAILED, text)
        elif self.state is State.STARTING:
            self.state = State.RUNNING

    def _watch(self) -> None:
        """What no message tells: a process that died, and time that ran out."""
        if self._lost:
            if self._process.exit_code() is not None or time.monotonic() > self._ends_at:
                self._break_off(self._lost)
        elif not self._link.connected and self._process.exit_code() is not None:
            self._break_off(say("The trainer ended before it was ready."))
        elif time.monotonic() > self._ends_at and self.state is State.STARTING:
            text = say("The trainer was started but did not answer: is this the trainer's Python?")
            self._end(State.FAILED, text)
        elif time.monotonic() > self._ends_at and self.state is State.CANCELLING:
            self._force()

    def _force(self) -> None:
        """Terminate a trainer that did not hear Cancel; kill it if it does not hear that either."""
        if self._terminated:
            self._process.kill()
        else:
            self._process.terminate()
        self._terminated = True
        self._ends_at = time.monotonic() + KILL_SECONDS

    def _break_off(self, text: str) -> None:
        """The trainer is gone without a last message."""
        if self.state is State.CANCELLING:
            self._end(State.CANCELLED)
            return
        code = self._process.exit_code()
        self._process.terminate()
        if self._link.connected:
            log = _JOB_LOG_NAME if (self.workspace / _JOB_LOG_NAME).exists() else LOG_NAME
            more = say("What it printed is in {log} of the job's folder.", log=log)
            self._end(State.FAILED, f"{_explain(text, code)} {more}")
        else:
            self._end(State.FAILED, _explain(text, code, self._process.last_line()))

    def _end(self, state: State, error: str = "") -> None:
        self.state = state
        self.error = error
        self._ends_at = time.monotonic() + END_SECONDS
        self._link.close()  # which the trainer waits for after its last message

    def _see_off(self) -> None:
        """After the end the trainer goes by itself; help it where it does not."""
        if self._process.exit_code() is None and time.monotonic() > self._ends_at:
            self._force()


def _why_lost(event: Lost) -> str:
    return f"{say(event.text)} ({event.detail})" if event.detail else say(event.text)


def _why_not_started(error: Exception, workspace: Path) -> str:
    if isinstance(error, OSError):
        sentence = "Cannot write to {folder} ({reason}): choose another folder for jobs in the preferences."
        return say(sentence, folder=workspace, reason=error.strerror)
    return str(error)


def _explain(text: str, code: int | None, last_line: str = "") -> str:
    """One sentence on an end without a last message, from the exit code and the last line printed."""
    if code == -9:  # SIGKILL, which Windows' signal module does not name
        return say("The trainer was killed; the computer may have run out of memory.")
    if code is not None and code < 0:
        return say("The trainer crashed (signal {number}).", number=-code)
    return f"{text.rstrip('.')}: {last_line}" if last_line else text
