import imageio.v3 as iio
import torch

from core.starter import sheet
from core.starter.catalogue import COLORS, CONCEPTS


def flat(*values):
    """Pictures of 2 x 2 pixels, each of one grey."""
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 2, 2)


def test_a_sheet_is_filled_row_by_row(tmp_path):
    sheet.write_sheet(flat(0.0, 0.2, 0.4, 0.6, 1.5), 3, tmp_path / "sheet.png")
    assert iio.imread(tmp_path / "sheet.png")[::2, ::2, 0].tolist() == [[0, 51, 102], [153, 255, 255]]


def test_the_catalogue_is_shown_four_pictures_a_concept(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "CONCEPTS", CONCEPTS[:5])
    sheet.write_catalogue(tmp_path / "catalogue.png", 8)
    assert iio.imread(tmp_path / "catalogue.png").shape == (16, 128, 3)


def test_a_ball_is_shown_in_its_usual_colour_in_another_and_with_a_pattern():
    ball = next(concept for concept in CONCEPTS if concept.noun == "ball")
    usual, _, named, dotted = sheet.show_concept(ball, 0, 32)
    hue = usual[:, 16, 16] / usual[:, 16, 16].max()
    assert torch.allclose(hue, torch.tensor(COLORS["red"]) / max(COLORS["red"]), atol=0.02)
    assert (named[:, 16, 16] - usual[:, 16, 16]).abs().max() > 0.2
    assert dotted[:, 10:22, 10:22].flatten(1).std(1).max() > 2 * named[:, 10:22, 10:22].flatten(1).std(1).max()
