"""Where the trainer's files lie, and the modules of it that front ends share, loaded from there.

In the zip ``core/`` lies inside the add-on; in a checkout it lies beside it. Blender's Python never imports the
trainer itself (that needs torch): only what SHARED names, by path, without touching ``sys.path``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core import lockfile as lockfile
    from core import model_files as model_files
    from core import model_table as model_table
    from core import protocol as protocol

SHARED = ("lockfile", "model_files", "model_table", "protocol")


def _find_root() -> Path:
    """The folder that contains ``core/``: the trainer's working folder."""
    addon = Path(__file__).resolve().parent
    for folder in (addon, addon.parent):
        if all((folder / "core" / f"{name}.py").is_file() for name in SHARED):
            return folder
    raise ImportError(f"The trainer's files (core/) are missing from {addon}: install the whole zip again.")


def _load(name: str) -> object:
    qualified = f"{__package__}.{name}"
    spec = importlib.util.spec_from_file_location(qualified, ROOT / "core" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[qualified] = module  # dataclasses look their module up here
    spec.loader.exec_module(module)
    return module


ROOT = _find_root()
if not TYPE_CHECKING:
    lockfile, model_files, model_table, protocol = (_load(name) for name in SHARED)
