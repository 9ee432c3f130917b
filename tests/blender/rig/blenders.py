"""Finds or makes the Blenders that the tests run: Debian's 3.4.1, and launchers around bpy wheels."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.4.1", "4.2.23", "5.0.1")
_WHEEL_PYTHON = "python3.11"  # what the wheels of 4.1 to 5.0 are built for
_WHEEL_BLENDER = Path(__file__).with_name("wheel_blender.py")


def blender_program(version):
    """The program for a version, installed into the cache first where it is missing."""
    if version == VERSIONS[0]:
        return _system_blender(version)
    folder = _cache() / f"bpy{version}"
    if not (folder / "complete").exists():
        _install(folder, version)
    launcher = folder / "blender"
    launcher.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" "{_WHEEL_BLENDER}" "$@"\n')
    launcher.chmod(0o755)
    return str(launcher)


def _system_blender(version):
    program = shutil.which("blender")
    assert program, "Blender is missing: apt-get install -y --no-install-recommends blender python3-numpy"
    found = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert found.startswith(f"Blender {version}"), f"{program} is {found.splitlines()[0]}, not {version}"
    return program


def _cache():
    chosen = os.environ.get("DREAMFUSION_BLENDERS")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "blender-dreamfusion" / "blenders"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _install(folder, version):
    """A virtual environment with the wheel; marked as complete at the end, so that half of one is made again."""
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which(_WHEEL_PYTHON)
    assert python, f"{_WHEEL_PYTHON} is missing: bpy {version} needs it"
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, f"bpy=={version}", "numpy<2"], check=True)
    (folder / "complete").touch()
