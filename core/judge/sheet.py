"""The contact sheet: one row a prompt, its views in a frame that is green where the judge is right about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from core.files import write_atomic
from core.judge.verdict import Marks
from core.pixels import Pixels, to_pixels, to_png

GREEN, RED = (38, 150, 70), (205, 45, 45)
_PAPER, _INK, _FAINT = (255, 255, 255), (25, 28, 33), (120, 125, 132)
_FRAME, _GAP = 3, 5  # pixels
_LABEL, _HEAD = 232, 26  # pixels: width of the labels, height of the headings
_SIZES = (16, 13)  # of the letters: what was asked, what was found
_MARGIN = 12


@dataclass(frozen=True)
class Row:
    """One line of the sheet."""

    title: str
    notes: tuple[str, ...]  # smaller lines under the title
    right: bool
    pictures: Tensor  # "V 3 H W" in [0, 1]
    marks: Marks  # of the pictures


def write_contact_sheet(rows: Sequence[Row], headings: Sequence[str], path: Path) -> None:
    """Replace a PNG: a heading above each column, a label to the left of each row. Writes nothing of no rows."""
    if not rows:
        return
    drawn = [_draw_row(row) for row in rows]
    column = (drawn[0].shape[1] - _LABEL) // len(headings)
    write_atomic(path, to_png(np.concatenate([_draw_headings(headings, column), *drawn], axis=0)))


def _draw_headings(headings: Sequence[str], column: int) -> Pixels:
    paper = Image.new("RGB", (_LABEL + column * len(headings), _HEAD), _PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(_SIZES[1])
    for number, text in enumerate(headings):
        left = _LABEL + number * column + (column - _GAP - font.getlength(text)) / 2
        draw.text((left, _HEAD - _SIZES[1] - _GAP), text, _FAINT, font)
    return np.asarray(paper, np.uint8)


def _draw_row(row: Row) -> Pixels:
    strip = _join(row.pictures, row.marks, len(row.pictures))
    paper = Image.new("RGB", (_LABEL, strip.shape[0]), _PAPER)
    draw = ImageDraw.Draw(paper)
    draw.rectangle((0, _GAP // 2, 4, strip.shape[0] - _GAP // 2 - 2), fill=GREEN if row.right else RED)
    title, note = (ImageFont.load_default(size) for size in _SIZES)
    y = float(_MARGIN)
    for line in wrap(row.title, title, _LABEL - 2 * _MARGIN):
        draw.text((_MARGIN, y), line, _INK, title)
        y += _SIZES[0] * 1.3
    for text in row.notes:
        y += _SIZES[1] * 0.3
        for line in wrap(text, note, _LABEL - 2 * _MARGIN):
            draw.text((_MARGIN, y), line, _FAINT, note)
            y += _SIZES[1] * 1.25
    return np.concatenate([np.asarray(paper, np.uint8), strip], axis=1)


def wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Lines of whole words that are no wider than `width` pixels, but for single words that are."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def write_grid(pictures: Tensor, marks: Marks, columns: int, path: Path) -> None:
    """Write a PNG of pictures "N 3 H W" in frames, `columns` a row."""
    write_atomic(path, to_png(_join(pictures, marks, columns)))


def _join(pictures: Tensor, marks: Marks, columns: int) -> Pixels:
    """Framed pictures on paper, row by row."""
    framed = [_frame(picture, mark) for picture, mark in zip(pictures, marks, strict=True)]
    blank = np.full_like(framed[0], 255)
    framed += [blank] * (-len(framed) % columns)
    rows = [np.concatenate(framed[i : i + columns], axis=1) for i in range(0, len(framed), columns)]
    return np.concatenate(rows, axis=0)


def _frame(picture: Tensor, right: bool) -> Pixels:
    """A picture "3 H W" in its frame, with a gap to its right and below."""
    inner = F.pad(picture, (_FRAME,) * 4)
    pixels = to_pixels(inner.permute(1, 2, 0).cpu().numpy())
    edge = np.ones(pixels.shape[:2], bool)
    edge[_FRAME:-_FRAME, _FRAME:-_FRAME] = False
    pixels[edge] = GREEN if right else RED
    return np.pad(pixels, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255)
