"""The command line: parser, and options -> Config. The worker reads its front end's options through the same parser.

Standard library only, so that --help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import os
from typing import Any, NoReturn

import core
from core import config as settings
from core.config import DEVICES, MESH_FORMATS, Config, clean_prompt, clean_text
from core.distillation_options import add_distillation, apply_distillation
from core.errors import InputError
from core.model_files import is_multiview

_EPILOG = "Exit codes: 0 done, 1 failed, 2 bad input, 130 cancelled (resume goes on from the last checkpoint)."


class _Parser(argparse.ArgumentParser):
    """Raises InputError with one line, where argparse would print the usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every mistake."""
        raise InputError(f"{message[:1].upper()}{message[1:]} ({self.prog} --help lists what there is).")


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; the chosen one is in `command`."""
    parser = _Parser(prog="python -m core", description=core.__doc__, epilog=_EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=core.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, epilog=_EPILOG, allow_abbrev=False)

    _add_generate(command("generate", "Make a textured mesh from a prompt."))
    _add_image(command("image", "Make a picture from a prompt with the same diffusion model."))
    resume = command("resume", "Go on with an unfinished job from its newest checkpoint.")
    resume.add_argument("workspace", type=_folder, metavar="WORKSPACE", help="the folder of the job")
    resume.add_argument("--device", choices=DEVICES, help="for this run; default: the job's")
    resume.add_argument(
        "--epochs", type=_positive, metavar="N", help="train longer: N epochs in all; default: the job's"
    )
    export = command("export", "Write a finished job's mesh to a file.")
    export.add_argument("workspace", type=_folder, metavar="WORKSPACE", help="the folder of the job")
    export.add_argument("--format", choices=MESH_FORMATS, required=True)
    export.add_argument("--out", required=True, metavar="FILE")
    _add_evaluate(command("evaluate", "Make objects of the starter's catalogue and measure them in 3D."))
    _add_bench(command("bench", "Measure how fast full-size models are on this machine."))
    command("doctor", "Show device, versions, memory and the models found.")
    return parser


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_prompt(parser)
    parser.add_argument("--workspace", type=_folder, default="trial", metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--overwrite", action="store_true", help="delete the job that the workspace holds")
    _add_effort(parser)
    _add_mesh(parser)
    _add_model(parser)
    add_distillation(parser)


def _add_image(parser: argparse.ArgumentParser) -> None:
    _add_prompt(parser)
    parser.add_argument("--out", required=True, metavar="FILE.png")
    parser.add_argument("--H", type=_positive, metavar="N", help="height in pixels; default: the model's")
    parser.add_argument("--W", type=_positive, metavar="N", help="width in pixels; default: the model's")
    parser.add_argument("--steps", type=_positive, default=50, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--count",
        type=_positive,
        default=1,
        metavar="N",
        help="pictures of as many seeds: FILE.png, FILE_2.png",
    )
    _add_model(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompts", metavar="FILE", help="one prompt a line; default: 40 by lot, 10 held out")
    parser.add_argument("--out", type=_folder, default="trial_evaluation", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--pictures", type=_positive, metavar="N", help="judge 2 N flat pictures, make no objects")
    parser.add_argument("--seed", type=_natural, default=0, metavar="N", help="default: %(default)s")
    _add_effort(parser)
    _add_model(parser)
    add_distillation(parser)


def _add_effort(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=_positive, metavar="N", help="of 100 iterations; default: the preset's")
    parser.add_argument("--preset", choices=settings.PRESETS, default="standard", help="default: %(default)s")
    parser.add_argument("--field", choices=("grid", "mlp"), default="grid", help="hash grid or plain NeRF")


def _add_mesh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--faces", type=_faces, metavar="N", help="of the mesh, at most; default: the preset's")
    parser.add_argument(
        "--texture_size", "--texture-size", type=_texture_size, metavar="N", help="in pixels; default: the preset's"
    )
    parser.add_argument(
        "--normal_map", "--normal-map", action="store_true", help="bake what the mesh lost by its limit of faces"
    )


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help='what to make, such as "a hamburger"')
    parser.add_argument("--negative", default="", metavar="TEXT", help="what it should not be")
    parser.add_argument("--seed", type=_natural, default=0, metavar="N", help="default: %(default)s")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", choices=("starter", "sd"), help="default: the starter model that ships along")
    parser.add_argument(
        "--sd_version",
        "--sd-version",
        choices=settings.SD_VERSIONS,
        help="of Stable Diffusion (if: DeepFloyd IF; mvdream: four views at once); implies --model sd",
    )
    parser.add_argument(
        "--hf_key",
        "--hf-key",
        metavar="NAME",
        help="hub name or folder of a diffusers model, or a .safetensors, .ckpt or .pt file; implies --model sd",
    )
    _add_computing(parser)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("guidance",), help="a training step with a diffusion model")
    parser.add_argument("--family", default="sd15", metavar="A,B", help="sd15, sd21, sdxl, ...; default: %(default)s")
    parser.add_argument("--random-weights", action="store_true", required=True, help="nothing is downloaded")
    parser.add_argument("--steps", type=_positive, default=20, metavar="N", help="to time; default: %(default)s")
    parser.add_argument("--out", metavar="FILE", help="write FILE.md and FILE.json")
    _add_computing(parser)


def _add_computing(parser: argparse.ArgumentParser) -> None:
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--fp16", action="store_true", help="half precision: less memory, faster on a GPU")
    precision.add_argument("--bf16", action="store_true", help="bfloat16: as small as fp16, and nothing overflows")
    parser.add_argument("--compile", action="store_true", help="slow to start, then faster, where it is possible")
    parser.add_argument("--vram_O", "--vram-O", action="store_true", help="less GPU memory, slower")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")


def generate_argv(prompt: str, workspace: str, options: dict[str, Any]) -> list[str]:
    """The arguments of the generate command for a front end's options.

    True stands for a flag that is given; False and None for an option that is not.
    """
    given = {"workspace": workspace, **options}
    argv = ["generate"]
    for name, value in given.items():
        if value is True:
            argv.append(f"--{name}")
        elif value is not None and value is not False:
            argv.append(f"--{name}={value}")
    return [*argv, "--", prompt]


def make_config(args: argparse.Namespace) -> Config:
    """The settings that the arguments of generate or image ask for. Raises InputError where they contradict."""
    chooses_sd = args.sd_version is not None or args.hf_key is not None
    if args.model == "starter" and chooses_sd:
        raise InputError("--sd_version and --hf_key choose a Stable Diffusion model: leave out --model starter.")
    model = "sd" if chooses_sd else args.model or "starter"
    hf_key = _model_name(args.hf_key)
    guidance = {"hf_key": hf_key, "vram_O": args.vram_O}
    guidance |= {"fp16": args.fp16, "bf16": args.bf16, "compile": args.compile}
    if model == "sd":
        guidance["sd_version"] = args.sd_version or _version_of(hf_key)
    config = settings.override(
        settings.preset(getattr(args, "preset", "standard"), clean_prompt(args.prompt), model),
        negative=clean_text(args.negative, "negative prompt"),
        seed=args.seed,
        device=args.device,
        guidance=guidance,
    )
    if config.guidance.sd_version == "mvdream":
        config = settings.suit_multiview(config)
    if args.command != "image":
        config = apply_distillation(config, args)
    if args.command == "generate":
        config = settings.override(config, field={"kind": args.field})
        if args.epochs:
            config = settings.override(config, training={"epochs": args.epochs})
        chosen = {"faces": args.faces, "texture_size": args.texture_size, "normal_map": args.normal_map}
        config = settings.override(config, mesh={name: value for name, value in chosen.items() if value})
    return config


def _model_name(hf_key: str | None) -> str | None:
    """A folder or file as an absolute path, so that a job can be resumed from anywhere; a hub name as it is."""
    if hf_key is None:
        return None
    if not hf_key.strip():
        raise InputError("--hf_key is empty: give a hub name, or the folder or file of a model.")
    path = os.path.abspath(os.path.expanduser(hf_key))
    return path if os.path.exists(path) else hf_key


def _version_of(hf_key: str | None) -> str | None:
    """What a model means for the settings where no version is asked for."""
    if hf_key is None:
        return settings.DEFAULT_SD_VERSION
    return "mvdream" if is_multiview(hf_key) else None


def _folder(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no folder's name")
    return text


def _natural(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return value


def _faces(text: str) -> int:
    return _within(text, *settings.FACES, "faces")


def _texture_size(text: str) -> int:
    return _within(text, *settings.TEXTURE_SIZES, "pixels")


def _within(text: str, low: int, high: int, what: str) -> int:
    value = _natural(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high} {what}")
    return value


def _positive(text: str) -> int:
    value = _natural(text)
    if value == 0:
        raise argparse.ArgumentTypeError("0 is too few")
    return value
