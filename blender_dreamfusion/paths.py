"""Paths as people type them: from the .blend (//), from the home (~) or from the working folder."""

from pathlib import Path

import bpy


def absolute(text: str) -> str:
    """The absolute path; an empty text stays empty. Links stay too: a virtual environment's python is one."""
    text = text.strip()
    return str(Path(bpy.path.abspath(text)).expanduser().absolute()) if text else ""


def model(text: str) -> str:
    """A model's folder as an absolute path; whatever is no folder is a name on Hugging Face and stays."""
    folder = absolute(text)
    return folder if Path(folder).is_dir() and folder else text.strip()
