"""Packs the add-on, the trainer and the starter model into one zip: ``python build_addon.py [--out dist]``.

The same tree gives the same bytes: sorted names, fixed times and permissions. The zip's one top-level folder makes it
install as an add-on in Blender 3.4 to 4.1 and as an extension from 4.2 on.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import zipfile
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent
ADDON = "blender_dreamfusion"
_KINDS = {".py", ".toml", ".json", ".txt", ".md", ".safetensors", ".model"}  # what the two packages consist of
_NOT_PACKED = "core/judge"  # measures the program; nobody needs it in Blender
_EPOCH_1980 = 315532800  # the earliest time that a zip can hold, in Unix seconds
_FILE_MODE = 0o100644


class BuildError(Exception):
    """The zip cannot be built; the message says why."""


def main(argv: list[str] | None = None) -> int:
    """Build the zip and print its path. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the zip; default: dist")
    try:
        path = build(parser.parse_args(argv).out)
    except (BuildError, OSError) as error:
        print(f"build_addon.py: {error}", file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def build(out: Path) -> Path:
    """Write blender_dreamfusion-VERSION.zip into `out`; a file of that name is replaced. Raises BuildError."""
    contents = collect()
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{ADDON}-{read_version()}.zip"
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in sorted(contents):
            archive.writestr(_entry(name), contents[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    os.replace(part, path)
    return path


def collect() -> dict[str, bytes]:
    """Everything in the zip: name -> content."""
    files = {f"{ADDON}/{path.relative_to(ROOT / ADDON)}": path for path in _sources(ROOT / ADDON)}
    trainer = [path for path in _sources(ROOT / "core") if not path.is_relative_to(ROOT / _NOT_PACKED)]
    files |= {f"{ADDON}/{path.relative_to(ROOT)}": path for path in trainer}
    files[f"{ADDON}/LICENSE"] = ROOT / "LICENSE"
    if not any(name.endswith(".safetensors") for name in files):
        raise BuildError("core/starter/weights holds no model: train the starter first.")
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents[f"{ADDON}/requirements.txt"] = requirements().encode()
    return contents


def requirements() -> str:
    """The trainer's packages as pyproject.toml gives them, for pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return "".join(f"{line}\n" for line in project["dependencies"])


def read_version() -> str:
    """The one version of core, bl_info and manifest. Raises BuildError where they differ."""
    core = re.search(r'__version__ = "([\d.]+)"', (ROOT / "core/__init__.py").read_text())
    info = re.search(r'"version": \(([\d, ]+)\)', (ROOT / ADDON / "__init__.py").read_text())
    manifest = tomllib.loads((ROOT / ADDON / "blender_manifest.toml").read_text())["version"]
    versions = {core[1] if core else "", info[1].replace(", ", ".") if info else "", manifest}
    if len(versions) != 1:
        raise BuildError("core.__version__, bl_info and blender_manifest.toml give different versions.")
    return str(manifest)


def _sources(folder: Path) -> list[Path]:
    """The folder's own files: no caches, nothing hidden, nothing that is no part of a package."""
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if (
            path.is_file()
            and path.suffix in _KINDS
            and not any(part.startswith((".", "__pycache__")) for part in parts)
        ):
            found.append(path)
    return found


def _entry(name: str) -> zipfile.ZipInfo:
    seconds = max(int(os.environ.get("SOURCE_DATE_EPOCH", _EPOCH_1980)), _EPOCH_1980)
    entry = zipfile.ZipInfo(name, time.gmtime(seconds)[:6])
    entry.create_system = 3  # Unix, whatever system builds
    entry.external_attr = _FILE_MODE << 16
    return entry


if __name__ == "__main__":
    sys.exit(main())
