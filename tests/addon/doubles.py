"""Programs that stand in for the trainer's Python, and what a trainer leaves."""

import sys
from pathlib import Path

import numpy as np

from tests.addon.double_trainer import write_mesh, write_png
from tests.addon.job_folders import make_job

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


def finished_job(folder: Path) -> Path:
    """The folder of a job that brought a red cube with a flat normal map."""
    make_job(folder, "done", prompt="a red cube", seed=5)
    write_mesh(folder / "mesh")
    write_png(folder / "mesh" / "normal.png", np.full((8, 8, 3), (128, 128, 255), np.uint8))
    return folder
