"""The trainer behind a front end: ``python -m core.worker`` runs one job and exits.

Port and token come in the environment; the worker connects back to 127.0.0.1, says Hello, and waits for a Generate
or a Resume. Three threads: the main one trains; a reader turns the front end's messages into flags that training
polls at every step; a sender empties a queue and sends a heartbeat when there is nothing else, so a busy front end
never holds up training. When the front end is gone, the job keeps a checkpoint and the process ends within seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import NoReturn

from core.control import Control
from core.errors import Cancelled, DreamFusionError, InputError, OutOfMemory
from core.job import Job
from core.launch import Run, explain, generate, open_job, perform, share_processor
from core.link import Link
from core.options import build_parser, generate_argv
from core.protocol import BUFFER, ENV_PORT, ENV_TOKEN, Error, Generate, Hello, Resume

_CONNECT_SECONDS = 10.0
_LONGEST = 2000  # characters of an error message, well below the size of a line
_EXIT_SECONDS = 6.0  # from the loss of the front end to a hard exit


def main(run: Run = generate) -> NoReturn:
    """Serve one job, whose body is `run`, and end the process with an exit code of core.errors.

    It ends at once: neither a library's thread nor the tear-down of torch may hold up a trainer that nobody waits for.
    """
    share_processor()
    code = _start(run)
    with contextlib.suppress(OSError):
        print(end="", flush=True)
    os._exit(code)


def _start(run: Run) -> int:
    """Connect and serve. Returns the exit code."""
    try:
        connection, token = _connect()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    control = Control()
    _set_signals(control)
    link = Link(connection, control, on_gone=_leave_soon)
    link.send(Hello(token))
    return _serve(link, control, run)


def _connect() -> tuple[socket.socket, str]:
    """The connection to the front end and the token to show, which are taken out of the environment."""
    port, token = os.environ.pop(ENV_PORT, ""), os.environ.pop(ENV_TOKEN, "")
    if not (port.isascii() and port.isdigit() and token):
        raise InputError(f"{ENV_PORT} and {ENV_TOKEN} are not set: a front end starts the worker, use python -m core.")
    try:
        connection = socket.create_connection(("127.0.0.1", int(port)), _CONNECT_SECONDS)
    except (OSError, OverflowError) as error:
        raise InputError(f"No front end listens on port {port} of 127.0.0.1.") from error
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return connection, token


def _set_signals(control: Control) -> None:
    """A polite kill is a cancel. Ctrl-C in the front end's terminal is the front end's to answer."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        control.cancel("The trainer was told to end.")
        _leave_soon()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave_soon() -> None:
    """End the process the hard way if the job is deaf (a download, a long mesh step). Files are whole at any moment."""
    timer = threading.Timer(_EXIT_SECONDS, os._exit, (DreamFusionError.exit_code,))
    timer.daemon = True
    timer.start()


def _serve(link: Link, control: Control, run: Run) -> int:
    """Wait for the order, run the job, tell how it ended."""
    order = link.wait_for_order()
    if order is None:
        return DreamFusionError.exit_code
    job: Job | None = None
    try:
        with open_job(_arguments(order)) as job:
            _print_to(job)
            done = perform(job, link.send, control, run)
    except Exception as error:  # noqa: BLE001 - the front end must hear about every end
        reason = explain(error, job)
        link.close(Error(str(reason)[:_LONGEST], _kind(reason)))
        return DreamFusionError.exit_code if link.gone else reason.exit_code
    link.close(done)
    return 0


def _arguments(order: Generate | Resume) -> argparse.Namespace:
    """The order as the command line would have it. Raises InputError."""
    if isinstance(order, Resume):
        longer = [f"--epochs={order.epochs}"] if order.epochs else []
        return build_parser().parse_args(["resume", *longer, "--", order.workspace])
    if "help" in order.options:  # argparse would print it and exit
        raise InputError("Unknown option 'help'.")
    return build_parser().parse_args(generate_argv(order.prompt, order.workspace, order.options))


def _print_to(job: Job) -> None:
    """Send everything that is printed from now on, by C libraries too, to the job's log."""
    try:
        log = job.log.open("a", buffering=1, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"Cannot write {job.log} ({error.strerror}): choose another folder.") from error
    for descriptor in (1, 2):
        os.dup2(log.fileno(), descriptor)
    sys.stdout = sys.stderr = log


def _kind(reason: DreamFusionError) -> str:
    """The Error message's word for an exception."""
    if isinstance(reason, InputError):
        return "input"
    if isinstance(reason, OutOfMemory):
        return "memory"
    return "cancelled" if isinstance(reason, Cancelled) else "failed"


if __name__ == "__main__":
    main()
