"""How long a job will take."""

import pytest

from blender_dreamfusion.expectation import describe
from blender_dreamfusion.job_record import Record, State

STARTER = {"preset": "standard", "model": "starter", "seed": 1}


def record(seconds, **request):
    return Record("a mug", 1, State.DONE, 0.0, seconds=seconds, request={"prompt": "a mug", **STARTER, **request})


def test_the_newest_job_with_the_same_settings_counts():
    made = [record(0), record(500, preset="high"), record(90, seed=7, negative="blue"), record(200)]
    assert describe(made, STARTER) == "The last one took 1:30"
    assert describe(made, {**STARTER, "preset": "high"}) == "The last one took 8:20"


@pytest.mark.parametrize(
    "other",
    [
        *(
            {"preset": "draft"},
            {"epochs": 9},
            {"field": "mlp"},
            {"device": "cpu"},
            {"fp16": True},
            {"bf16": True},
            {"compile": True},
            {"model": "sd"},
        ),
        *({"distillation": "vsd"}, {"texture_size": 4096}, {"normal_map": True}),
    ],
)
def test_a_job_with_other_settings_does_not_count(other):
    assert describe([record(90, **other)], STARTER) == "About 2 minutes"


def test_what_nobody_has_measured_is_not_known():
    assert describe([], {"model": "sd", "sd_version": "2.1", "preset": "draft"}) == "Time not known yet"
    assert describe([], {**STARTER, "epochs": 50}) == "Time not known yet"
    assert describe([], {**STARTER, "distillation": "vsd"}) == "Time not known yet"
    assert describe([Record("a mug", 1, State.DONE, 0.0, seconds=9.0)], STARTER) == "About 2 minutes"
