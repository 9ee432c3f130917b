"""Without a window: what opening a .blend does to the add-on, and how an object comes into unusual scenes."""

import subprocess
from pathlib import Path

import pytest
from window import isolated_environment

pytestmark = pytest.mark.blender
SCENARIOS = Path(__file__).with_name("scenarios")


@pytest.mark.parametrize("scenario", ["open_files.py", "add_object.py"])
def test_in_the_background(blender, addon_zip, tmp_path, scenario):
    command = [blender, "-b", "--factory-startup", "--python-exit-code", "1", "--python", SCENARIOS / scenario]
    env = isolated_environment(tmp_path / "home")
    done = subprocess.run([*command, "--", addon_zip, tmp_path], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ALL CHECKED" in done.stdout
