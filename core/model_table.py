"""Where the user's own table of models lies: which model each --sd_version means (see core/guidance/versions.py).

Front ends load this file too, so it uses the standard library alone and Python 3.10 syntax, and imports nothing from
its neighbours.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def table_file() -> Path:
    """The table, in the folder where this system keeps settings; it need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or "~/AppData/Roaming"
    elif sys.platform == "darwin":
        base = "~/Library/Application Support"
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "dreamfusion" / "models.json"
