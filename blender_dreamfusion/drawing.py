"""What several panels draw."""

from __future__ import annotations

from typing import Literal

import bpy

from . import texts


def text(
    layout: bpy.types.UILayout, region: bpy.types.Region, words: str, icon: Literal["CANCEL", "ERROR", "INFO", "TIME"]
) -> None:
    """A text in as many lines as it needs, with an icon before the first."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = texts.wrap(words, region.width, bpy.context.preferences.system.ui_scale)
    for number, line in enumerate(lines):
        column.label(text=line, icon="BLANK1" if number else icon)


def hint(column: bpy.types.UILayout, words: str) -> None:
    """A greyed line below a field of a split layout."""
    split = column.split(factor=0.4)
    split.separator()
    split.active = False
    split.label(text=words)
