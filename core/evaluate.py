"""Measures results in 3D: makes an object for each prompt as users do, and judges the exported meshes.

DIR/<prompt>/      one job a prompt, see core.job, with cost.json: seconds and peak memory
DIR/judge.json     how far the judge itself can be trusted
DIR/results.md     the report; results.json the same for programs
DIR/views.png      one row a prompt: the eight views that were judged
DIR/pictures.*     with --pictures, in place of results and views: report (md, json) and pictures (png)
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from core.config import Config, clean_prompt
from core.control import Emit
from core.device import keep_freed_memory, memory_errors, pick_device
from core.distillation_options import DISTILLATION_OPTIONS
from core.errors import Cancelled, DreamFusionError, InputError
from core.export import load_npz
from core.files import write_atomic
from core.guidance.text_guidance import load_model
from core.judge import flat, making, report, shots, subject
from core.judge.examination import Examination, examine, facing_concepts
from core.judge.fidelity import texture_psnr
from core.judge.health import check_health
from core.judge.network import SIDES, WEIGHTS, JudgeNetwork, load_network
from core.judge.result import Measures, Result
from core.judge.shape import compare
from core.judge.sheet import Row, write_contact_sheet
from core.judge.verdict import Classifier, judge
from core.lock import exclusive
from core.options import make_config
from core.prompt import view_index
from core.protocol import Log, Progress

MODEL_OPTIONS = ("model", "sd_version", "hf_key", "fp16", "bf16", "compile", "vram_O", "device")
OBJECT_OPTIONS = ("preset", "epochs", "seed", "field", *MODEL_OPTIONS, *DISTILLATION_OPTIONS)


def evaluate(args: argparse.Namespace, emit: Emit) -> Path:
    """Do what the evaluate command asks for and return the report's path.

    Mistakes are found before anything is written. The folder is locked: two evaluations in it would make each other's
    objects anew and replace each other's report. Raises DreamFusionError.
    """
    asked = {prompt: subject.parse(prompt) for prompt in map(clean_prompt, _prompts(args))}
    config = make_config(argparse.Namespace(**{**vars(args), "prompt": "-", "negative": ""}))
    network = load_network()
    keep_freed_memory()
    with exclusive(args.out) as out:
        own = examine_judge(network, out, emit)
        if args.pictures:
            return _evaluate_pictures(args, config, network, own, out, emit)
        return _evaluate_objects(args, asked, network, own, out, emit)


def _evaluate_objects(
    args: argparse.Namespace,
    asked: dict[str, subject.Subject],
    network: JudgeNetwork,
    own: Examination,
    out: Path,
    emit: Emit,
) -> Path:
    """Make and judge an object for each prompt; the report grows with each."""
    options = {name: getattr(args, name) for name in OBJECT_OPTIONS}
    results, rows = list[Result](), list[Row]()
    places = zip(asked, making.workspaces(list(asked), out), strict=True)
    for number, (prompt, folder) in enumerate(places, start=1):
        emit(Log(f"{number}/{len(asked)}: {prompt}"))
        result, row = judge_prompt(prompt, asked[prompt], folder, options, network)
        results.append(result)
        rows += [row] if row else []
        report.write_report(out, results, own, _how(options))
        write_contact_sheet(rows, _headings(), out / "views.png")
    return out / "results.md"


def _prompts(args: argparse.Namespace) -> list[str]:
    if args.pictures and args.prompts:
        raise InputError("--pictures takes its prompts from the catalogue: leave out --prompts.")
    return subject.read_prompts(Path(args.prompts)) if args.prompts else subject.default_prompts()


def _how(options: dict[str, Any]) -> str:
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    return f"Made with {', '.join(name if value is True else f'{name} {value}' for name, value in given.items())}."


def judge_prompt(
    prompt: str, asked: subject.Subject, folder: Path, options: dict[str, Any], classifier: Classifier
) -> tuple[Result, Row | None]:
    """Make the object, measure it, and show it. A job that fails is a result too; it has nothing to show."""
    try:
        job, cost = making.make(prompt, folder, options)
    except (InputError, Cancelled):
        raise
    except DreamFusionError as error:
        return Result(prompt, None, None, str(error)), None
    mesh = load_npz(job.mesh / "mesh.npz")
    pictures = shots.photograph(mesh)
    verdict = judge(classifier, pictures, asked, facing_concepts())
    measures = Measures(verdict, compare(mesh, asked.concept), texture_psnr(job, mesh), check_health(mesh))
    return Result(prompt, measures, cost), _sheet_row(prompt, measures, pictures.textured)


def _headings() -> list[str]:
    """Where each picture was taken from."""
    views = shots.judge_views()
    sides = zip(view_index(views).tolist(), views.azimuth_deg.tolist(), strict=True)
    return [f"{SIDES[side].split()[0]}, {azimuth:g}°" for side, azimuth in sides]


def _sheet_row(prompt: str, measures: Measures, pictures: Tensor) -> Row:
    """A line of the contact sheet."""
    verdict = measures.verdict
    notes = [f"{sum(verdict.views)} of {len(verdict.views)} views right", f"F-score {measures.shape.f_score:.2f}"]
    if verdict.sides is not None:
        notes.insert(1, f"{sum(verdict.sides)} of {len(verdict.sides)} sides right")
    if not verdict.right_bare:
        notes.insert(0, f"without colours: {subject.NOUNS[verdict.taken_bare]}")
    if not verdict.right:
        notes.insert(0, f"taken for: {verdict.taken_for.name}")
    return Row(prompt, tuple(notes), verdict.right, pictures, verdict.views)


def examine_judge(network: JudgeNetwork, out: Path, emit: Emit) -> Examination:
    """How far the judge can be trusted; kept in `out` until its weights or what it is asked change."""
    path, facing = out / "judge.json", facing_concepts()
    exam = hashlib.sha256(WEIGHTS.read_bytes() + bytes(sorted(facing))).hexdigest()
    try:
        kept = json.loads(path.read_bytes())
        if kept.pop("exam") == exam:
            return Examination(**kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    own = examine(network, facing, _counter("examining the judge", emit))
    write_atomic(path, json.dumps({"exam": exam, **vars(own)}).encode())
    return own


def _counter(stage: str, emit: Emit) -> Callable[[int, int], None]:
    return lambda done, count: emit(Progress(stage, done, count, done / count, -1.0))


def _evaluate_pictures(
    args: argparse.Namespace, config: Config, network: JudgeNetwork, own: Examination, out: Path, emit: Emit
) -> Path:
    """Judge flat pictures of the catalogue in place of objects."""
    device, count = pick_device(config.device), _counter("pictures", emit)
    scale = config.guidance.picture_scale
    with memory_errors(config, device, "a smaller model"):
        painter = load_model(config.guidance, device, lambda text: emit(Log(text)))
        chosen = flat.draw_subjects(args.pictures, args.seed)
        judged, pictures = flat.judge_pictures(
            painter, network, chosen, scale, args.seed, lambda done: count(done, len(chosen))
        )
    settings = {"seed": args.seed, "steps": flat.STEPS, "guidance scale": scale}
    how = _how(settings | {name: getattr(args, name) for name in MODEL_OPTIONS})
    flat.write_picture_report(out, judged, pictures, own, how)
    return out / "pictures.md"
