"""Every family on a tiny pipeline of its own classes: against diffusers' pipeline, and against the formulas."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from core.errors import InputError
from core.guidance import layout
from core.guidance.families import Pictures, family_of, pipelines
from core.guidance.stable_diffusion import StableDiffusion
from tests.core.guidance.conftest import load, seeded
from tests.core.guidance.families import tiny
from tests.core.guidance.families.reference import Step, encode

NAMES = list(tiny.FAMILIES)
NEGATIVES = ["", "Blurry dog"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: tiny.write(name, root / name) for name in NAMES}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(folders: dict[str, Path], name: str) -> Path:
    return folders[name]


def load_pipeline(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """diffusers' own, with the sampler that pictures are made with."""
    index = json.loads((folder / "model_index.json").read_text())
    left_out = {part: None for part in ("text_encoder_3", "tokenizer_3") if index.get(part) == [None, None]}
    pipeline = getattr(diffusers, index["_class_name"]).from_pretrained(folder, local_files_only=True, **left_out)
    pipeline.to(dtype)
    pipeline.set_progress_bar_config(disable=True)
    if hasattr(pipeline.scheduler, "alphas_cumprod"):
        config = dict(pipeline.scheduler.config) | {"variance_type": "fixed_small"}  # DDIM takes no learned variance
        pipeline.scheduler = DDIMScheduler.from_config(config)
    return pipeline


# Texts and what else a denoiser is told


@pytest.mark.parametrize("negative", NEGATIVES)
def test_texts_are_heard_as_the_pipeline_hears_them(folder, negative):
    texts = ["a Cat", "a very long sentence " * 9]
    embeddings, unwanted, pooled, unwanted_pooled = encode(load_pipeline(folder), texts, negative)
    model = load(folder)
    told = model.get_text_embeds([negative, *texts])
    torch.testing.assert_close(told.embeddings[1:], embeddings)
    torch.testing.assert_close(told.embeddings[0], unwanted[0])
    if pooled is None:
        assert not told.extras
    else:
        torch.testing.assert_close(told.extras["pooled"][1:], pooled)
        torch.testing.assert_close(told.extras["pooled"][0], unwanted_pooled[0])


def test_an_empty_text_is_zeros_only_where_the_model_was_trained_so(folders, tmp_path):
    folder = Path(shutil.copytree(folders["sdxl"], tmp_path / "model"))
    assert not load(folder).get_text_embeds("").embeddings.any()
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"force_zeros_for_empty_prompt": False}))
    told = load(folder).get_text_embeds("")
    _, expected, _, pooled = encode(load_pipeline(folder), ["a cat"], "")
    torch.testing.assert_close(told.embeddings, expected)
    torch.testing.assert_close(told.extras["pooled"], pooled)


def test_sdxl_is_told_the_size_of_the_picture(folders):
    model, pipeline = load(folders["sdxl"]), load_pipeline(folders["sdxl"])
    text = model.get_text_embeds(["", "a cat"])
    told = model.family.tell(model.unet, text, Pictures((8, 12), (16, 24)))
    expected = pipeline._get_add_time_ids((16, 24), (0, 0), (16, 24), torch.float32, 10)
    torch.testing.assert_close(told.extras["time_ids"], expected.repeat(2, 1))


def test_tokens_are_limited_by_the_family(folder, name):
    model = load(folder)
    assert model.max_tokens == (77 if name == "if" else 24)
    assert model.count_tokens("ab, view") <= model.max_tokens < model.count_tokens("a b " * 60)


# One training step


def one_step(model: StableDiffusion, negative: str, dtype: torch.dtype) -> tuple[float, torch.Tensor, torch.Tensor]:
    texts = ["a cat", "a red dog"]
    pictures = torch.rand(2, 3, 6, 6, generator=seeded(1)).to(dtype).requires_grad_()
    told = model.get_text_embeds([negative, negative, *texts])
    loss = model.train_step(told, pictures, 7.5, generator=seeded())
    loss.backward()
    return loss.item(), pictures.grad, pictures.detach()


def difference(gradient: torch.Tensor, expected: torch.Tensor) -> float:
    """Relative, over the whole gradient."""
    return ((gradient.double() - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize("negative", NEGATIVES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_a_step_is_the_formula(folder, dtype, tolerance, negative):
    model = load(folder).to(dtype)
    loss, gradient, pictures = one_step(model, negative, dtype)
    reference = Step(load_pipeline(folder, torch.float64), 7.5, dtype)
    expected, expected_gradient = reference.run(negative, ["a cat", "a red dog"], pictures, seeded())
    assert loss == pytest.approx(expected, rel=tolerance)
    assert gradient.dtype == dtype
    assert difference(gradient, expected_gradient) < tolerance


def test_saving_memory_changes_no_number(folder):
    usual, frugal = (one_step(load(folder, vram_O=vram_O), "", torch.float32) for vram_O in (False, True))
    assert frugal[0] == pytest.approx(usual[0], rel=1e-5)
    assert difference(frugal[1], usual[1].double()) < 1e-5


# Pictures


@pytest.mark.parametrize("negative", NEGATIVES)
def test_pictures_are_those_of_the_pipeline(folder, negative):
    pipeline = load_pipeline(folder)
    expected = pipeline(
        prompt="a red dog",
        height=16,
        width=24,
        num_inference_steps=4,
        guidance_scale=7.5,
        negative_prompt=negative or None,
        generator=seeded(7),
        output_type="np",
    ).images
    picture = load(folder).prompt_to_img("a red dog", negative, 16, 24, 4, seed=7)
    assert picture.shape == (1, 16, 24, 3)
    np.testing.assert_allclose(picture, expected * 255, atol=0.51)
    assert picture.std() > 1


def test_sizes_that_a_transformer_cannot_cut_into_patches_are_refused(folders):
    with pytest.raises(InputError, match="multiples of 4"):
        load(folders["sd3"]).prompt_to_img("a cat", H=18)


# Picking


def test_each_pipeline_has_its_family():
    assert len({family_of(kind).label for kind in pipelines()}) == len(pipelines()) == 5
    assert family_of("FluxPipeline") is None


def test_parts_are_read_by_the_classes_of_the_pipeline(folder):
    """The names and classes that diffusers wrote into model_index.json are those of the family."""
    index = json.loads((folder / "model_index.json").read_text())
    written = {part: entry[1] for part, entry in index.items() if isinstance(entry, list) and entry[1] is not None}
    del written["scheduler"]
    family = family_of(index["_class_name"])
    known = {part: kind.__name__ for part, kind in family.parts.items() if part in written}
    assert known == written
    assert set(family.parts) - set(written) <= set(family.optional)


def test_encoders_that_do_not_fit_are_refused(folders, tmp_path):
    folder = Path(shutil.copytree(folders["sdxl"], tmp_path / "model"))
    shutil.rmtree(folder / "text_encoder")
    wide = tiny.clip_encoder(diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl.CLIPTextModel, 20)
    wide.save_pretrained(folder / "text_encoder")
    with pytest.raises(InputError, match="text of width 36, but vae and text_encoder give 4 and 40"):
        load(folder)


# Files of some families alone


def shard(folder: Path) -> None:
    """Save T5 in shards, as the real one is."""
    encoder = tiny.T5EncoderModel.from_pretrained(folder / "text_encoder")
    shutil.rmtree(folder / "text_encoder")
    encoder.save_pretrained(folder / "text_encoder", max_shard_size="8KB")


def test_shards_are_read_and_a_missing_one_is_named(folders, tmp_path):
    folder = Path(shutil.copytree(folders["if"], tmp_path / "model"))
    shard(folder)
    shards = sorted((folder / "text_encoder").glob("model-*.safetensors"))
    assert len(shards) > 1
    told, expected = (load(path).get_text_embeds("a cat").embeddings for path in (folder, folders["if"]))
    assert torch.equal(told, expected)
    shards[1].unlink()
    with pytest.raises(InputError, match=f"incomplete: text_encoder/{shards[1].name} is missing"):
        load(folder)


def test_packages_that_only_a_spiece_model_needs_are_named(folders, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(folders["if"], tmp_path / "model"))
    (folder / "tokenizer" / "tokenizer.json").rename(folder / "tokenizer" / "spiece.model")
    monkeypatch.setattr(layout, "_is_installed", lambda _module: False)
    with pytest.raises(InputError, match=r"spiece.model needs two more Python packages.*pip install sentencepiece"):
        load(folder)
