"""Objects in JSON files. No bpy."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None where it is missing or damaged."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write(path: Path, data: object) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    part = path.with_name(f".{path.name}.tmp")
    try:
        part.write_text(json.dumps(data, indent=2), encoding="utf-8")
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
