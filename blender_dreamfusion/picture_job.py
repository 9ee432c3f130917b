"""A few flat pictures of a prompt, in seconds: what the diffusion model thinks before a long job. No bpy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .core_files import ROOT
from .language import say
from .trainer_process import StartError, TrainerProcess

COUNT = 3
STEPS = 20  # fewer than for a fine picture; enough to tell what it is
_LOG_NAME = "log.txt"
_REMARK = re.compile(r"(?!Download)[A-Z].*\.")  # no progress, of drawing or downloading, and no path
_OPTIONS = (
    "negative",
    "seed",
    "model",
    "sd_version",
    "hf_key",
    "fp16",
    "bf16",
    "compile",
    "vram_O",
    "device",
)  # of those of generate


class PictureJob:
    """``python -m core image`` at work.

    Attributes: `prompt`; `done`; `remarks` (the trainer's lines on the prompt and the model); `error` (one sentence
    where it failed, or ""); `blames_setup` (whether the trainer's Python or its packages are at fault).
    """

    def __init__(
        self, python: str, prompt: str, options: dict[str, Any], folder: Path, variables: dict[str, str]
    ) -> None:
        """Start it for a generate's options; pictures and a log go to `folder`, a new one. Raises StartError."""
        self.prompt = prompt
        self.done = self.blames_setup = False
        self.remarks: list[str] = []
        self.error = ""
        self._pictures = [folder / name for name in ("1.png", *(f"1_{number}.png" for number in range(2, COUNT + 1)))]
        self._seen = 0
        try:
            folder.mkdir(parents=True)
            arguments = _arguments(prompt, options, self._pictures[0])
            self._folder = folder
            self._process = TrainerProcess(python, ROOT, folder / _LOG_NAME, variables, arguments)
        except OSError as error:
            sentence = "Cannot write to {folder} ({reason}): free some space."
            raise StartError(say(sentence, folder=folder, reason=error.strerror)) from error

    @property
    def pictures(self) -> list[Path]:
        """Those that are there already."""
        return self._pictures[: self._seen]

    def pump(self) -> bool:
        """Look at how far it is; returns whether anything changed."""
        if self.done:
            return False
        code = self._process.exit_code()
        before, self._seen = self._seen, sum(path.exists() for path in self._pictures)
        if self._seen and not before:  # by then all is said
            self.remarks = _remarks(self._folder / _LOG_NAME)
        if code is not None:
            self.done = True
            if code:
                self._explain(code, self._process.last_line())
        return self.done or self._seen != before

    def _explain(self, code: int, last_line: str) -> None:
        text = last_line.removeprefix("error: ")  # of the trainer; anything else is of a Python that cannot run it
        silent = "The trainer ended with exit code {code} and no word: is this the trainer's Python?"
        self.error = say(text) if text else say(silent, code=code)
        self.blames_setup = text == last_line or "package" in text

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(1.0)
        self.done = True


def _remarks(log: Path) -> list[str]:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if _REMARK.fullmatch(line)]


def _arguments(prompt: str, options: dict[str, Any], out: Path) -> list[str]:
    """The command line, as ``core.options.generate_argv`` makes those of the jobs."""
    given = [(name, options[name]) for name in _OPTIONS if options.get(name) not in (None, False)]
    flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in given]
    return ["-m", "core", "image", f"--out={out}", f"--count={COUNT}", f"--steps={STEPS}", *flags, "--", prompt]
