"""Where the trainer's files lie, and the modules of it that front ends share, loaded from there.

In the zip ``core/`` lies inside the add-on; in a checkout it lies beside it. Blender's Python never imports the
trainer itself (that needs torch): only ``core/protocol.py`` and ``core/lockfile.py``, by path, without touching
``sys.path``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core import lockfile as lockfile
    from core import protocol as protocol


def _find_root() -> Path:
    """The folder that contains ``core/``: the trainer's working folder."""
    addon = Path(__file__).resolve().parent
    for folder in (addon, addon.parent):
        if (folder / "core" / "protocol.py").is_file():
            return folder
    raise ImportError(f"The trainer's files (core/) are missing from {addon}: install the whole zip again.")


def _load(name: str) -> object:
    path, name = ROOT / "core" / f"{name}.py", f"{__package__}.{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded: install the whole zip again.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up here
    spec.loader.exec_module(module)
    return module


ROOT = _find_root()
if not TYPE_CHECKING:
    lockfile = _load("lockfile")
    protocol = _load("protocol")
