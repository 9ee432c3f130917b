"""The Python packages that the trainer runs on: which are there, and how to install the rest. Standard library only."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "safetensors",
    "accelerate",
    "huggingface-hub",
    "numpy",
    "psutil",
    "scikit-image",
    "scipy",
    "fast-simplification",
    "xatlas",
    "imageio",
    "imageio-ffmpeg",
    "pillow",
    "tqdm",
)


def installed_versions() -> dict[str, str | None]:
    """The version of each of PACKAGES, or None where it is missing."""
    return {package: _version(package) for package in PACKAGES}


def install_command() -> str:
    """The line that installs everything for this Python: to be pasted into a terminal."""
    root = Path(__file__).resolve().parents[1]
    listed = root / "requirements.txt"  # lies in the installed add-on; a checkout has pyproject.toml
    command = [sys.executable, "-m", "pip", "install", *(["-r", str(listed)] if listed.is_file() else [str(root)])]
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
