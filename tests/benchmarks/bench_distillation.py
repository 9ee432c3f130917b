"""What each kind of distillation is worth on the starter model: ``python -m tests.benchmarks.bench_distillation``.

Makes an object for each of the first ``--count`` default prompts of ``evaluate``, with each variant and seed, by the
``generate`` that users run, and judges the exported meshes. OUT/distillation.md holds the table, distillation.json the
same for programs; OUT/<variant>/<seed>/ the jobs. Broken off, the same command goes on with what is missing.

    python -m tests.benchmarks.bench_distillation --variants sds,perpneg --preset draft --count 5 --seeds 0,1

Run it on an idle machine: seconds a step are measured too, on a training past its first quarter.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.config import DEVICES, EPOCH, PRESETS, Config, preset
from core.device import keep_freed_memory, pick_device
from core.errors import InputError
from core.evaluate import examine_judge, judge_prompt
from core.files import write_atomic
from core.guidance import make_guidance
from core.judge import making, subject
from core.judge.examination import Examination
from core.judge.network import JudgeNetwork, load_network
from core.judge.report import number, percent, warnings
from core.judge.result import Result, Summary, summarise
from core.options import build_parser, generate_argv, make_config
from core.train import Trainer

VARIANTS: Mapping[str, Mapping[str, Any]] = {  # name -> options of generate
    "sds": {},
    "interpolated": {"view_prompts": "interpolated"},
    "perpneg": {"perpneg": True},
    "perpneg-half": {"perpneg": True, "negative_w": -1.0},
    "rescale": {"cfg_rescale": 0.5},
    "x0": {"weighting": "x0", "cfg_rescale": 0.5},
    "sqrt": {"anneal": "sqrt"},
    "dreamtime": {"anneal": "dreamtime"},
    "clip": {"grad_clip": 0.5},
    "clip-pixel": {"grad_clip_pixel": 0.5},
    "draws-2": {"draws": 2},
    "vsd": {"distillation": "vsd", "lora_lr": 1e-3},
    "ism": {"distillation": "ism", "weighting": "x0"},
    "sdi": {"distillation": "sdi", "weighting": "x0"},
}
WARM_UP = 3  # steps that are not timed
COLUMNS = ("variant", "options", "colour", "geometry", "sides", "F-score", "Chamfer", "objects", "s a step")


@dataclasses.dataclass(frozen=True)
class Row:
    """One variant."""

    variant: str
    options: Mapping[str, Any]
    summary: Summary
    seconds_a_step: float


def main() -> None:
    """Make, judge and write after each variant."""
    arguments = parse()
    out, prompts = Path(arguments.out), subject.default_prompts()[: arguments.count]
    out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    network = load_network()
    own = examine_judge(network, out, lambda _message: None)
    rows: list[Row] = []
    for variant in arguments.variants:
        effort = {"preset": arguments.preset, "epochs": arguments.epochs, "device": arguments.device}
        options = {**effort, **VARIANTS[variant]}
        results = judged(variant, options, prompts, arguments.seeds, out, network)
        pace = seconds_a_step(out, variant, options, arguments.timed)
        rows.append(Row(variant, VARIANTS[variant], summarise(results), pace))
        write(out, rows, own, f"{describe(arguments)}; prompts: {', '.join(prompts)}.")
        print((out / "distillation.md").read_text(), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=known, default=list(VARIANTS), help=f"of {','.join(VARIANTS)}; default: all")
    parser.add_argument("--preset", choices=PRESETS, default="draft")
    parser.add_argument("--epochs", type=int, help="of 100 steps; default: the preset's")
    parser.add_argument("--count", type=int, default=5, help="prompts")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0])
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--timed", type=int, default=20, help="steps to time")
    parser.add_argument("--out", default="build/distillation")
    return parser.parse_args()


def known(text: str) -> list[str]:
    """The variants of a comma-separated list."""
    names = text.split(",")
    if unknown := [name for name in names if name not in VARIANTS]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}")
    return names


def judged(
    variant: str,
    options: Mapping[str, Any],
    prompts: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    network: JudgeNetwork,
) -> list[Result]:
    """Every prompt with every seed; what was made before is only judged."""
    results = []
    for seed in seeds:
        folders = making.workspaces(prompts, out / variant / str(seed))
        for prompt, folder in zip(prompts, folders, strict=True):
            print(f"{variant}, seed {seed}: {prompt}", flush=True)
            given = {**options, "seed": seed}
            results.append(judge_prompt(prompt, subject.parse(prompt), folder, given, network)[0])
    return results


def config_of(options: Mapping[str, Any]) -> Config:
    """The settings that generate has with these options."""
    return make_config(build_parser().parse_args(generate_argv("a hamburger", "-", dict(options))))


def seconds_a_step(out: Path, variant: str, options: Mapping[str, Any], steps: int) -> float:
    """Of a training past its first quarter, in this process; kept in OUT/<variant>/pace.json."""
    kept, config = out / variant / "pace.json", config_of(options)
    if kept.exists():
        return float(json.loads(kept.read_text()))
    device = pick_device(config.device)
    trainer = Trainer(config, make_guidance(config, device, print), device)
    trainer.step = config.iterations // 4
    for _ in range(WARM_UP):
        trainer.iterate()
    start = time.perf_counter()
    for _ in range(steps):
        trainer.iterate()
    if device.type == "cuda":
        torch.cuda.synchronize()
    pace = (time.perf_counter() - start) / steps
    write_atomic(kept, json.dumps(pace).encode())
    return pace


def describe(arguments: argparse.Namespace) -> str:
    """How the numbers came about."""
    device, epochs = pick_device(arguments.device), arguments.epochs or preset(arguments.preset, "-").training.epochs
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    seeds = ", ".join(map(str, arguments.seeds))
    return (
        f"Starter model, preset {arguments.preset} ({epochs * EPOCH} steps), seeds {seeds}; "
        f"{device} ({where}), {torch.get_num_threads()} threads"
    )


def write(out: Path, rows: Sequence[Row], own: Examination, how: str) -> None:
    """Replace distillation.md and distillation.json."""
    lines = ["# Distillation on the starter model", "", how, "", *warnings(own)]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    data = {"made": how, "variants": [dataclasses.asdict(row) for row in rows]}
    write_atomic(out / "distillation.md", ("\n".join(lines) + "\n").encode())
    write_atomic(out / "distillation.json", (json.dumps(data, indent=1) + "\n").encode())


def cells(row: Row) -> list[str]:
    """A line of the table; views in brackets."""
    total, given = row.summary, generate_argv("", "", dict(row.options))[2:-2]
    return [
        row.variant,
        f"`{' '.join(given)}`" if given else "",
        f"{percent(total.textured)} ({percent(total.textured_views)})",
        f"{percent(total.textureless)} ({percent(total.textureless_views)})",
        percent(total.sides),
        number(total.f_score, 3),
        number(total.chamfer, 3),
        f"{total.made} of {total.prompts}",
        number(row.seconds_a_step, 3),
    ]


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None
