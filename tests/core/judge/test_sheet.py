import imageio.v3 as iio
import numpy as np
import torch
from PIL import ImageFont

from core.judge.sheet import GREEN, RED, Row, wrap, write_contact_sheet, write_grid


def test_each_picture_stands_in_a_frame_of_its_verdict(tmp_path):
    grey = torch.tensor([0.2, 0.4, 0.6])[:, None, None, None].expand(3, 3, 20, 20)
    write_grid(grey, (True, False, True), 2, tmp_path / "grid.png")
    grid = iio.imread(tmp_path / "grid.png")
    step = 20 + 2 * 3 + 5
    assert grid.shape == (2 * step, 2 * step, 3)
    for place, value, color in (((0, 0), 51, GREEN), ((0, step), 102, RED), ((step, 0), 153, GREEN)):
        row, column = place
        assert grid[row + 13, column + 13].tolist() == [value] * 3
        assert tuple(grid[row + 1, column + 10]) == color
        assert (grid[row + 26 : row + 31, column : column + 31] == 255).all()
    assert (grid[step:, step:] == 255).all()


def test_a_row_is_labelled_and_barred_with_its_verdict(tmp_path):
    pictures = torch.full((2, 3, 64, 64), 0.5)
    rows = [
        Row("a red mug", ("taken for: blue mug",), False, pictures, (True, False)),
        Row("a duck", (), True, pictures, (True, True)),
    ]
    write_contact_sheet(rows, ["front", "back"], tmp_path / "views.png")
    whole = iio.imread(tmp_path / "views.png")
    head, sheet = whole[:26], whole[26:]
    height, label = sheet.shape[0] // 2, sheet.shape[1] - 2 * (64 + 6 + 5)
    assert height == 64 + 6 + 5
    assert tuple(sheet[height // 2, 1]) == RED
    assert tuple(sheet[height + height // 2, 1]) == GREEN
    ink = [(np.abs(sheet[top : top + height, 8:label].astype(int) - 255) > 80).any(-1).sum() for top in (0, height)]
    assert ink[0] > ink[1] > 20
    assert (head[:, :label] == 255).all()
    assert [(head[:, left : left + 75] < 200).any() for left in (label, label + 75)] == [True, True]


def test_long_prompts_are_wrapped_between_words():
    font = ImageFont.load_default(16)
    lines = wrap("a snowman with a purple hat and a very long scarf", font, 150)
    assert " ".join(lines) == "a snowman with a purple hat and a very long scarf"
    assert 1 < len(lines) < 6
    assert max(font.getlength(line) for line in lines) <= 150
    assert wrap("antidisestablishmentarianism", font, 20) == ["antidisestablishmentarianism"]
