import json

import pytest

from core.judge.examination import Examination
from core.judge.report import as_json, markdown, write_report
from core.judge.result import summarise
from tests.core.judge import results

GOOD, BAD = Examination(45, 1.0, 0.99, 0.985), Examination(45, 0.99, 0.5, 0.99)


def rows(text):
    """The cells of the tables' lines."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_the_sum_over_all_prompts():
    total = summarise(results.ALL)
    assert (total.prompts, total.made) == (4, 3)
    assert total.textured == 2 / 4  # what was not made is wrong
    assert total.textured_views == 16 / 24
    assert (total.held_out, total.held_out_textured) == (1, 0)  # the duck: none is learnt in red
    assert total.textureless == 2 / 4
    assert total.textureless_views == 22 / 24
    assert total.sides == 6 / 8
    assert total.chamfer == pytest.approx((0.02 + 0.06 + 0.02) / 3)
    assert total.f_score == 0.9  # the median
    assert total.psnr == 26.0
    assert (total.watertight, total.one_piece) == (2, 2)
    assert total.faces == pytest.approx(50_000 / 3)
    assert total.uv_overlap == 0.25
    assert (total.seconds, total.peak_bytes) == (150, 3 << 30)


def test_nothing_adds_up_to_nothing():
    total = summarise([results.NOTHING])
    assert (total.prompts, total.made, total.textured) == (1, 0, 0)
    assert (total.textured_views, total.sides, total.chamfer, total.seconds, total.peak_bytes) == (None,) * 5


def test_the_table_says_what_was_found():
    table = {row[0]: row[1:] for row in rows(markdown(results.ALL, GOOD, "Made with preset draft."))}
    assert table["prompts, and objects made"] == ["4, 3", ""]
    assert table["R-precision, colour"] == ["50.0 % (66.7 %)", "100.0 %"]
    assert table["R-precision, colour, of 1 held-out pairs"] == ["0.0 %", ""]
    assert table["R-precision, geometry"] == ["50.0 % (91.7 %)", "99.0 %"]
    assert table["sides told right (no Janus)"] == ["75.0 %", "98.5 %"]
    assert table["time an object, median"][0] == "2:30"
    assert table["peak memory, GiB, largest"][0] == "3.00"
    assert table["a red mug"] == [
        *("red mug", "8/8", "mug", "8/8", "-", "0.020", "0.90", "26.0", "20000", "yes", "1:40", "1.00"),
    ]
    assert table["a red duck, *held out*"] == [
        *("**green tree**", "0/8", "**tree**", "6/8", "6/8", "0.060", "0.50", "-", "10000", "**no**", "3:20", "3.00"),
    ]
    assert table["a table"][-2:] == ["-", "-"]
    assert table["a chair"][0] == "**no object**: The field is empty."
    lengths = {len(row) for row in rows(markdown(results.ALL, GOOD, ""))}
    assert lengths == {3, 13}


def test_a_judge_that_is_not_good_enough_is_said_loudly():
    assert "DO NOT BELIEVE" not in markdown(results.ALL, GOOD, "")
    text = markdown(results.ALL, BAD, "")
    assert text.count("DO NOT BELIEVE") == 1
    assert "about the concept by its geometry" in text
    assert "only 50.0 % of what it was shown of 45 true objects" in text
    assert as_json(results.ALL, BAD, "")["judge"]["trusted"] == {"textured": True, "textureless": False, "sides": True}


def test_files_hold_all_of_it(tmp_path):
    write_report(tmp_path, results.ALL, GOOD, "Made with preset draft.")
    assert "Made with preset draft." in (tmp_path / "results.md").read_text()
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["summary"]["textured"] == 0.5
    assert data["judge"]["objects"] == 45
    duck = data["prompts"][1]
    assert duck["prompt"] == "a red duck"
    verdict = duck["measures"]["verdict"]
    assert (verdict["asked"], verdict["taken_for"], verdict["taken_bare"]) == ("red duck", "green tree", "tree")
    assert (verdict["right"], verdict["sides"]) == (False, [True] * 6 + [False] * 2)
    assert duck["measures"]["shape"] == {"chamfer": 0.06, "f_score": 0.5}
    assert duck["cost"]["seconds"] == 200
    assert data["prompts"][3]["measures"] is None
    assert data["prompts"][3]["error"] == "The field is empty."
