"""The command line: argv -> config -> run -> exit code. See ``python -m core --help``."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from core import commands
from core.errors import Cancelled, DreamFusionError
from core.launch import Run, explain, generate, share_processor
from core.options import build_parser


def main(argv: Sequence[str] | None = None, run: Run = generate) -> int:
    """Run one command; `run` is the body of a job. Returns the exit code: 0, 1, 2 or 130, see core.errors."""
    share_processor()
    try:
        return _run(argv, run)
    finally:
        _let_go_of_broken_streams()


def _run(argv: Sequence[str] | None, run: Run) -> int:
    try:
        args = build_parser().parse_args(argv)
        if args.command in ("generate", "resume"):
            commands.make_object(args, run)
        elif args.command == "image":
            commands.make_picture(args)
        elif args.command == "export":
            commands.export_mesh(args)
        elif args.command == "bench":
            commands.bench(args)
        elif args.command == "evaluate":
            commands.evaluate_results(args)
        else:
            commands.doctor(args)
    except DreamFusionError as error:
        return _report(error)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the user gets one line, never a traceback
        return _report(explain(error))
    return 0


def _report(error: DreamFusionError) -> int:
    """Print the error on one line and return its exit code."""
    prefix = "" if isinstance(error, Cancelled) else "error: "
    with contextlib.suppress(OSError):  # a terminal or a pipe whose other end is gone
        print(prefix + " ".join(str(error).split()), file=sys.stderr)
    return error.exit_code


def _let_go_of_broken_streams() -> None:
    """What cannot be written any more must not change the exit code when Python flushes it at the end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
