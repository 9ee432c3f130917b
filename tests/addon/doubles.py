"""Programs that stand in for the trainer's Python."""

import sys
from pathlib import Path

DOUBLE = Path(__file__).with_name("double_trainer.py")


def double_python(folder: Path, *arguments: str) -> str:
    """A program that runs the double trainer, whatever module it is told to run."""
    return script(folder, f'exec "{sys.executable}" -X utf8 "{DOUBLE}" {" ".join(arguments)}')


def script(folder: Path, body: str) -> str:
    """A shell script as a program in `folder`."""
    folder.mkdir(exist_ok=True)
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
