"""Prompts from a file, one after the other; for each a .blend and a .glb. For ``blender -b``: see headless.py.

The job's client is the one of the panel, pumped in a plain loop, as timers do not run without a window. A prompt that
fails does not stop the others. Run again, the batch passes over what is done with the same options and goes on with
what was interrupted. The folder of results::

    NAME.blend, NAME.glb    for each prompt that worked
    jobs/NAME/              the job's own folder, and request.json: what was asked for
    summary.json            what became of each prompt, written anew after each
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import compat, mesh_import, texts, workspaces
from .batch_arguments import find_python, parse
from .core_files import protocol
from .mesh_file import MeshFileError
from .prompts import UsageError, read_prompts, unique_names
from .trainer_job import TrainerJob
from .trainer_process import StartError

_LINE_SECONDS = 5.0  # between two progress lines of one stage
_REQUEST = "request.json"


@dataclass(frozen=True)
class Result:
    """What became of one prompt. Paths are absolute, or empty where it failed; `error` is empty where it worked."""

    prompt: str
    seconds: float
    blend: str = ""
    glb: str = ""
    error: str = ""


def main(argv: list[str]) -> int:
    """Run the batch. Returns 0 if all prompts worked, 1 if not, 2 for bad arguments, 130 when interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender's own handler would swallow Ctrl-C
    try:
        args = parse(argv)
        prompts = read_prompts(args.prompts)
        python = find_python(args.python)
        (args.out / "jobs").mkdir(parents=True, exist_ok=True)
    except (UsageError, StartError) as error:
        print(f"headless.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"headless.py: cannot write to {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if _may_download(args) and not compat.online_access():
        print(f"{texts.OFFLINE} start Blender with --online-mode.", flush=True)
    try:
        results = _run_all(prompts, args, python)
    except KeyboardInterrupt:
        return 130
    _print_table(results)
    return 1 if any(result.error for result in results) else 0


def _may_download(args: argparse.Namespace) -> bool:
    """Whether the model is one that the trainer may have to download."""
    other = args.model == "sd" or args.sd_version or args.hf_key
    return bool(other) and not (args.hf_key and Path(args.hf_key).exists())


def _run_all(prompts: list[str], args: argparse.Namespace, python: str) -> list[Result]:
    results: list[Result] = []
    for number, (prompt, name) in enumerate(zip(prompts, unique_names(prompts), strict=True), 1):
        print(f"[{number}/{len(prompts)}] {prompt}", flush=True)
        start = time.monotonic()
        try:
            blend, glb = _make(prompt, name, args, python)
            results.append(Result(prompt, time.monotonic() - start, str(blend), str(glb)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other prompts get their turn
            if not isinstance(error, (StartError, MeshFileError, RuntimeError, OSError)):
                traceback.print_exc()
            results.append(Result(prompt, time.monotonic() - start, error=str(error).strip() or repr(error)))
            print(f"  failed: {results[-1].error}", flush=True)
        _write_summary(args.out, results)
    return results


def _make(prompt: str, name: str, args: argparse.Namespace, python: str) -> tuple[Path, Path]:
    """Bring one job to its end and save what came of it; returns the .blend and the .glb. Raises where it failed."""
    workspace = args.out / "jobs" / name
    blend, glb = args.out / f"{name}.blend", args.out / f"{name}.glb"
    order = _order(prompt, workspace, args)
    if order is not None:
        _run_job(TrainerJob(python, order, compat.download_variables()))
    elif blend.exists() and glb.exists():
        print("  was done before", flush=True)
        return blend, glb
    details = workspaces.read_details(workspace) or workspaces.Details(prompt, args.seed, args.model or "", "done")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    mesh = workspaces.mesh_path(workspace)
    mesh_import.add_object(bpy.context, mesh, workspaces.texture_path(workspace), details)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, check_existing=False)
    part = glb.with_suffix(".glb.part")
    shutil.copyfile(mesh.with_suffix(".glb"), part)
    part.replace(glb)
    return blend, glb


def _order(prompt: str, workspace: Path, args: argparse.Namespace) -> protocol.Generate | protocol.Resume | None:
    """What the trainer has to do: make the object, go on with it, or (None) nothing, as it is done.

    A job with other options is left alone without --overwrite: the trainer then refuses with a line that says so.
    """
    options = _options(args)
    request = {"prompt": prompt, **options}
    path = workspace / _REQUEST
    same = _read_request(path) == request and not args.overwrite
    if same and workspaces.is_done(workspace):
        return None
    if same and workspaces.is_interrupted(workspace):
        return protocol.Resume(str(workspace))
    if args.overwrite or not (workspace / "job.json").exists():
        workspace.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(request, indent=2), encoding="utf-8")
    return protocol.Generate(prompt, str(workspace), {**options, "overwrite": same or args.overwrite})


def _read_request(path: Path) -> object:
    """What the job there was asked for, or None where nobody knows."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _options(args: argparse.Namespace) -> dict[str, str | int]:
    """A protocol.Generate's options."""
    given = {name: getattr(args, name) for name in ("negative", "preset", "seed", "model", "sd_version", "hf_key")}
    return {name: value for name, value in given.items() if value is not None}


def _run_job(job: TrainerJob) -> None:
    """Follow the job to its end with a line now and then. Raises RuntimeError where it brings no mesh."""
    printed, remarks = ("", 0.0), 0
    try:
        while not job.ended:
            job.pump(0.05)
            for remark in job.remarks[remarks:]:
                print(f"  {remark}", flush=True)
            remarks = len(job.remarks)
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
