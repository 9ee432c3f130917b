"""The zip by Blender's own extension tool: validated, built again from the same files, and installed."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from blenders import VERSIONS, blender_program, has_extensions
from window import isolated_environment

pytestmark = pytest.mark.blender
RIG = Path(__file__).with_name("rig")


@pytest.fixture(scope="module", params=list(filter(has_extensions, VERSIONS)))
def extension_blender(request):
    """The Blender program of each version that has extensions."""
    return blender_program(request.param)


@pytest.fixture(scope="module")
def tool(extension_blender):
    """Runs Blender's extension tool with Blender's own list of tags, without which wrong ones pass."""
    scripts = next(Path(extension_blender).parent.glob("lib/python*/site-packages/bpy/*/scripts"))
    program = [sys.executable, scripts / "addons_core/bl_pkg/cli/blender_ext.py"]
    tags = ["--valid-tags", next(scripts.rglob("extensions/tags.py"))]

    def call(*arguments):
        return subprocess.run([*program, *arguments, *tags], capture_output=True, text=True, check=False)

    return call


def test_blender_validates_and_builds_the_extension(extension_blender, tool, addon_zip, tmp_path):
    done = tool("validate", addon_zip)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(addon_zip) as archive:
        archive.extractall(tmp_path / "source")
    source = tmp_path / "source" / "blender_dreamfusion"
    done = tool("build", "--source-dir", source, "--output-dir", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    built = tmp_path / addon_zip.name
    ours = {name.removeprefix("blender_dreamfusion/"): content for name, content in contents(addon_zip).items()}
    assert contents(built) == ours
    install(extension_blender, built, tmp_path)


def test_the_tool_refuses_a_tag_that_blender_does_not_know(tool, addon_zip, tmp_path):
    with zipfile.ZipFile(addon_zip) as archive:
        archive.extractall(tmp_path)
    manifest = tmp_path / "blender_dreamfusion" / "blender_manifest.toml"
    manifest.write_text(re.sub("^tags = .*$", 'tags = ["Dreams"]', manifest.read_text(), flags=re.MULTILINE))
    done = tool("validate", manifest.parent)
    assert done.returncode != 0
    assert "Dreams" in done.stdout + done.stderr


def contents(path):
    """What a zip holds: name -> bytes."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def install(blender, path, tmp_path):
    """Install, enable and disable a zip in a Blender without a window."""
    script = tmp_path / "install.py"
    script.write_text(f"""
import sys, bpy
sys.path.append({str(RIG)!r})
from install import install_addon
module = install_addon({str(path)!r})
assert bpy.ops.dreamfusion.generate.get_rna_type().description
bpy.ops.preferences.addon_disable(module=module)
left = [name for name in dir(bpy.types) if "dreamfusion" in name.lower()]
assert not left and not hasattr(bpy.types.Scene, "dreamfusion"), left
print("INSTALLED AND DISABLED")
""")
    command = [blender, "-b", "--factory-startup", "--python-exit-code", "1", "--python", script]
    env = isolated_environment(tmp_path / "home")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "INSTALLED AND DISABLED" in done.stdout
