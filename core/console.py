"""Shows a job on a terminal: a progress bar with the time left, or a line every few seconds where there is none."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from types import TracebackType

from core.protocol import FromTrainer, Log, Progress

_LINE_SECONDS = 5.0
_BAR_SECONDS = 0.1  # between two drawings
_SIZE = (80, 24)  # columns and lines, where the terminal does not tell
_TICKS = 1000  # of the bar


class Console:
    """Takes a job's messages and writes them to stderr; a context manager, so that the bar ends cleanly."""

    def __init__(self) -> None:
        """A bar on a terminal, lines elsewhere."""
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            size = os.get_terminal_size(sys.stderr.fileno())
            columns, lines = size.columns or _SIZE[0], size.lines or _SIZE[1]
            self._bar = tqdm(
                total=_TICKS, bar_format="{percentage:3.0f}%|{bar}|", file=sys.stderr, ncols=columns, nrows=lines
            )
        self._seconds = _LINE_SECONDS if self._bar is None else _BAR_SECONDS
        self._last = float("-inf")

    def __enter__(self) -> Console:
        """Ready for messages."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the bar as it stands and go to a new line."""
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.close()

    def emit(self, message: FromTrainer) -> None:
        """Show progress and log lines; other messages are for front ends. Nobody at the other end stops nothing."""
        with contextlib.suppress(OSError):
            if isinstance(message, Log):
                self._say(message.text)
            elif isinstance(message, Progress):
                self._show(message)

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < self._seconds and progress.step < progress.steps:
            return
        self._last = now
        left = f"{duration(progress.seconds_left)} left" if progress.seconds_left >= 0 else "time left unknown"
        what = f"{progress.stage} {progress.step}/{progress.steps}"
        if self._bar is not None:
            self._bar.n = round(_TICKS * progress.fraction)
            self._bar.bar_format = f"{what:<20} {{percentage:3.0f}}%|{{bar}}| {left}"
            self._bar.refresh()
        else:
            print(f"{what}, {progress.fraction:.0%}, {left}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours too: "1:05", "2:00:00"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
