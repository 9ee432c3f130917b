"""The list of jobs in the sidebar, and the selected one below it."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat, drawing, preview, texts, workspaces
from .job_record import State
from .language import say
from .listed_job import ListedJob
from .session import SESSION

JOBS = "dreamfusion_jobs"  # of the window manager: a slot for each job, which holds nothing
INDEX = "dreamfusion_job_index"  # of the window manager: which slot is selected; kept in the session
_ROWS = 3
_PICTURE_UNITS = 8.0  # size of the picture at most, in heights of a button
_PICTURE_LEAST = 4.0
_LARGE = 2 / 3  # share of the width, where two smaller ones stand beside it
_ICONS: dict[State, Any] = {
    State.WAITING: "TIME",
    State.STARTING: "PLAY",
    State.RUNNING: "PLAY",
    State.PAUSED: "PAUSE",
    State.CANCELLING: "X",
    State.DONE: "CHECKMARK",
    State.FAILED: "ERROR",
    State.CANCELLED: "X",
    State.INTERRUPTED: "UNLINKED",
    State.ELSEWHERE: "LINKED",
}


class DreamFusionJobSlot(bpy.types.PropertyGroup):
    """A line of the list. What stands there is looked up in the session."""


class DREAMFUSION_UL_jobs(bpy.types.UIList):
    """A line a job: its newest picture, its prompt, how it stands."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: Any,
        _item: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
        index: int = 0,
        _flags: int = 0,
    ) -> None:
        """Draw one line."""
        if index >= len(SESSION.queue.jobs):
            return
        job = SESSION.queue.jobs[index]
        picture = preview.icon(workspaces.picture_path(job.folder))
        row = layout.row()
        row.label(text=job.record.prompt, translate=False, icon_value=picture or _blank())
        right: Any = row.row()
        right.alignment = "RIGHT"
        if job.state in (State.RUNNING, State.PAUSED) and job is not SESSION.job:  # whose bar stands below
            right.label(text=f"{100 * job.fraction:.0f}%")
        right.label(icon=_ICONS[job.state])

    def filter_items(self, _context: bpy.types.Context, data: Any, property: str) -> tuple[list[int], list[int]]:
        """Show the jobs whose prompts hold what is typed into the filter."""
        wanted = self.filter_name.lower()
        prompts = [job.record.prompt.lower() for job in SESSION.queue.jobs]
        count = len(getattr(data, property))
        shown = [wanted in prompt for prompt in prompts[:count]] + [False] * (count - len(prompts))
        return [self.bitflag_filter_item if show else 0 for show in shown], []


class DREAMFUSION_PT_jobs(bpy.types.Panel):
    """The list of jobs and what can be done with the selected one."""

    bl_label = "Jobs"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DreamFusion"
    bl_parent_id = "DREAMFUSION_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list, then the selected job."""
        layout = self.layout
        row = layout.row()
        manager = context.window_manager
        row.template_list("DREAMFUSION_UL_jobs", "", manager, JOBS, manager, INDEX, rows=_ROWS)
        column = row.column(align=True)
        column.operator("dreamfusion.refresh", text="", icon="FILE_REFRESH")
        column.operator("dreamfusion.open_folder", text="", icon="FILE_FOLDER")
        column.separator()
        column.operator("dreamfusion.delete", text="", icon="TRASH")
        job = SESSION.job
        if job is not None:
            _draw_job(layout, context, job)


def _draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, job: ListedJob) -> None:
    if job.at_work:
        _draw_progress(layout, job)
    _draw_outcome(layout, context, job)
    _draw_buttons(layout.column(align=True), job)
    if job.trainer is not None:
        drawing.remarks(layout, context.region, job.trainer.remarks)
    _draw_view(layout, job, _picture_units(context))


def _draw_view(layout: bpy.types.UILayout, job: ListedJob, units: float) -> None:
    """The newest picture, and smaller beside it the same view's depth and normals, where there are any."""
    picture = preview.icon(workspaces.picture_path(job.folder))
    parts = [icon for icon in map(preview.icon, workspaces.view_paths(job.folder)) if icon]
    if not picture:
        return
    if not parts:
        layout.template_icon(picture, scale=units)
        return
    row = layout.row(align=True)
    row.template_icon(picture, scale=units * _LARGE)
    column = row.column(align=True)
    for part in parts:
        column.template_icon(part, scale=units * _LARGE / len(parts))


def _draw_progress(layout: bpy.types.UILayout, job: ListedJob) -> None:
    progress = job.trainer.progress if job.trainer is not None else None
    if progress is None or job.state is State.CANCELLING:
        layout.label(text=texts.standing(job.state if job.state is State.CANCELLING else State.STARTING))
        return
    compat.draw_progress(layout, progress.fraction)
    row = layout.row()
    row.label(text=texts.stage_name(progress.stage) if job.state is State.RUNNING else texts.standing(job.state))
    right: Any = row.row()
    right.alignment = "RIGHT"
    right.label(text=texts.time_left(progress))


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, job: ListedJob) -> None:
    """How it ended; where that was an error, the button that mends it is below."""
    region = context.region
    if job.error:
        drawing.error(layout, region, job.error, job.blames_setup)
    elif SESSION.arrivals.waiting and job.folder in SESSION.arrivals:
        drawing.text(layout, region, SESSION.arrivals.waiting, "TIME")
    elif not job.at_work:
        layout.label(text=_summary(job), icon=_ICONS[job.state])
    came = job.state is State.DONE and job.trainer is not None and job.folder not in SESSION.arrivals
    if came and not _shows_textures(context):
        drawing.text(layout, region, say("Press Z and choose Material Preview to see its texture."), "INFO")


def _shows_textures(context: bpy.types.Context) -> bool:
    """Whether the view shows more of an object than one colour."""
    shading = getattr(context.space_data, "shading", None)
    return shading is None or shading.type not in ("WIREFRAME", "SOLID") or shading.color_type in ("TEXTURE", "VERTEX")


def _summary(job: ListedJob) -> str:
    """How it stands, how long it took where that is known, and its seed."""
    done = job.trainer.done if job.trainer is not None else None
    seconds = done.seconds if done is not None else job.record.seconds
    state, seed = texts.standing(job.state), job.record.seed
    if seconds and job.state is State.DONE:
        return say("{state} in {time}, seed {seed}", state=state, time=texts.clock(seconds), seed=seed)
    percent = int(100 * job.fraction)
    if percent and job.state in (State.CANCELLED, State.INTERRUPTED):
        state = say("{state} at {percent}%", state=state, percent=percent)
    return say("{state}, seed {seed}", state=state, seed=seed)


def _draw_buttons(column: bpy.types.UILayout, job: ListedJob) -> None:
    """Those that are of use now."""
    if job.at_work or job.state is State.WAITING:
        row = column.row(align=True)
        if job.state is State.PAUSED:
            row.operator("dreamfusion.pause", text="Continue", icon="PLAY")
        elif job.at_work:
            row.operator("dreamfusion.pause", text="Pause", icon="PAUSE")
        row.operator("dreamfusion.cancel", text="Cancel", icon="CANCEL")
        return
    if job.can_resume:
        column.operator("dreamfusion.resume", text="Resume", icon="PLAY")
    if job.record.has_mesh:
        column.operator("dreamfusion.add_result", icon="IMPORT")
    if job.can_train_longer:
        column.operator("dreamfusion.train_longer", icon="PLUS")
    if job.can_retry:
        column.operator("dreamfusion.retry", icon="FILE_REFRESH")


def _blank() -> int:
    """An empty icon, so that the prompts of jobs without a picture stand below the others."""
    icons: Any = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items  # type: ignore[attr-defined]
    return int(icons["BLANK1"].value)


def _picture_units(context: bpy.types.Context) -> float:
    """The picture's size: as wide as the sidebar, within limits."""
    return max(_PICTURE_LEAST, min(_PICTURE_UNITS, drawing.width_units(context)))


CLASSES = (DreamFusionJobSlot, DREAMFUSION_UL_jobs, DREAMFUSION_PT_jobs)


def register() -> None:
    """Give the window manager the list and its selection. After the classes."""
    setattr(bpy.types.WindowManager, JOBS, bpy.props.CollectionProperty(type=DreamFusionJobSlot))
    setattr(
        bpy.types.WindowManager,
        INDEX,
        bpy.props.IntProperty(
            name="Job",
            description="The job that is shown below the list",
            get=lambda _: _selected_index(),
            set=lambda _, index: _select(index),
        ),
    )


def unregister() -> None:
    """Undo register."""
    for name in (INDEX, JOBS):
        delattr(bpy.types.WindowManager, name)


def _selected_index() -> int:
    job = SESSION.job
    return SESSION.queue.jobs.index(job) if job is not None else -1


def _select(index: int) -> None:
    if 0 <= index < len(SESSION.queue.jobs):
        SESSION.selected = SESSION.queue.jobs[index].folder
