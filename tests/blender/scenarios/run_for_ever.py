"""Starts a job and leaves it running: the test kills Blender. Arguments: a trainer's Python, a file for the pid."""

import importlib
from pathlib import Path

import bpy


def scenario(gui):
    python, pid_file = gui.arguments
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    bpy.context.preferences.addons[gui.addon].preferences.trainer_python = python
    bpy.context.scene.dreamfusion.prompt = "a red cube"
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(lambda: session.job and session.job.fraction > 0, "the job runs", 60)
    Path(pid_file).write_text(str(session.job.trainer.trainer_pid))
    yield 600
