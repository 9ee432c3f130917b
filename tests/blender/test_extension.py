"""The zip by Blender's own extension tool."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from blenders import VERSIONS, blender_program

pytestmark = pytest.mark.blender


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_blender_validates_and_builds_the_extension(version, addon_zip, tmp_path):
    scripts = next(Path(blender_program(version)).parent.glob("lib/python*/site-packages/bpy/*/scripts"))
    tool = [sys.executable, scripts / "addons_core/bl_pkg/cli/blender_ext.py"]
    tags = ["--valid-tags", next(scripts.rglob("extensions/tags.py"))]
    with zipfile.ZipFile(addon_zip) as archive:
        archive.extractall(tmp_path)
    source = ["--source-dir", tmp_path / "blender_dreamfusion", "--output-dir", tmp_path]
    for arguments in (["validate", addon_zip, *tags], ["build", *source, *tags]):
        done = subprocess.run([*tool, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / addon_zip.name).exists()
