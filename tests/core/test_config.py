import json

import pytest

from core import config as settings
from core.errors import InputError


@pytest.mark.parametrize("model", ["starter", "sd"])
@pytest.mark.parametrize("preset", settings.PRESETS)
def test_settings_survive_json(preset, model):
    config = settings.override(settings.preset(preset, "a mug", model), seed=3, guidance={"fp16": True})
    assert settings.from_json(json.loads(json.dumps(settings.to_json(config)))) == config


def test_an_older_record_gets_the_defaults():
    assert settings.from_json({"prompt": "a mug", "training": {"epochs": 2}}) == settings.override(
        settings.Config("a mug"), training={"epochs": 2}
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"prompt": "a mug", "colour": 1}, "Unknown setting 'colour' in Config"),
        ({"prompt": "a mug", "mesh": {"size": 1}}, "Unknown setting 'size' in MeshConfig"),
        ({"seed": 1}, "incomplete: .*prompt"),
    ],
)
def test_json_that_is_no_settings_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        settings.from_json(data)


def test_distillation_survives_json_and_older_jobs_are_plain_sds():
    chosen = {"method": "vsd", "perpneg": True, "cfg_rescale": 0.5, "draws": 3, "grad_clip": 1.0}
    config = settings.override(settings.Config("a mug"), distillation=chosen, guidance={"anneal": "sqrt"})
    assert settings.from_json(json.loads(json.dumps(settings.to_json(config)))) == config
    older = settings.to_json(settings.Config("a mug"))
    del older["distillation"]
    for name in ("anneal", "view_prompts", "debias"):
        del older["guidance"][name]
    assert settings.from_json(older) == settings.Config("a mug")
    assert settings.from_json(older).distillation == settings.DistillationConfig()
    assert settings.DistillationConfig().method == "sds"


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match="'best': choose one of draft, standard, high"):
        settings.preset("best", "a mug")
