"""Paths as people type them: from the .blend (//), from the home (~) or from the working folder."""

from pathlib import Path

import bpy


def absolute(text: str) -> str:
    """The absolute path; an empty text stays empty. Links stay too: a virtual environment's python is one."""
    text = text.strip()
    return str(Path(bpy.path.abspath(text)).expanduser().absolute()) if text else ""


def model(text: str) -> str:
    """A model's folder or file as an absolute path; whatever is neither is a name on Hugging Face and stays."""
    path = absolute(text)
    return path if path and Path(path).exists() else text.strip()
