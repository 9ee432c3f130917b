"""Blender again after it was killed with a job at work: the list is read back, and the job goes on to its end.

Argument: a trainer's Python whose jobs take some seconds.
"""

import importlib

import bpy


def scenario(gui):
    (python,) = gui.arguments
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    bpy.context.preferences.addons[gui.addon].preferences.trainer_python = python
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    yield from gui.wait_for(lambda: session.job, "the list is read back", 20)
    gui.check([job.record.prompt for job in session.queue.jobs] == ["a red cube"], "the job is in it")
    # its trainer ends by itself a few seconds after its Blender
    yield from gui.wait_for(lambda: session.job.can_resume, "and can be resumed", 30)
    gui.check(session.job.state.name in ("INTERRUPTED", "CANCELLED"), f"{session.job.state}")
    yield 0.5
    preview = importlib.import_module(f"{gui.addon}.preview")
    picture = session.job.folder / "preview.png"
    yield from gui.wait_for(lambda: preview.icon(picture), "its newest picture is shown", 10)
    gui.shot("1_read_back")
    yield from gui.press("dreamfusion.resume")
    yield from gui.wait_for(lambda: "a red cube" in bpy.data.objects, "its object comes into the scene", 60)
    yield 0.5
    gui.shot("2_done")
