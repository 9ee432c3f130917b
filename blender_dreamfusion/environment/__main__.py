"""The set-up's command line: survey, install or remove; events on standard output, a closed standard input cancels."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from ..core_files import ROOT
from ..language import say, use_locale
from . import backends, pythons
from .child import Runner
from .events import Done, Event, Failed, Progress, SetupError, Surveyed, encode
from .folder import Environment
from .install import Installation, Order, explain_os_error


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked for; returns 0 where it is done, else 1. The last event tells the same."""
    channel, sys.stdout = sys.stdout, sys.stderr  # nothing but events goes to the channel
    runner = Runner()
    threading.Thread(target=_watch, args=(runner,), daemon=True).start()

    def emit(event: Event) -> None:
        _tell(channel, event)

    try:
        args = _parse(argv)
        use_locale(args.language)
        emit(_run(args, runner, emit))
    except SetupError as error:
        emit(Failed(error.kind, str(error)))
    except OSError as error:
        told = explain_os_error(error)
        emit(Failed(told.kind, str(told)))
    except Exception as error:  # noqa: BLE001 - whatever it is, Blender has to hear of an end
        traceback.print_exc()
        emit(Failed("other", say("An error in the set-up: {error}", error=error)))
    else:
        return 0
    return 1


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("survey", "install", "remove"))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--python", default="")
    parser.add_argument("--back-end", default="")
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--language", default="")
    return parser.parse_args(argv)


def _run(args: argparse.Namespace, runner: Runner, emit: Callable[[Event], None]) -> Event:
    if args.action == "survey":
        return _survey()
    if args.action == "remove":
        emit(Progress("remove"))
        Environment(args.folder).remove()
        return Done("The trainer's environment was removed.")
    order = Order(args.folder, _python(args.python), _back_end(args.back_end), ROOT, args.wheels)
    return Done(Installation(order, runner, emit).run())


def _survey() -> Surveyed:
    detection = backends.detect()
    found = [[python.program, python.version_text] for python in pythons.find()]
    problem = detection.problem or ("" if found else pythons.why_none())
    return Surveyed(found, detection.back_end.name, detection.reason, problem)


def _python(chosen: str) -> pythons.Python:
    """The chosen one, suitable or not, else the best. Raises SetupError where there is none."""
    if chosen:
        return pythons.probe(chosen)
    found = pythons.find()
    if not found:
        raise SetupError("python", pythons.why_none())
    return found[0]


def _back_end(chosen: str) -> backends.BackEnd:
    """The chosen one, else the best. Raises SetupError where PyTorch cannot run here."""
    if chosen:
        return backends.BACK_ENDS[chosen]
    detection = backends.detect()
    if detection.problem:
        raise SetupError("other", detection.problem)
    return detection.back_end


def _watch(runner: Runner) -> None:
    """Cancel when Blender closes its end, or is gone."""
    while os.read(0, 1):  # not sys.stdin, whose lock would outlive this thread at the program's end
        pass
    runner.cancel()


def _tell(channel: TextIO, event: Event) -> None:
    """A Blender that is gone hears nothing, and _watch cancels."""
    try:
        channel.write(encode(event))
        channel.flush()
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main())
