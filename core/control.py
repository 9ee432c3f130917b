"""What a running job hears from outside: cancel, pause, go on, show how it grows.

The training loop calls :meth:`Control.check` at every step; signal handlers and the reader of the front end's
messages set flags from other threads. Plain attributes, no locks: a signal handler may run in the middle of anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from core.errors import Cancelled
from core.protocol import FromTrainer

Emit = Callable[[FromTrainer], None]
_PAUSE_POLL = 0.1  # seconds


class Control:
    """The switch of one job.

    `on_start` is called once, where the job passes its first check; `on_pause` with True and False where it really
    stops and goes on.
    """

    def __init__(self) -> None:
        """Running, and not cancelled."""
        self.on_start: Callable[[], None] | None = None
        self.on_pause: Callable[[bool], None] | None = None
        self.checked = False  # whether the job has come to its first check()
        self.grow = False  # whether somebody wants a sketch every few seconds
        self._paused = False
        self._reason = ""

    def cancel(self, reason: str = "Cancelled.") -> None:
        """Stop the job at its next check. The first reason counts."""
        self._reason = self._reason or reason

    def pause(self) -> None:
        """Hold the job at its next check."""
        self._paused = True

    def go_on(self) -> None:
        """End a pause."""
        self._paused = False

    @property
    def cancelled(self) -> bool:
        """Whether cancel() was called."""
        return bool(self._reason)

    def check(self) -> None:
        """Return at once, wait out a pause, or raise Cancelled."""
        self.checked = True
        if self._paused and not self._reason:
            self._announce(True)
            while self._paused and not self._reason:
                time.sleep(_PAUSE_POLL)
            self._announce(False)
        if self._reason:
            raise Cancelled(self._reason)
        if self.on_start is not None:
            self.on_start()
            self.on_start = None

    def _announce(self, paused: bool) -> None:
        if self.on_pause is not None:
            self.on_pause(paused)
