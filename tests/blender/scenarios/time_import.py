"""Adds a finished job's object several times and writes how long it took. Arguments: the job's folder, a JSON file.

The file holds, for each stage and each time, seconds on the clock and seconds of the main thread.
"""

import contextlib
import importlib
import json
import time
from pathlib import Path

import bpy

TIMES = 5


def scenario(gui):
    job, out = gui.arguments
    times = {}
    watch(importlib.import_module(f"{gui.addon}.mesh_import"), times, "read_mesh", "_make_mesh", "make_material")
    scene = bpy.context.scene
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    for number in range(TIMES):
        scene.cursor.location = (3.0 * number, 0, 0)
        with gui.override():
            with timed(times, "whole operator"):
                bpy.ops.dreamfusion.add_result("EXEC_DEFAULT", True, workspace=job)
            with timed(times, "redraw"):
                bpy.ops.wm.redraw_timer(type="DRAW", iterations=1)
        yield 0.2
    gui.check(len([thing for thing in bpy.data.objects if "prompt" in thing]) == TIMES, "they all came in")
    Path(out).write_text(json.dumps(times))


@contextlib.contextmanager
def timed(times, name):
    wall, own = time.perf_counter(), time.thread_time()
    yield
    times.setdefault(name, []).append((time.perf_counter() - wall, time.thread_time() - own))


def watch(module, times, *names):
    """Note how long these functions of a module take from now on."""
    for name in names:
        setattr(module, name, timed(times, name)(getattr(module, name)))
