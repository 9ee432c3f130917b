"""Opens and saves files around a job, without a window. Arguments: the zip, a folder."""

import importlib
import os
import shutil
import sys
import time
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parents[1] / "rig"))
sys.path.append(str(Path(__file__).parents[2] / "addon"))

from doubles import double_python
from install import install_addon
from job_folders import make_job

addon, folder = sys.argv[-2:]
first, second = os.path.join(folder, "first.blend"), os.path.join(folder, "second.blend")
for path in (first, second):
    bpy.ops.wm.save_as_mainfile(filepath=path)
module = install_addon(addon)
session = importlib.import_module(f"{module}.session")
bpy.ops.wm.open_mainfile(filepath=first)
assert bpy.app.timers.is_registered(session.tick), "opening a file does not end the search for earlier jobs"
current = session.SESSION
jobs = Path(os.environ["BLENDER_USER_DATAFILES"], "dreamfusion", "jobs")
for name in ("mug", "hat"):
    make_job(jobs / name, "failed")


def step_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        session.tick()
        time.sleep(0.01)


def slots():
    return len(bpy.context.window_manager.dreamfusion_jobs)


step_until(lambda: slots() == 2)
for opened in (second, first):
    bpy.ops.wm.open_mainfile(filepath=opened)
    assert slots() == len(current.queue.jobs) == 2, "the list is bound to no file"
deletion = importlib.import_module(f"{session.__package__}.deletion")
deletion.delete_job(jobs / "mug")
step_until(lambda: slots() == 1)
assert current.job.folder == jobs / "hat", "a job that is left is selected"


def expected_after(opened):
    python = double_python(Path(folder) / "bin", "--steps", "10000")
    bpy.context.preferences.addons[module].preferences.trainer_python = python
    assert current.generate("a red cube", [{"preset": "draft"}]), current.error
    job = current.job
    step_until(lambda: job.fraction > 0)
    opened()
    expected, alive = job.folder in current.arrivals, job.at_work
    current.queue.cancel(job)
    step_until(lambda: not current.queue.busy)
    assert alive, "opening a file stops no job"
    return expected


assert expected_after(lambda: bpy.ops.wm.open_mainfile(filepath=first)), "the same file again"
assert not expected_after(lambda: bpy.ops.wm.open_mainfile(filepath=second)), "another file"
bpy.ops.wm.read_homefile(use_empty=True)
assert not expected_after(lambda: bpy.ops.wm.read_homefile(use_empty=True)), "another file without a name"


def done_but_waiting(seed):
    """A job that is done while Edit Mode keeps its object out of the scene."""
    python = double_python(Path(folder) / "quick", "--steps", "2", "--pause", "0.01")
    bpy.context.preferences.addons[module].preferences.trainer_python = python
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.object.mode_set(mode="EDIT")
    assert current.generate("a red cube", [{"preset": "draft", "seed": seed}]), current.error
    step_until(lambda: current.arrivals.waiting)
    assert current.job.state.name == "DONE"
    return current.job.folder


def cubes():
    return [thing for thing in bpy.data.objects if "prompt" in thing]


bpy.ops.wm.open_mainfile(filepath=first)
workspace = done_but_waiting(1)
bpy.ops.wm.open_mainfile(filepath=second)
assert bpy.context.mode == "OBJECT"
for _ in range(3):
    session.tick()
assert (cubes(), current.arrivals.waiting, current.error) == ([], "", ""), "it comes by itself into no other file"
assert current.job.folder == workspace
assert current.job.state.name == "DONE", "but is there to be added"
bpy.ops.dreamfusion.add_result()
assert [thing["seed"] for thing in cubes()] == [1]

bpy.ops.wm.open_mainfile(filepath=first)
workspace = done_but_waiting(2)
mesh_import = importlib.import_module(f"{module}.mesh_import")
read_mesh = mesh_import.read_mesh


def read_and_lose(path):
    mesh = read_mesh(path)
    shutil.rmtree(workspace)
    return mesh


mesh_import.read_mesh = read_and_lose
bpy.ops.object.mode_set(mode="OBJECT")
step_until(lambda: current.error)
assert current.error == f"{workspace / 'mesh' / 'albedo.png'} is no readable picture: generate again.", current.error
assert not cubes()
assert not [mesh for mesh in bpy.data.meshes if mesh.name != "Cube"], "half of an object is not left behind"
step_until(lambda: current.queue.find(workspace) is None)
print("ALL CHECKED")
