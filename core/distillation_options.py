"""The options of distillation: how a model's predictions become a gradient. Standard library only, as core.options."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from core import config as settings
from core.config import Config
from core.errors import InputError

_GUIDANCE = ("guidance_scale", "anneal", "view_prompts", "debias")  # names of GuidanceConfig
_DISTILLATION = (  # names of DistillationConfig
    *("draws", "weighting", "grad_scale", "perpneg", "negative_w", "cfg_rescale", "grad_clip", "grad_clip_pixel"),
    *("inversion_steps", "lora_lr"),
)
DISTILLATION_OPTIONS = ("distillation", *_GUIDANCE, *_DISTILLATION)
PAPERS_SCALE = 7.5  # guidance scale of ProlificDreamer, LucidDreamer and SDI with Stable Diffusion


def add_distillation(parser: argparse.ArgumentParser) -> None:
    """Add the options, as a group of their own in --help."""
    group = parser.add_argument_group("distillation", "how predictions become a gradient; by default plain SDS")

    def add(name: str, text: str, **how: Any) -> None:
        group.add_argument(*dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")), help=text, **how)

    def number(name: str, text: str, low: float = 0.0, high: float = math.inf) -> None:
        add(name, text, type=_between(low, high), metavar="X")

    add("distillation", "DreamFusion, ProlificDreamer, LucidDreamer or SDI; default: sds", choices=settings.METHODS)
    number("guidance_scale", "default: the preset's; with sd and another method than sds 7.5")
    add("anneal", "how timesteps fall; default: linear", choices=settings.ANNEALS)
    add("view_prompts", "nearest side's words or a blend; default: hard", choices=settings.VIEW_PROMPTS)
    add("debias", "leave out of each side's prompt the words that contradict it", action="store_true")
    add("draws", "pairs of timestep and noise a picture; default: 1", type=_whole, metavar="N")
    add("weighting", "1 - alpha_bar, or towards the predicted x0; default: sds", choices=settings.WEIGHTINGS)
    number("grad_scale", "factor of the gradient, against the regularisers; default: 1")
    add("perpneg", "Perp-Neg: what a side must not look like", action="store_true")
    number("negative_w", "weight of --perpneg, 0 or less; default: -2", -math.inf, 0.0)
    number("cfg_rescale", "share of the rescaled guidance, 0 to 1; default: 0", 0.0, 1.0)
    number("grad_clip", "largest number of the latents' gradient; default: 0, no limit")
    number("grad_clip_pixel", "longest gradient of one pixel of the latents; default: 0, no limit")
    add("inversion_steps", "of ism and sdi; default: 5", type=_whole, metavar="N")
    number("lora_lr", "learning rate of vsd's score; default: 0.0001")


def apply_distillation(config: Config, args: argparse.Namespace) -> Config:
    """The settings with what the options ask for. Raises InputError where they contradict."""
    method = args.distillation or config.distillation.method
    _check(args, method)
    guidance, distillation = (_given(args, names) for names in (_GUIDANCE, _DISTILLATION))
    if method != "sds" and config.guidance.model == "sd" and args.guidance_scale is None:
        guidance["guidance_scale"] = PAPERS_SCALE
    return settings.override(config, guidance=guidance, distillation={**distillation, "method": method})


def _given(args: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(args, name) for name in names}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def _check(args: argparse.Namespace, method: str) -> None:
    needs = {
        "negative_w": (bool(args.perpneg), "--perpneg"),
        "inversion_steps": (method in ("ism", "sdi"), "--distillation ism or sdi"),
        "lora_lr": (method == "vsd", "--distillation vsd"),
    }
    for name, (there, needed) in needs.items():
        if getattr(args, name) is not None and not there:
            raise InputError(f"--{name} does nothing without {needed}: add that, or leave it out.")


def _between(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return number


def _whole(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 9999")
    return value
