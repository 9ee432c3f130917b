"""A file of prompts, and a file name for each. No bpy."""

from __future__ import annotations

from pathlib import Path

from . import workspaces


class UsageError(Exception):
    """The command line asks for something impossible; one line says what."""


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
