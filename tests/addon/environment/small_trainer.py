"""An add-on's folder whose trainer needs one small package, so that pip and venv do their real work in seconds."""

import shutil
import zipfile
from pathlib import Path

from blender_dreamfusion.core_files import SHARED

ADDON = Path(__file__).parents[3] / "blender_dreamfusion"
CORE = ADDON.parent / "core"
DOCTOR = """
import sys, time, torch
print("torch", torch.VERSION)
if torch.VERSION == "2.1":
    sys.exit("error: The cuda device fails (no kernel image): take --device cpu.")
if torch.VERSION == "2.2":
    time.sleep(600)
print("device                 cpu")
"""


def make_addon(folder: Path, version: str = "1.0") -> Path:
    """A copy of the add-on in `folder` with a stand-in for the trainer; returns the copy."""
    addon = folder / ADDON.name
    shutil.copytree(ADDON, addon, ignore=shutil.ignore_patterns("__pycache__"))
    (addon / "core").mkdir()
    for name in SHARED:
        shutil.copy(CORE / f"{name}.py", addon / "core")
    (addon / "core" / "__main__.py").write_text(DOCTOR)
    require(addon, version)
    return addon


def require(addon: Path, version: str) -> None:
    """Let the trainer need this version of "torch": 2.1 fails its test, 2.2 never ends it."""
    (addon / "requirements.txt").write_text(f"torch=={version}\n")


def make_wheels(folder: Path) -> Path:
    """A folder with wheels of a package that is called torch; returns it."""
    folder.mkdir()
    for version in ("1.0", "2.0", "2.1", "2.2"):
        info = f"torch-{version}.dist-info"
        with zipfile.ZipFile(folder / f"torch-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("torch.py", f'VERSION = "{version}"\n')
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder
