"""The add-on in Blender's real window: installed from the built zip, clicked, looked at."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from blenders import VERSIONS, blender_program
from window import run_scenario, running_blender

from tests.addon.doubles import double_python
from tests.addon.job_folders import finished_job
from tests.addon.test_models import make_model

pytestmark = pytest.mark.blender
SCENARIOS = Path(__file__).with_name("scenarios")


def test_generate(blender, addon_zip, tmp_path):
    python = double_python(tmp_path, "--steps", "200", "--pause", "0.1")
    run_scenario(blender, SCENARIOS / "generate.py", tmp_path / "out", addon_zip, [python, "a red cube", 90])


def test_generate_with_the_real_trainer(blender, addon_zip, tmp_path):
    arguments = [sys.executable, "a red mug", 900]
    run_scenario(blender, SCENARIOS / "generate.py", tmp_path / "out", addon_zip, arguments, limit=1500)


def test_the_finished_object(blender, addon_zip, tmp_path):
    job = finished_job(tmp_path / "job")
    run_scenario(blender, SCENARIOS / "object.py", tmp_path / "out", addon_zip, [job])


def test_interruptions(blender, addon_zip, tmp_path):
    slow = double_python(tmp_path / "slow", "--steps", "100000", "--pause", "0.5")  # or the window draws all the time
    quick = double_python(tmp_path / "quick", "--until", str(tmp_path / "go"))
    run_scenario(blender, SCENARIOS / "interrupt.py", tmp_path / "out", addon_zip, [slow, quick, tmp_path])


def test_growth(addon_zip, tmp_path):
    """In the oldest Blender alone: what undo does to a growing object is tried in all of them by test_generate."""
    python = double_python(tmp_path, "--steps", "10", "--pause", "0.2", "--until", str(tmp_path / "go"))
    arguments = [python, tmp_path]
    run_scenario(blender_program(VERSIONS[0]), SCENARIOS / "grow.py", tmp_path / "out", addon_zip, arguments)


def test_queue(blender, addon_zip, tmp_path):
    quick = double_python(tmp_path / "quick", "--until", str(tmp_path / "go"))
    slow = double_python(tmp_path / "slow", "--steps", "100000", "--pause", "0.5")
    run_scenario(blender, SCENARIOS / "queue.py", tmp_path / "out", addon_zip, [quick, slow, tmp_path])


def test_settings(blender, addon_zip, tmp_path):
    make_model(tmp_path / "models" / "toys")
    arguments = [sys.executable, tmp_path / "models"]
    run_scenario(blender, SCENARIOS / "settings.py", tmp_path / "out", addon_zip, arguments)


def test_korean(addon_zip, tmp_path):
    slow = double_python(tmp_path, "--steps", "100000")
    oldest = blender_program(VERSIONS[0])  # the wheels of the others come without languages
    run_scenario(oldest, SCENARIOS / "languages.py", tmp_path / "out", addon_zip, [slow])


def test_a_killed_blender_leaves_no_trainer_and_the_next_one_resumes_the_job(blender, addon_zip, tmp_path):
    python = double_python(tmp_path, "--steps", "100000")
    pid_file = tmp_path / "pid"
    arguments = [python, pid_file]
    with running_blender(blender, SCENARIOS / "run_for_ever.py", tmp_path / "out", addon_zip, arguments) as process:
        _wait(pid_file.exists, 120)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _wait(lambda: not _alive(int(pid_file.read_text())), 10)
    quick = double_python(tmp_path / "quick")
    run_scenario(blender, SCENARIOS / "read_back.py", tmp_path / "out", addon_zip, [quick])


def _wait(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended just now
        return False
