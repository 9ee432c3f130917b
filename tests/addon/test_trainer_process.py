"""The trainer's process."""

import importlib.util
import subprocess

from blender_dreamfusion import trainer_process


def test_on_windows_no_console_opens(monkeypatch):
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x08000000, raising=False)
    name = f"{trainer_process.__name__}_of_windows"
    spec = importlib.util.spec_from_file_location(name, trainer_process.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NO_WINDOW == subprocess.CREATE_NO_WINDOW
