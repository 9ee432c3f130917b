"""Prompts from a file, one after the other; for each a .blend and a .glb. For ``blender -b``: see headless.py.

The job's client is the one of the panel, pumped in a plain loop, as timers do not run without a window. A prompt that
fails does not stop the others. The folder of results::

    NAME.blend, NAME.glb    for each prompt that worked
    jobs/NAME/              the job's own folder
    summary.json            what became of each prompt, written anew after each
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import bpy

from . import compat, mesh_import, texts, workspaces
from .core_files import ROOT, protocol
from .mesh_file import MeshFileError
from .properties import MODELS, PRESETS, SD_VERSIONS, SEED_MAX
from .trainer_job import TrainerJob
from .trainer_process import StartError, check_python

_ADDON = "blender_dreamfusion"
_LINE_SECONDS = 5.0  # between two progress lines of one stage


class UsageError(Exception):
    """The command line asks for something impossible; one line says what."""


@dataclass(frozen=True)
class Result:
    """What became of one prompt. Paths are absolute, or empty where it failed; `error` is empty where it worked."""

    prompt: str
    seconds: float
    blend: str = ""
    glb: str = ""
    error: str = ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's several."""
        raise UsageError(message)


def main(argv: list[str]) -> int:
    """Run the batch. Returns 0 if all prompts worked, 1 if not, 2 for bad arguments, 130 when interrupted."""
    try:
        args = _parse(argv)
        prompts = read_prompts(args.prompts)
        python = _find_python(args.python)
        (args.out / "jobs").mkdir(parents=True, exist_ok=True)
    except (UsageError, StartError) as error:
        print(f"headless.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"headless.py: cannot write to {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        results = _run_all(prompts, args, python)
    except KeyboardInterrupt:
        return 130
    _print_table(results)
    return 1 if any(result.error for result in results) else 0


def read_prompts(path: Path) -> list[str]:
    """The prompts of a file, one a line; blank lines and lines that begin with # are passed over. Raises UsageError."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error
    prompts = [line for line in lines if line and not line.startswith("#")]
    if not prompts:
        raise UsageError(f"{path} holds no prompt")
    return prompts


def unique_names(prompts: list[str]) -> list[str]:
    """A file name for each prompt; where two would be the same, the later ones get a number."""
    names: list[str] = []
    for prompt in prompts:
        name = base = workspaces.slug(prompt)
        number = 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="blender -b --python headless.py --",
        description="Make a .blend and a .glb for each prompt of a file.",
        allow_abbrev=False,
    )
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="one prompt a line")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--negative", metavar="TEXT", help="what to keep away from")
    parser.add_argument("--preset", choices=_names(PRESETS), default="standard", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
    parser.add_argument("--model", choices=_names(MODELS), help="default: starter")
    parser.add_argument("--sd_version", "--sd-version", choices=_names(SD_VERSIONS), help="implies --model sd")
    parser.add_argument("--hf_key", "--hf-key", metavar="NAME", help="a model's folder or hub name; implies --model sd")
    parser.add_argument("--python", metavar="PATH", help="the trainer's Python; default: the add-on's preference")
    args = parser.parse_args(argv)
    if not 0 <= args.seed <= SEED_MAX:
        raise UsageError(f"argument --seed: {args.seed} is not between 0 and {SEED_MAX}")
    args.out = args.out.absolute()
    return args


def _names(items: tuple[tuple[str, str, str], ...]) -> list[str]:
    return [item[0] for item in items]


def _find_python(given: str | None) -> str:
    """The trainer's Python: as given, from the preferences, from the environment, beside the checkout, or in PATH."""
    local = ROOT / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    chosen = given or _preferred_python() or os.environ.get("DREAMFUSION_PYTHON") or (local.exists() and str(local))
    if chosen:
        check_python(chosen)
        return chosen
    system = shutil.which("python3")
    test = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    if system and subprocess.run([system, "-c", test], capture_output=True, check=False).returncode == 0:
        return system
    raise UsageError("no Python with torch was found: name the trainer's with --python")


def _preferred_python() -> str:
    """The trainer's Python in the preferences of the add-on, if it is installed and enabled."""
    for name, addon in bpy.context.preferences.addons.items():
        if name.rpartition(".")[2] == _ADDON and addon.preferences is not None:
            return bpy.path.abspath(getattr(addon.preferences, "trainer_python", "").strip())
    return ""


def _run_all(prompts: list[str], args: argparse.Namespace, python: str) -> list[Result]:
    results: list[Result] = []
    for number, (prompt, name) in enumerate(zip(prompts, unique_names(prompts), strict=True), 1):
        print(f"[{number}/{len(prompts)}] {prompt}", flush=True)
        start = time.monotonic()
        try:
            blend, glb = _make(prompt, name, args, python)
            results.append(Result(prompt, time.monotonic() - start, str(blend), str(glb)))
        except (StartError, MeshFileError, RuntimeError, OSError) as error:
            results.append(Result(prompt, time.monotonic() - start, error=str(error).strip()))
            print(f"  failed: {results[-1].error}", flush=True)
        _write_summary(args.out, results)
    return results


def _make(prompt: str, name: str, args: argparse.Namespace, python: str) -> tuple[Path, Path]:
    """Run one job and save what came of it; returns the .blend and the .glb. Raises RuntimeError where it failed."""
    workspace = args.out / "jobs" / name
    done = _run_job(TrainerJob(python, protocol.Generate(prompt, str(workspace), _options(args)), _environment()))
    details = workspaces.read_details(workspace) or workspaces.Details(prompt, args.seed, args.model or "", "done")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    mesh_import.add_object(bpy.context, Path(done.mesh), Path(done.texture), details)
    blend, glb = args.out / f"{name}.blend", args.out / f"{name}.glb"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, check_existing=False)
    part = glb.with_suffix(".glb.part")
    shutil.copyfile(Path(done.mesh).with_suffix(".glb"), part)
    part.replace(glb)
    return blend, glb


def _options(args: argparse.Namespace) -> dict[str, str | int | bool]:
    """A protocol.Generate's options. A batch that is run again makes its results anew."""
    given = {name: getattr(args, name) for name in ("negative", "preset", "seed", "model", "sd_version", "hf_key")}
    return {**{name: value for name, value in given.items() if value is not None}, "overwrite": True}


def _environment() -> dict[str, str]:
    return {} if compat.online_access() else {"HF_HUB_OFFLINE": "1"}


def _run_job(job: TrainerJob) -> protocol.Done:
    """Follow the job to its end with a line now and then. Raises RuntimeError where it brings no mesh."""
    printed = ("", 0.0)
    try:
        while not job.ended:
            job.pump(0.05)
            progress, now = job.progress, time.monotonic()
            if progress is not None and (progress.stage != printed[0] or now - printed[1] > _LINE_SECONDS):
                printed = (progress.stage, now)
                stage, left = texts.stage_name(progress.stage), texts.time_left(progress)
                print(f"  {100 * progress.fraction:3.0f}%  {stage}  {left}".rstrip(), flush=True)
            time.sleep(0.05)
    finally:
        job.close()
    if job.done is None:
        raise RuntimeError(job.error or "The job was cancelled.")
    return job.done


def _write_summary(out: Path, results: list[Result]) -> None:
    part = out / "summary.json.part"
    part.write_text(json.dumps([dataclasses.asdict(result) for result in results], indent=2), encoding="utf-8")
    part.replace(out / "summary.json")


def _print_table(results: list[Result]) -> None:
    width = max(len(result.prompt) for result in results)
    print()
    for result in results:
        outcome = f"failed: {result.error}" if result.error else result.blend
        print(f"{result.prompt:{width}}  {texts.clock(result.seconds):>7}  {outcome}")
    worked = sum(not result.error for result in results)
    print(f"{worked} of {len(results)} prompts worked.", flush=True)
