"""What `evaluate` finds out about one prompt, and what it adds up to over all."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.judge.health import Health
from core.judge.making import Cost
from core.judge.shape import ShapeScore
from core.judge.subject import is_held_out, parse
from core.judge.verdict import Verdict, share


@dataclass(frozen=True)
class Measures:
    """All that is measured on one mesh."""

    verdict: Verdict
    shape: ShapeScore
    psnr: float | None  # dB, mesh against field
    health: Health


@dataclass(frozen=True)
class Result:
    """One prompt; without measures where no object was made, and then `error` says why."""

    prompt: str
    measures: Measures | None
    cost: Cost | None
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether an object was made and is what was asked for."""
        return self.measures is not None and self.measures.verdict.right


@dataclass(frozen=True)
class Summary:
    """Over all prompts; a prompt without an object counts as wrong, and has no part in the means."""

    prompts: int
    made: int
    textured: float | None  # R-precision, colour: share of the prompts
    textured_views: float | None  # share of the views
    held_out: int  # prompts with a pair of concept and colour that the starter model has not seen
    held_out_textured: float | None  # R-precision, colour, of these
    textureless: float | None  # R-precision, geometry
    textureless_views: float | None
    sides: float | None  # share of the views of what has a front
    chamfer: float | None  # mean, world units
    f_score: float | None  # median
    psnr: float | None  # mean, dB
    watertight: int  # objects
    one_piece: int  # objects
    faces: float | None  # mean
    uv_overlap: float | None  # largest
    seconds: float | None  # median
    peak_bytes: int | None  # largest


def summarise(results: Sequence[Result]) -> Summary:
    """Add up."""
    made = [one.measures for one in results if one.measures is not None]
    verdicts, costs = [one.verdict for one in made], [one.cost for one in results if one.cost is not None]
    held_out = [one for one in results if is_held_out(parse(one.prompt))]
    return Summary(
        prompts=len(results),
        made=len(made),
        textured=share([one.right for one in results]),
        textured_views=share([mark for verdict in verdicts for mark in verdict.views]),
        held_out=len(held_out),
        held_out_textured=share([one.right for one in held_out]),
        textureless=share([one.measures is not None and one.measures.verdict.right_bare for one in results]),
        textureless_views=share([mark for verdict in verdicts for mark in verdict.bare_views]),
        sides=share([mark for verdict in verdicts for mark in verdict.sides or ()]),
        chamfer=_mean(one.shape.chamfer for one in made),
        f_score=statistics.median(one.shape.f_score for one in made) if made else None,
        psnr=_mean(one.psnr for one in made),
        watertight=sum(one.health.watertight for one in made),
        one_piece=sum(one.health.components == 1 for one in made),
        faces=_mean(one.health.faces for one in made),
        uv_overlap=max((one.health.uv_overlap for one in made if one.health.uv_overlap is not None), default=None),
        seconds=statistics.median(one.seconds for one in costs) if costs else None,
        peak_bytes=max((one.peak_bytes for one in costs), default=None),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are there."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
