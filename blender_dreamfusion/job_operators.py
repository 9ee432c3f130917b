"""The buttons of the list of jobs. Each acts on the selected job."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import bpy

from . import mesh_import, object_settings, workspaces
from .drawing import redraw
from .job_record import State
from .language import say
from .listed_job import ListedJob
from .mesh_file import MeshFileError, read_sketch
from .properties import SEED_MAX
from .session import SESSION


def _fits(cls: type[bpy.types.Operator], fits: Callable[[ListedJob], bool], advice: str) -> bool:
    """Whether the selected job fits; where not, `advice`, translated, stands in the button's tooltip."""
    job = SESSION.job
    if job is None:
        cls.poll_message_set(say("Select a job first"))
        return False
    if not fits(job):
        cls.poll_message_set(advice)
        return False
    return True


def _selected() -> ListedJob:
    job = SESSION.job
    assert job is not None  # poll() saw to that
    return job


def _result(worked: bool) -> set[str]:
    return {"FINISHED"} if worked else {"CANCELLED"}


class DREAMFUSION_OT_pause(bpy.types.Operator):
    """Hold the job at its next step, or let it go on. It keeps its memory meanwhile"""

    bl_idname = "dreamfusion.pause"
    bl_label = "Pause Job"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether the job runs or is paused."""
        return _fits(cls, lambda job: job.state in (State.RUNNING, State.PAUSED), say("This job is not running"))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the trainer."""
        job = _selected()
        if job.trainer is not None:
            (job.trainer.pause if job.state is State.RUNNING else job.trainer.go_on)()
        redraw()
        return {"FINISHED"}


class DREAMFUSION_OT_cancel(bpy.types.Operator):
    """Stop the job and keep what it has learnt so far, to resume it later. What has grown in the scene stays"""

    bl_idname = "dreamfusion.cancel"
    bl_label = "Cancel Job"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether the job runs or waits."""
        return _fits(cls, lambda job: job.at_work or job.state is State.WAITING, say("This job is not running"))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the trainer to stop; the timer sees to the rest."""
        SESSION.queue.cancel(_selected())
        redraw()
        return {"FINISHED"}


class DREAMFUSION_OT_resume(bpy.types.Operator):
    """Go on with the job from where it was last saved"""

    bl_idname = "dreamfusion.resume"
    bl_label = "Resume Job"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether the job has stopped before its end."""
        advice = say("Only a job that has stopped before its end can be resumed")
        return _fits(cls, lambda job: job.can_resume, advice)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Put it into the queue."""
        return _result(SESSION.resume(_selected()))


class DREAMFUSION_OT_retry(bpy.types.Operator):
    """Make another object of the same prompt and settings, with a new random seed"""

    bl_idname = "dreamfusion.retry"
    bl_label = "Retry with Another Seed"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether it is known what the job was asked for."""
        advice = say("This job was not made in Blender: type its prompt above instead")
        return _fits(cls, lambda job: job.can_retry, advice)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Put a new job into the queue."""
        return _result(SESSION.retry(_selected(), random.randint(0, SEED_MAX)))


class DREAMFUSION_OT_train_longer(bpy.types.Operator):
    """Go on with the finished job for more epochs. Its objects in the scene then get the new mesh in place"""

    bl_idname = "dreamfusion.train_longer"
    bl_label = "Train Longer"

    epochs: bpy.props.IntProperty(
        name="Epochs",
        description="In all, with those that it has. One is 100 iterations",
        min=1,
        max=10_000,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether the job is done and has a checkpoint."""
        return _fits(cls, lambda job: job.can_train_longer, say("Only a finished job can be trained longer"))

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for how long: twice as long as it was."""
        self.epochs = 2 * max(1, _selected().record.epochs)
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Put it into the queue."""
        job = _selected()
        if self.epochs <= job.record.epochs:
            self.report(
                {"ERROR"}, say("Epochs that the job has already: {epochs}. Give more.", epochs=job.record.epochs)
            )
            return {"CANCELLED"}
        return _result(SESSION.resume(job, self.epochs))


class DREAMFUSION_OT_add_result(bpy.types.Operator):
    """Add the finished object to the scene, standing at the 3D cursor or beside an earlier one"""

    bl_idname = "dreamfusion.add_result"
    bl_label = "Add to Scene"
    bl_options = {"REGISTER", "UNDO"}

    workspace: bpy.props.StringProperty(
        description="The job's folder; empty: of the selected job", options={"HIDDEN", "SKIP_SAVE"}
    )
    renew: bpy.props.BoolProperty(
        description="Where objects of this job stand in the scene already, renew those instead of adding one",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether objects can be added now."""
        if context.mode != "OBJECT":
            cls.poll_message_set(say("Return to Object Mode first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the job's files and add the object."""
        workspace = Path(self.workspace or SESSION.selected or "")
        details = workspaces.read_details(workspace)
        if details is None:
            self.report({"ERROR"}, say("There is no readable job in {folder}: generate again.", folder=workspace))
            return {"CANCELLED"}
        placing = object_settings.placing(context.scene)
        try:
            if not (self.renew and mesh_import.renew_objects(workspace, details, placing)):
                thing = mesh_import.add_object(context, workspace, details, placing)
                mesh_import.put_beside(context, thing)
        except (MeshFileError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        SESSION.note_added(workspace)
        return {"FINISHED"}


class DREAMFUSION_OT_show_growth(bpy.types.Operator):
    """Add the coarse mesh of a job in training to the scene, standing at the 3D cursor"""

    bl_idname = "dreamfusion.show_growth"
    bl_label = "Live Preview"
    bl_options = {"INTERNAL", "UNDO"}

    workspace: bpy.props.StringProperty(description="The job's folder", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the newest sketch; neither the selection nor the active object changes."""
        workspace = Path(self.workspace)
        details = workspaces.read_details(workspace)
        try:
            sketch = read_sketch(workspaces.sketch_path(workspace))
        except MeshFileError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if details is None:
            return {"CANCELLED"}
        placing = object_settings.placing(context.scene)
        thing = mesh_import.add_sketch(context, workspace, details, sketch.standing(placing.height))
        mesh_import.put_beside(context, thing)
        return {"FINISHED"}


class DREAMFUSION_OT_open_folder(bpy.types.Operator):
    """Show the job's folder, with its meshes, pictures, video and log, in the file manager"""

    bl_idname = "dreamfusion.open_folder"
    bl_label = "Open Job Folder"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether a job is selected."""
        return _fits(cls, lambda job: job.folder.is_dir(), say("The job's folder is gone: refresh the list"))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Leave it to the system."""
        return set(bpy.ops.wm.path_open(filepath=str(_selected().folder)))


class DREAMFUSION_OT_delete(bpy.types.Operator):
    """Delete the job's folder with its meshes, pictures and checkpoints. Finished objects in scenes stay"""

    bl_idname = "dreamfusion.delete"
    bl_label = "Delete Job"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether no trainer is at work on the job."""
        return _fits(cls, lambda job: job.can_delete, say("Cancel the job first"))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Delete it; what goes wrong stands in the panel."""
        return _result(SESSION.delete(_selected()))


class DREAMFUSION_OT_refresh(bpy.types.Operator):
    """Read the folder for jobs again"""

    bl_idname = "dreamfusion.refresh"
    bl_label = "Refresh Jobs"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Let the timer do it."""
        SESSION.scan()
        return {"FINISHED"}


CLASSES = (
    DREAMFUSION_OT_pause,
    DREAMFUSION_OT_cancel,
    DREAMFUSION_OT_resume,
    DREAMFUSION_OT_retry,
    DREAMFUSION_OT_train_longer,
    DREAMFUSION_OT_add_result,
    DREAMFUSION_OT_show_growth,
    DREAMFUSION_OT_open_folder,
    DREAMFUSION_OT_delete,
    DREAMFUSION_OT_refresh,
)
