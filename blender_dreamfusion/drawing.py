"""What several panels draw."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from . import texts
from .language import say

_UNIT_PIXELS = 20.0  # height of a button, at a scale of 1
_MARGIN_UNITS = 3.0  # of the sidebar's width, for tabs and frame
_REMARKS = 4  # the newest: on the prompt, on the negative one, on their length, on the mesh
_REGIONS = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}  # where something of the add-on is drawn


def redraw() -> None:
    """Draw every sidebar and the preferences again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if _REGIONS.get(area.type) == region.type:
                    region.tag_redraw()


def count_slots(count: int) -> bool:
    """Give Blender's list as many slots as there are jobs; returns whether it had another number.

    The slots are empty, as they belong to the window manager, which is saved with the .blend.
    """
    slots: Any = bpy.context.window_manager.dreamfusion_jobs  # type: ignore[attr-defined]
    changed = len(slots) != count
    while len(slots) < count:
        slots.add()
    while len(slots) > count:
        slots.remove(0)
    return changed


def width_units(context: bpy.types.Context) -> float:
    """The sidebar's width within its margins, in heights of a button."""
    return context.region.width / context.preferences.system.ui_scale / _UNIT_PIXELS - _MARGIN_UNITS


def text(
    layout: bpy.types.UILayout, region: bpy.types.Region, words: str, icon: Literal["CANCEL", "ERROR", "INFO", "TIME"]
) -> None:
    """A text in as many lines as it needs, with an icon before the first."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = texts.wrap(texts.in_fields(words), region.width, bpy.context.preferences.system.ui_scale)
    for number, line in enumerate(lines):
        column.label(text=line, translate=False, icon="BLANK1" if number else icon)


def remarks(layout: bpy.types.UILayout, region: bpy.types.Region, lines: list[str]) -> None:
    """The newest of the trainer's lines for the user."""
    for line in lines[-_REMARKS:]:
        text(layout, region, say(line), "INFO")


def error(layout: bpy.types.UILayout, region: bpy.types.Region, words: str, blames_setup: bool) -> None:
    """An error in a box of its own; one of the set-up with the button that mends it."""
    box = layout.box().column()
    text(box, region, words, "ERROR")
    if blames_setup:
        box.operator("dreamfusion.open_preferences", icon="PREFERENCES")


def hint(column: bpy.types.UILayout, words: str) -> None:
    """A greyed line below a field of a split layout."""
    split = column.split(factor=0.4)
    split.separator()
    split.active = False
    split.label(text=words, translate=False)
