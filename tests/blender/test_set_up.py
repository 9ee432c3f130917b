"""The trainer set up from Blender: by a click in the preferences, and from nothing by a script."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from blenders import VERSIONS, blender_program
from window import isolated_environment, run_scenario

import build_addon
from blender_dreamfusion.environment.folder import NAME, Environment, Record

pytestmark = pytest.mark.blender
RIG = Path(__file__).with_name("rig")
SCENARIOS = Path(__file__).with_name("scenarios")


def test_by_a_click_with_what_is_there_already(blender, addon_zip, tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "torch-0.1-py3-none-any.whl").touch()  # never opened: torch is there already
    make_environment(tmp_path / "cached")
    arguments = [tmp_path / "cached", wheels, sys.executable]
    run_scenario(blender, SCENARIOS / "set_up.py", tmp_path / "out", addon_zip, arguments)


def test_from_nothing_by_a_script(addon_zip, tmp_path):
    """The whole set of packages for the CPU, some 0.4 GB, from a folder of wheels; then a picture."""
    wheels = tmp_path / "wheels"
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(build_addon.requirements())
    download = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", wheels]
    subprocess.run([*download, "-r", requirements], check=True)
    command = [blender_program(VERSIONS[0]), "-b", "--factory-startup", "--python-exit-code", "1"]
    command += ["--python", SCENARIOS / "set_up_headless.py", "--", addon_zip, wheels]
    env = isolated_environment(tmp_path / "home")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ALL CHECKED" in done.stdout
    assert "Testing the device..." in done.stdout


def make_environment(parent):
    """One of the add-on's environments that finds all packages where these tests do."""
    environment = Environment(parent / NAME)
    environment.folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.venv], check=True)
    site = subprocess.run(
        [environment.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(site) / "tests.pth").write_text(sysconfig.get_path("purelib"))
    version = ".".join(map(str, sys.version_info[:3]))
    environment.write(Record(complete=True, requirements="of before", back_end="cpu", python_version=version))
