"""The add-on in Blender's real window: installed from the built zip, clicked, looked at."""

from pathlib import Path

import pytest
from doubles import double_python
from window import run_scenario

pytestmark = pytest.mark.blender
SCENARIOS = Path(__file__).with_name("scenarios")


def test_generate(blender, addon_zip, tmp_path):
    python = double_python(tmp_path, "--steps", "40", "--pause", "0.1")
    run_scenario(blender, SCENARIOS / "generate.py", tmp_path / "out", addon_zip, [python, "a red cube", 30])
