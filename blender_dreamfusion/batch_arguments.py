"""The batch's command line, and where the trainer's Python is found."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from . import paths, preferences
from .core_files import ROOT
from .prompts import UsageError
from .properties import MODELS, PRESETS, SD_VERSIONS, SEED_MAX
from .trainer_process import StartError, check_python, child_environment

_PYTHON_HELP = (
    "the trainer's Python; default: the one that the add-on's preferences name or have set up, else DREAMFUSION_PYTHON "
    "of the environment, else .venv beside the program, else python3 where it has torch"
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's several."""
        raise UsageError(message)


def parse(argv: list[str]) -> argparse.Namespace:
    """The options; folders are absolute. Raises UsageError."""
    parser = _Parser(
        prog="blender -b --python headless.py --",
        description="Make a .blend and a .glb for each prompt of a file.",
        epilog="Run again, it passes over what is done and goes on with what was interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="one prompt a line")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--overwrite", action="store_true", help="make everything anew")
    parser.add_argument("--negative", metavar="TEXT", help="what to keep away from")
    parser.add_argument("--preset", choices=_names(PRESETS), default="standard", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
    parser.add_argument("--model", choices=_names(MODELS), help="default: starter")
    parser.add_argument("--sd_version", "--sd-version", choices=_names(SD_VERSIONS), help="implies --model sd")
    parser.add_argument(
        "--hf_key", "--hf-key", metavar="NAME", help="a model's file, folder or name; implies --model sd"
    )
    parser.add_argument("--python", metavar="PATH", help=_PYTHON_HELP)
    _add_object(parser)
    args = parser.parse_args(argv)
    if not 0 <= args.seed <= SEED_MAX:
        raise UsageError(f"argument --seed: {args.seed} is not between 0 and {SEED_MAX}")
    args.out = args.out.absolute()
    args.hf_key = args.hf_key and paths.model(args.hf_key)
    return args


def _add_object(parser: argparse.ArgumentParser) -> None:
    """What the object shall be like; the trainer checks the limits of its own options."""
    parser.add_argument("--faces", type=int, metavar="N", help="of the mesh, at most; default: the preset's")
    parser.add_argument("--texture_size", "--texture-size", type=int, metavar="N", help="in pixels")
    parser.add_argument("--normal_map", "--normal-map", action="store_true", help="with a normal map")
    parser.add_argument("--height", type=_height, metavar="M", help="in metres, in the .blend; default: as it is")
    parser.add_argument("--mark_asset", "--mark-asset", action="store_true", help="as an asset of the .blend")


def _height(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no height in metres")
    return value


def _names(items: tuple[tuple[str, str, str], ...]) -> list[str]:
    return [item[0] for item in items]


def find_python(given: str | None) -> str:
    """The trainer's Python, absolute: given, of the preferences or the environment, beside the checkout, or in PATH.

    Raises UsageError where none is found, and StartError where the one that is named cannot be run.
    """
    local = ROOT / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    chosen = (
        given
        or preferences.installed_trainer_python()
        or os.environ.get("DREAMFUSION_PYTHON")
        or (str(local) if local.exists() else "")
    )
    if chosen:
        chosen = paths.absolute(chosen)
        try:
            check_python(chosen)
        except StartError as error:
            if given:
                hint = "name the trainer's, or leave it out where the add-on has set one up"
                raise UsageError(f"argument --python: {given} cannot be run: {hint}") from error
            raise
        return chosen
    system = shutil.which("python3")
    if system and _has_torch(system):
        return os.path.abspath(system)
    raise UsageError("no Python with torch was found: name the trainer's with --python")


def _has_torch(python: str) -> bool:
    """Whether it finds torch where the trainer would look."""
    test = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    done = subprocess.run([python, "-c", test], env=child_environment({}), capture_output=True, check=False)
    return done.returncode == 0
