"""What `evaluate` found, as results.md for people and results.json for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.console import duration
from core.files import write_atomic
from core.judge.examination import REQUIRED, Examination
from core.judge.result import Result, summarise
from core.judge.shape import DISTANCE, DRAWS
from core.judge.subject import NOUNS, is_held_out, parse
from core.judge.verdict import Marks, Verdict

_MEASURES = {  # of the judge itself: what depends on it
    "textured": "concept and colour",
    "textureless": "the concept by its geometry",
    "sides": "the side that is seen",
}
_COLUMNS = (
    *("prompt", "taken for", "right views", "by geometry", "right views", "right sides"),
    *("Chamfer", "F-score", "dB", "faces", "sound", "time", "GiB"),
)
_GIB = 1024**3
_UNKNOWN = "-"


def write_report(out: Path, results: Sequence[Result], own: Examination, how: str) -> None:
    """Replace results.md and results.json in `out`. `how` says by which settings the objects were made."""
    write_atomic(out / "results.md", markdown(results, own, how).encode())
    write_atomic(out / "results.json", (json.dumps(as_json(results, own, how), indent=1) + "\n").encode())


def as_json(results: Sequence[Result], own: Examination, how: str) -> dict[str, Any]:
    """Plain dictionaries, lists, numbers and strings; None where something is not known."""
    trusted = {measure: own.passed(measure) for measure in _MEASURES}
    return {
        "made": how,
        "judge": {**vars(own), "required": REQUIRED, "trusted": trusted},
        "summary": vars(summarise(results)),
        "prompts": [_result_json(one) for one in results],
    }


def _result_json(result: Result) -> dict[str, Any]:
    record = dataclasses.asdict(result)
    if result.measures is not None:
        verdict = result.measures.verdict
        record["measures"]["verdict"] |= {
            "asked": verdict.asked.name,
            "taken_for": verdict.taken_for.name,
            "taken_bare": NOUNS[verdict.taken_bare],
            "right": verdict.right,
            "right_bare": verdict.right_bare,
        }
    return record


def markdown(results: Sequence[Result], own: Examination, how: str) -> str:
    """The whole report."""
    parts = ["# What the judge says", "", how, "", *warnings(own), *_summary_table(results, own), ""]
    parts += [*_prompt_table(results), "", *_explanations()]
    return "\n".join(parts) + "\n"


def warnings(own: Examination, measures: Iterable[str] = tuple(_MEASURES)) -> list[str]:
    """What must not be believed, loudly."""
    lines = []
    for measure in measures:
        if not own.passed(measure):
            what, told = _MEASURES[measure], percent(getattr(own, measure))
            lines += [
                f"> **DO NOT BELIEVE what is said here about {what}: the judge itself is right about it in only {told}"
                f" of what it was shown of {own.objects} true objects, and must be in {percent(REQUIRED)}: train it"
                " longer.**",
                "",
            ]
    return lines


def _summary_table(results: Sequence[Result], own: Examination) -> list[str]:
    total = summarise(results)
    memory = None if total.peak_bytes is None else total.peak_bytes / _GIB
    rows = [
        ("prompts, and objects made", f"{total.prompts}, {total.made}", ""),
        ("R-precision, colour", _with_views(total.textured, total.textured_views), percent(own.textured)),
        (f"R-precision, colour, of {total.held_out} held-out pairs", percent(total.held_out_textured), ""),
        ("R-precision, geometry", _with_views(total.textureless, total.textureless_views), percent(own.textureless)),
        ("sides told right (no Janus)", percent(total.sides), percent(own.sides)),
        ("Chamfer distance, mean", number(total.chamfer, 3), ""),
        (f"F-score at {DISTANCE}, median", number(total.f_score, 3), ""),
        ("texture against field, mean dB", number(total.psnr, 1), ""),
        ("watertight; in one piece", f"{total.watertight}; {total.one_piece}", ""),
        ("faces, mean; UV overlap, largest", f"{number(total.faces, 0)}; {percent(total.uv_overlap)}", ""),
        ("time an object, median", _time(total.seconds), ""),
        ("peak memory, GiB, largest", number(memory, 2), ""),
    ]
    head = ["| over all | result | the judge itself, on true objects |", "|---|---:|---:|"]
    return head + [f"| {' | '.join(row)} |" for row in rows]


def _prompt_table(results: Sequence[Result]) -> list[str]:
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---|---|---:|---|" + "---:|" * 6 + "---|---:|---:|"]
    return lines + [f"| {' | '.join(_row(one))} |" for one in results]


def _row(result: Result) -> list[str]:
    measures, cost = result.measures, result.cost
    took = [_UNKNOWN, _UNKNOWN] if cost is None else [duration(cost.seconds), number(cost.peak_bytes / _GIB, 2)]
    prompt = result.prompt.replace("|", "/") + (", *held out*" if is_held_out(parse(result.prompt)) else "")
    if measures is None:
        return [prompt, f"**no object**: {result.error}".replace("|", "/"), *[_UNKNOWN] * 9, *took]
    verdict, health = measures.verdict, measures.health
    sound = "yes" if health.watertight and health.components == 1 and not health.uv_overlap else "**no**"
    return [
        prompt,
        taken_for(verdict),
        _count(verdict.views),
        NOUNS[verdict.taken_bare] if verdict.right_bare else f"**{NOUNS[verdict.taken_bare]}**",
        _count(verdict.bare_views),
        _UNKNOWN if verdict.sides is None else _count(verdict.sides),
        number(measures.shape.chamfer, 3),
        number(measures.shape.f_score, 2),
        number(measures.psnr, 1),
        str(health.faces),
        sound,
        *took,
    ]


def taken_for(verdict: Verdict) -> str:
    """What an object with its colours looks like, in bold where that is wrong."""
    return verdict.taken_for.name if verdict.right else f"**{verdict.taken_for.name}**"


def _explanations() -> list[str]:
    return [
        "*Judged from the exported mesh, rasterised from eight views. R-precision (DreamFusion, section 4): the share"
        " of the prompts whose concept, and colour where one is named, a classifier picks out of the whole catalogue;"
        " in brackets, the share of single views. Geometry: the concept alone, on grey. Sides: views whose front, side"
        " or back is told right, of objects that have a front. Chamfer distance (world units) and F-score at"
        f" {DISTANCE} against the nearest of {DRAWS} true objects of the concept, centre and scale made alike. dB:"
        " mesh against field, eight views. Sound: watertight, in one piece, no texel claimed twice.*"
    ]


def percent(value: float | None) -> str:
    """Such as "97.5 %"."""
    return _UNKNOWN if value is None else f"{value * 100:.1f} %"


def number(value: float | None, digits: int) -> str:
    """With so many digits after the point."""
    return _UNKNOWN if value is None else f"{value:.{digits}f}"


def _with_views(value: float | None, views: float | None) -> str:
    return f"{percent(value)} ({percent(views)})"


def _time(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else duration(seconds)


def _count(marks: Marks) -> str:
    return f"{sum(marks)}/{len(marks)}"
