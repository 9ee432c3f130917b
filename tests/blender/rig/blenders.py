"""Finds or makes the Blenders that the tests run: Debian's 3.4.1, and launchers around bpy wheels."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

_SETS = {"ci": ("3.4.1", "4.2.23", "5.0.1"), "others": ("4.5.15", "5.1.2", "5.2.3", "5.3.0")}
_CHOICE = os.environ.get("DREAMFUSION_BLENDER_VERSIONS", "ci")  # a set, or versions with blanks between them
VERSIONS = _SETS.get(_CHOICE) or tuple(_CHOICE.split())
_DEBIAN = "3.4.1"
_WHEEL_BLENDER = Path(__file__).with_name("wheel_blender.py")
_PROBE = "import sys, ensurepip, venv; print(*sys.version_info[:2], sep='.')"


def blender_program(version):
    """The program for a version, installed into the cache first where it is missing."""
    if version == _DEBIAN:
        return _system_blender(version)
    folder = _cache() / f"bpy{version}"
    with (folder.parent / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests at a time may need it
        if not (folder / "complete").exists():
            _install(folder, version)
        return _make_launcher(folder)


def _make_launcher(folder):
    launcher = folder / "blender"
    text = f'#!/bin/sh\nexec "{folder}/bin/python" "{_WHEEL_BLENDER}" "$@"\n'
    if not launcher.exists() or launcher.read_text() != text:  # never while another test starts it
        launcher.write_text(text)
        launcher.chmod(0o755)
    return str(launcher)


def has_extensions(version):
    """Whether Blender installs extensions in this version: from 4.2 on."""
    return _numbers(version) >= (4, 2)


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
    old = _numbers(version) < (5, 1)
    python = _find_python("3.11" if old else "3.13", version)
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, f"bpy=={version}", "numpy<2" if old else "numpy"], check=True)
    (folder / "complete").touch()


def _find_python(wanted, version):
    """A Python of the version that the wheel is built for: the one that runs this, one in the path, or pyenv's."""
    name = f"python{wanted}"
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for program in (sys.executable, shutil.which(name), *versions.glob(f"{wanted}*/bin/{name}")):
        if program is not None:
            done = subprocess.run([program, "-c", _PROBE], capture_output=True, text=True, check=False)
            if done.stdout.strip() == wanted:
                return program
    raise AssertionError(f"Blender {version} needs Python {wanted}: pyenv install {wanted}, or put {name} in the path")


def _numbers(version):
    """(4, 2) of 4.2.23."""
    return tuple(int(part) for part in version.split(".")[:2])
