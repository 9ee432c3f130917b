"""Shows in the scene how the object of the job at work grows. Main thread only.

Adding the coarse mesh is one undo step, refreshing it none, and what makes it the finished object is one more. Undoing
that last one alone would leave the coarse mesh of a job that is over, so what is seen of it then goes too: the step
that added it is passed over where the artist did nothing in between, else its mesh is emptied, and saving drops it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import bpy

from . import mesh_import, sketch_import, workspaces
from .arrivals import Arrivals, is_busy
from .job_queue import JobQueue
from .job_record import State
from .listed_job import ListedJob
from .mesh_file import MeshFileError, Sketch, read_sketch
from .properties import settings_of


class Growth:
    """What has been shown of which job, by their folders."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._taken: dict[Path, int] = {}  # how many sketches of its trainer were looked at
        self._added: set[Path] = set()  # has had a coarse mesh in this file
        self._declined: set[Path] = set()  # has nothing to refresh: deleted, or finished and being trained longer
        self._over: set[str] = set()  # names of folders whose objects are finished in this file, or that are deleted
        self._travel = ""  # "undo" or "redo" since the last look
        self._sketch: tuple[Path, Sketch] | None = None  # of a job: read in one tick, shown in the next

    def begin(self, folder: Path) -> None:
        """The job was put into the queue."""
        self._taken.pop(folder, None)
        self._sketch = None
        self._added.discard(folder)
        self._declined.discard(folder)
        self._over.discard(folder.name)

    def end(self, folder: Path) -> None:
        """Its object is finished, or the job deleted."""
        self._over.add(folder.name)

    def note_file(self) -> None:
        """A .blend was opened."""
        for known in (self._added, self._declined, self._over):
            known.clear()
        self._travel = ""

    def note_travel(self, operator: str) -> None:
        """The artist went back or forth in time, by "undo" or "redo"."""
        self._travel = operator
        self._declined.clear()

    def remove(self, folder: Path) -> None:
        """Take the job's coarse mesh away, as an undo step of its own."""
        self.end(folder)
        meshes = [mesh for mesh in sketch_import.growing_meshes() if mesh["job"] == folder.name]
        meshes = [mesh for mesh in meshes if sketch_import.is_free(mesh)]
        if meshes and bpy.context.mode == "OBJECT":
            for mesh in meshes:
                sketch_import.remove(mesh)
            bpy.ops.ed.undo_push(message="Delete Job")

    def follow(self, queue: JobQueue, arrivals: Arrivals) -> None:
        """Show the newest sketch of the job at work, if the artist wants that and its object belongs into this file."""
        job = queue.active
        if job is None or job.trainer is None or job.state is not State.RUNNING:
            self._sketch = None
            return
        wanted = settings_of(bpy.context.scene).grow and job.folder in arrivals and job.folder not in self._declined
        job.trainer.grow(wanted)
        if not wanted or is_busy():
            return
        sketch, self._sketch = self._sketch, None
        if sketch is not None and sketch[0] == job.folder:
            self._show(job, sketch[1])
        elif job.trainer.sketches != self._taken.get(job.folder, 0):
            self._taken[job.folder] = job.trainer.sketches
            with contextlib.suppress(MeshFileError):  # the next one may be whole
                self._sketch = job.folder, read_sketch(workspaces.sketch_path(job.folder))

    def settle(self) -> None:
        """After an undo or a redo: let nothing be seen of what is over."""
        travel, self._travel = self._travel, ""
        if not travel:
            return
        meshes = sketch_import.growing_meshes()
        over = [mesh for mesh in meshes if mesh["job"] in self._over]
        for mesh in meshes:
            if mesh not in over and sketch_import.is_new(mesh):
                sketch_import.note(mesh)
        if any(map(sketch_import.is_new, over)) and _travel_on(travel):
            return  # the references above are gone
        for mesh in over:
            if sketch_import.is_free(mesh):
                sketch_import.empty(mesh)

    def clean(self) -> None:
        """Before the file is saved: drop what was emptied, and what the artist deleted, whose materials would stay."""
        for mesh in sketch_import.growing_meshes():
            if not mesh.users or (mesh["job"] in self._over and not mesh.vertices):
                sketch_import.remove(mesh)

    def _show(self, job: ListedJob, sketch: Sketch) -> None:
        things = mesh_import.things_of(job.folder.name)
        meshes = [mesh for mesh in mesh_import.meshes_of(job.folder.name) if sketch_import.grows(mesh)]
        if not meshes and (things or job.folder in self._added):
            self._declined.add(job.folder)
        elif not meshes and bpy.context.mode == "OBJECT":  # elsewhere no undo step knows of objects
            _add(job.folder)
            if mesh_import.meshes_of(job.folder.name):
                self._added.add(job.folder)
        for mesh in meshes:
            if sketch_import.is_free(mesh):
                sketch_import.refresh(mesh, sketch)


def _add(folder: Path) -> None:
    with contextlib.suppress(RuntimeError):  # it cannot be read: the finished object will come all the same
        bpy.ops.dreamfusion.show_growth(  # type: ignore[attr-defined]
            "EXEC_DEFAULT", True, workspace=str(folder)
        )
    for mesh in sketch_import.growing_meshes():
        if sketch_import.is_new(mesh):
            sketch_import.note(mesh)


def _travel_on(operator: str) -> bool:
    """Whether there was a further step."""
    try:
        return "FINISHED" in getattr(bpy.ops.ed, operator)()
    except RuntimeError:
        return False
