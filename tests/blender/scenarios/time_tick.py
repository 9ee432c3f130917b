"""Lets a job stream and writes how long each tick and each drawing took.

Arguments: a trainer's Python, seconds, a JSON file. That holds, for each of them, seconds on the clock and seconds of
the main thread: "tick" of the timer, "draw" of one panel; and of parts of a tick: "messages" that it handles, "picture"
that it shows, "growth" of the coarse mesh.
"""

import importlib
import json
import time
from pathlib import Path

import bpy


def scenario(gui):
    python, seconds, out = gui.arguments
    modules = {name: importlib.import_module(f"{gui.addon}.{name}") for name in ("session", "preview")}
    session, preview = modules["session"], modules["preview"]
    current, times = session.SESSION, {name: [] for name in ("tick", "draw", "messages", "picture", "growth")}
    bpy.context.preferences.addons[gui.addon].preferences.trainer_python = python
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    yield from gui.wait_for(lambda: len(current.queue.jobs) >= 30, "the list is read", 60)
    bpy.context.scene.dreamfusion.prompt = "a red cube"
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(lambda: current.job.at_work and current.job.fraction > 0, "the job runs", 60)
    yield 3.0  # the pictures of the list are read, once

    watch_ticks(session, times["tick"])
    preview._show = timed(preview._show, times["picture"])
    current.queue.pump = timed(current.queue.pump, times["messages"])
    current.growth.follow = timed(current.growth.follow, times["growth"])
    for panel in bpy.types.Panel.__subclasses__():
        if panel.__name__.startswith("DREAMFUSION_PT"):
            watch_drawing(panel, times["draw"])
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        yield 0.5
    gui.shot("1_streaming")
    gui.check(current.job.at_work, f"it still runs: {current.job.error}")
    pictures = current.job.trainer.previews
    bpy.ops.dreamfusion.cancel()
    yield from gui.wait_for(lambda: not current.queue.busy, "it is cancelled", 30)
    Path(out).write_text(json.dumps({**times, "pictures": pictures}))


def timed(function, times):
    """The function, which notes how long it takes."""

    def run(*arguments):
        clock, own = time.perf_counter(), time.thread_time()
        try:
            return function(*arguments)
        finally:
            times.append((time.perf_counter() - clock, time.thread_time() - own))

    return run


def watch_drawing(panel, times):
    """Blender counts the arguments that a panel's draw() names, and gives it as many."""
    draw = timed(panel.draw, times)
    panel.draw = lambda self, context: draw(self, context)


def watch_ticks(session, times):
    """Put a timer that notes its times in the place of the add-on's."""
    bpy.app.timers.unregister(session.tick)
    session.tick = timed(session.tick, times)
    bpy.app.timers.register(session.tick, persistent=True)
