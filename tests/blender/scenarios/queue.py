"""An artist's list of jobs: several seeds, pause, cancel, another seed, train longer, delete.

Arguments: a trainer's Python whose jobs end when the file "go" is in the folder, one whose jobs take minutes, that
folder.
"""

import importlib
from pathlib import Path

import bpy


def scenario(gui):
    quick, slow, folder = gui.arguments
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    queue, settings = session.queue, bpy.context.scene.dreamfusion
    preferences = bpy.context.preferences.addons[gui.addon].preferences
    preferences.trainer_python = quick
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    settings.prompt, settings.seed, settings.objects = "a red cube", 5, 3
    settings.grow = False  # what grows keeps the window drawing, and so every look for a button takes its time

    yield from gui.press("dreamfusion.generate")
    gui.check([job.record.seed for job in queue.jobs] == [7, 6, 5], "one click asks for three seeds")
    yield from gui.wait_for(lambda: state_of(queue.jobs[2]) == "RUNNING", "the first one runs", 60)
    gui.check([state_of(job) for job in queue.jobs[:2]] == ["WAITING"] * 2, "the others wait")
    yield 0.5
    gui.shot("1_waiting")
    yield from gui.press("dreamfusion.pause")
    gui.check(state_of(session.job) == "PAUSED", "Pause holds it")
    yield 1.0
    gui.shot("2_paused")
    yield from gui.press("dreamfusion.pause")
    gui.check(state_of(session.job) == "RUNNING", "Continue lets it go on")
    Path(folder, "go").touch()
    yield from gui.wait_for(lambda: len(cubes()) == 3, "all three come into the scene", 120)
    xs = sorted(thing.location.x for thing in cubes())
    gui.check(xs[0] == 0 and xs[1] >= 1 and xs[2] >= 2 * xs[1] - 1e-4, f"side by side: {xs}")
    gui.check(sorted(thing["seed"] for thing in cubes()) == [5, 6, 7], "each of its own seed")

    yield from gui.press("dreamfusion.retry")
    seeds = {job.record.seed for job in queue.jobs}
    gui.check(len(queue.jobs) == 4 and len(seeds) == 4, f"Retry asks for another seed: {seeds}")
    yield from gui.wait_for(lambda: len(cubes()) == 4, "which comes in too", 60)
    epochs = session.job.record.epochs
    bpy.ops.dreamfusion.train_longer("EXEC_DEFAULT", epochs=epochs + 4)
    yield from gui.wait_for(lambda: session.job.record.epochs == epochs + 4, "a finished job is trained longer", 60)
    yield from gui.wait_for(lambda: not session.arrivals, "and brings its new mesh", 60)
    gui.check(len(cubes()) == 4, "in the place of the old one")

    preferences.trainer_python = slow
    settings.objects = 2
    yield from gui.press("dreamfusion.generate")
    yield from gui.wait_for(lambda: state_of(queue.jobs[1]) == "RUNNING", "one more runs", 60)
    bpy.context.window_manager.dreamfusion_job_index = 0
    gui.check(not bpy.ops.dreamfusion.train_longer.poll(), "what waits cannot be trained longer")
    yield from gui.press("dreamfusion.cancel")
    gui.check(state_of(session.job) == "INTERRUPTED", "what waits gives up its turn")
    running = queue.jobs[1]
    bpy.context.window_manager.dreamfusion_job_index = 1
    gui.check(session.job is running and not bpy.ops.dreamfusion.delete.poll(), "what runs cannot be deleted")
    bpy.context.window_manager.dreamfusion_job_index = 0
    doomed = session.job.folder
    yield from gui.press("dreamfusion.delete", across=[gui.right_edge()])
    gui.check(doomed.exists(), "Delete asks first")
    yield 0.5
    gui.shot("3_delete")
    gui.xdo("key", "Return")
    yield from gui.wait_for(lambda: not doomed.exists(), "and then deletes the folder", 5)
    yield from gui.wait_for(lambda: len(bpy.context.window_manager.dreamfusion_jobs) == 5, "and the line", 5)
    gui.check(session.job is running, "the next one is selected")
    yield from gui.press("dreamfusion.cancel")
    yield from gui.wait_for(lambda: not queue.busy, "what runs is cancelled", 20)
    gui.check(state_of(running) == "CANCELLED", "as the list says")
    yield 0.5
    gui.shot("4_cancelled")


def state_of(job):
    return job.state.name


def cubes():
    """The finished objects."""
    return [thing for thing in bpy.data.objects if thing.get("prompt") and "growing" not in thing.data]
