"""Models in one file: read like the same model in a folder, and refused in one line where they cannot be."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from diffusers.loaders.single_file_utils import CHECKPOINT_KEY_NAMES
from transformers import CLIPTokenizer

from core.errors import InputError
from core.guidance import single_file
from core.guidance.loading import load_parts
from core.guidance.stable_diffusion import StableDiffusion
from tests.core.guidance import ldm, tiny_multiview
from tests.core.guidance.conftest import load, seeded, write_tokenizer
from tests.core.guidance.families import tiny

KINDS = ["sd1", "sd2", "sd2-v", "sdxl", "mvdream"]
BUILDERS = {"sd1": "sd", "sd2": "sd", "sd2-v": "sd-v", "sdxl": "sdxl", "mvdream": "sd"}
VERSIONS = {"mvdream": "mvdream"}  # those that have to be asked for
FLOAT, HALF = torch.float32, torch.float16


def write_clip(folder: Path) -> None:
    """The tiny vocabulary with "!", which OpenCLIP pads with, in place of a letter."""
    write_tokenizer(folder)
    vocabulary = (folder / "vocab.json").read_text().replace('"q"', '"!"')
    (folder / "vocab.json").write_text(vocabulary)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """configs/KIND as core/guidance/configs has them but tiny, folders/KIND and files/KIND.safetensors: one model."""
    root = tmp_path_factory.mktemp("shelf")
    (root / "configs").mkdir()
    write_clip(root / "configs" / "clip")
    (root / "files").mkdir()
    for kind in KINDS:
        pipeline = make_pipeline(kind, root / "configs" / "clip")
        pipeline.save_pretrained(root / "folders" / kind)
        if kind == "mvdream":
            make_multiview(pipeline, root / "folders" / kind)
        shutil.copytree(
            root / "folders" / kind, root / "configs" / kind, ignore=shutil.ignore_patterns("*.safetensors")
        )
        state = {name: tensor.contiguous() for name, tensor in in_one(kind, pipeline).items()}
        safetensors.torch.save_file(state, root / "files" / f"{kind}.safetensors")
    return root


def make_pipeline(kind: str, clip: Path):
    torch.manual_seed(KINDS.index(kind))
    pads = [single_file._pad_token(kind, part) for part in ("tokenizer", "tokenizer_2")]
    tokenizers = [CLIPTokenizer.from_pretrained(clip, pad_token=pad) for pad in pads]
    pipeline = tiny.FAMILIES[BUILDERS[kind]](tokenizers[0])
    if kind == "sdxl":
        pipeline.register_modules(tokenizer_2=tokenizers[1])
    return pipeline


def make_multiview(pipeline, folder: Path) -> None:
    """Another UNet, saved in the layout of the folders on the hub."""
    pipeline.unet = tiny_multiview.tiny()
    tiny_multiview.write_public(pipeline.unet, folder)


def in_one(kind: str, pipeline) -> dict[str, torch.Tensor]:
    state = ldm.vae(pipeline.vae)
    if kind == "mvdream":
        state |= {ldm.UNET + name: tensor for name, tensor in tiny_multiview.public_state(pipeline.unet).items()}
    else:
        state |= ldm.unet(pipeline.unet)
    if kind == "sd1":
        return state | ldm.clip(pipeline.text_encoder, "cond_stage_model.transformer.")
    if kind == "sdxl":
        state |= ldm.clip(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        return state | ldm.open_clip(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    if kind == "sd2-v":
        state["model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"] = torch.arange(9.0)
    return state | ldm.open_clip(pipeline.text_encoder, "cond_stage_model.model.")


@pytest.fixture
def tiny_configs(shelf, monkeypatch) -> Path:
    monkeypatch.setattr(single_file, "CONFIGS", shelf / "configs")
    return shelf


@pytest.fixture
def file(tiny_configs, tmp_path) -> Path:
    """A copy to break."""
    return Path(shutil.copy(tiny_configs / "files" / "sd1.safetensors", tmp_path))


def refusal(path: Path, sd_version: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        single_file.load_file(path, sd_version, FLOAT, FLOAT)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


# Reading


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_model_in_the_folder(tiny_configs, kind):
    places = tiny_configs / "files" / f"{kind}.safetensors", tiny_configs / "folders" / kind
    one, other = (load(place, sd_version=VERSIONS.get(kind)) for place in places)
    texts = ["", "a red dog", "cat, view"]
    ring = torch.tensor([0, 1]).repeat_interleave(one.family.ring)
    for here, there in zip(one.get_text_embeds(texts), other.get_text_embeds(texts), strict=True):
        torch.testing.assert_close(here.embeddings, there.embeddings, rtol=0, atol=0)
        torch.testing.assert_close(dict(here.extras), dict(there.extras), rtol=0, atol=0)
    losses = [
        model.train_step(
            model.get_text_embeds(texts[:2])[ring],
            torch.full((one.family.ring, 3, 8, 8), 0.3),
            7.5,
            generator=seeded(),
        ).item()
        for model in (one, other)
    ]
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(*(model.prompt_to_img("a red dog", "cat", steps=2) for model in (one, other)))


def test_a_ckpt_file_is_read_too(tiny_configs, tmp_path):
    source = tiny_configs / "files" / "sd1.safetensors"
    state = safetensors.torch.load_file(source) | {"model_ema.decay": torch.tensor(0.1)}
    for name, zipped in (("new.ckpt", True), ("old.ckpt", False)):
        content = {"state_dict": state, "global_step": 3}
        torch.save(content, tmp_path / name, _use_new_zipfile_serialization=zipped)
        parts = single_file.load_file(tmp_path / name, None, FLOAT, FLOAT)
        expected = load_parts(tiny_configs / "folders" / "sd1", FLOAT, FLOAT)
        for key, tensor in expected.unet.state_dict().items():
            assert torch.equal(parts.unet.state_dict()[key], tensor)


def test_precision_goes_to_the_parts(tiny_configs):
    parts = single_file.load_file(tiny_configs / "files" / "sdxl.safetensors", None, HALF, FLOAT)
    assert (parts.unet.dtype, parts.vae.dtype) == (HALF, FLOAT)  # this autoencoder overflows in half precision
    assert {encoder.dtype for encoder in parts.text.encoders} == {FLOAT}
    assert not any(parameter.requires_grad for parameter in parts.unet.parameters())


# Which model it is


@pytest.mark.parametrize(
    ("kind", "sd_version", "expected"),
    [
        ("sd1", None, "epsilon"),
        ("sd1", "1.5", "epsilon"),
        ("sd2", None, "epsilon"),
        ("sd2", "2.1", "epsilon"),
        ("sd2", "2.1-v", "v_prediction"),
        ("sd2-v", None, "v_prediction"),
        ("sd2-v", "2.1-v", "v_prediction"),
        ("sd2-v", "2.0", "epsilon"),
        ("sdxl", "xl", "epsilon"),
        ("mvdream", "mvdream", "epsilon"),
    ],
)
def test_the_prediction_follows_the_file_and_what_is_asked_for(tiny_configs, kind, sd_version, expected):
    parts = single_file.load_file(tiny_configs / "files" / f"{kind}.safetensors", sd_version, FLOAT, FLOAT)
    assert parts.scheduler.config.prediction_type == expected


@pytest.mark.parametrize(
    ("kind", "asked", "is_"),
    [
        ("sd1", "xl", "Stable Diffusion 1.5"),
        ("sd1", "2.1", "Stable Diffusion 1.5"),
        ("sd2", "1.5", "Stable Diffusion 2.1"),
        ("sd2", "mvdream", "Stable Diffusion 2.1"),
        ("sdxl", "if", "Stable Diffusion xl"),
        ("mvdream", "2.1", "MVDream"),
    ],
)
def test_another_model_than_the_one_asked_for_is_refused(tiny_configs, kind, asked, is_):
    line = refusal(tiny_configs / "files" / f"{kind}.safetensors", asked)
    assert f"holds {is_}, not the {asked} asked for" in line


def test_mvdream_has_to_be_asked_for_since_its_jobs_have_other_settings(tiny_configs):
    assert "add --sd_version mvdream" in refusal(tiny_configs / "files" / "mvdream.safetensors")


def test_mvdreams_own_pt_file_is_read(tiny_configs, tmp_path):
    """A plain dictionary with the numbers of its noise schedule among the weights."""
    state = safetensors.torch.load_file(tiny_configs / "files" / "mvdream.safetensors")
    torch.save(state | {"betas": torch.zeros(1000)}, tmp_path / "sd-v2.1-base-4view.pt")
    model = load(tmp_path / "sd-v2.1-base-4view.pt", sd_version="mvdream")
    expected = load(tiny_configs / "folders" / "mvdream", sd_version="mvdream")
    for name, tensor in expected.unet.state_dict().items():
        assert torch.equal(model.unet.state_dict()[name], tensor), name
    assert model.family.label == "MVDream"


@pytest.mark.parametrize(
    "tensors",
    [
        {"model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias": torch.zeros(3)},  # SD 3
        {"lora_te_text_model_encoder_layers_0_mlp_fc1.alpha": torch.zeros(1)},
        {"conditioner.embedders.0.model.positional_embedding": torch.zeros(3, 3)},  # the refiner of SDXL
    ],
)
def test_files_that_hold_something_else_are_refused(tmp_path, tensors):
    safetensors.torch.save_file(tensors, tmp_path / "other.safetensors")
    assert "holds no whole Stable Diffusion 1.x, 2.x or XL" in refusal(tmp_path / "other.safetensors")


def test_a_model_for_inpainting_is_refused(file):
    state = safetensors.torch.load_file(file)
    name = "model.diffusion_model.input_blocks.0.0.weight"
    safetensors.torch.save_file(state | {name: state[name].repeat(1, 3, 1, 1)[:, :9].contiguous()}, file)
    assert "that makes pictures from text" in refusal(file)


def test_a_relative_of_mvdream_that_wants_a_picture_is_refused(tiny_configs, tmp_path):
    state = safetensors.torch.load_file(tiny_configs / "files" / "mvdream.safetensors")
    state["model.diffusion_model.image_embed.latents"] = torch.zeros(1, 4, 8)  # ImageDream
    safetensors.torch.save_file(state, tmp_path / "imagedream.safetensors")
    assert "that makes pictures from text" in refusal(tmp_path / "imagedream.safetensors", "mvdream")


# Broken and hostile files


@pytest.mark.parametrize("kept", [0, 5, 0.5])
def test_a_truncated_file_is_named(file, kept):
    data = file.read_bytes()
    file.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    assert "is broken" in refusal(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_pickle_is_named(tmp_path, zipped):
    path = tmp_path / "model.pt"
    torch.save({"a": torch.zeros(5000)}, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[:9000])
    assert "is broken" in refusal(path)


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("how", ["zip", "old", "bare"])
def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path, how):
    path, trap = tmp_path / "model.ckpt", tmp_path / "trap"
    content = {"state_dict": {"a": torch.zeros(3)}, "callbacks": Hostile(trap)}
    if how == "bare":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    assert "holds more than weights, which could run a stranger's code" in refusal(path)
    assert not trap.exists()


def test_a_file_without_tensors(tmp_path):
    torch.save([1, 2], tmp_path / "list.ckpt")
    assert "holds no weights" in refusal(tmp_path / "list.ckpt")


@pytest.mark.parametrize(
    "name",
    [
        "model.diffusion_model.out.2.bias",
        "first_stage_model.decoder.conv_out.weight",
        "cond_stage_model.transformer.text_model.final_layer_norm.weight",
    ],
)
def test_weights_that_are_missing_are_named(file, name):
    state = safetensors.torch.load_file(file)
    del state[name]
    safetensors.torch.save_file(state, file)
    line = refusal(file)
    assert "lacks the weights of" in line or "cannot be read" in line


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_a_lack_of_memory_is_not_taken_for_a_broken_file(file, monkeypatch, error):
    """core.device.memory_errors then names the options that need less."""

    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(single_file, "create_diffusers_clip_model_from_ldm", fail)
    with pytest.raises(type(error)):
        single_file.load_file(file, None, FLOAT, FLOAT)


def test_text_encoders_bear_the_names_of_real_files(shelf):
    for kind, names in {
        "sd1": ["clip"],
        "sd2": ["open_clip"],
        "sdxl": ["clip_sdxl", "open_clip_sdxl"],
    }.items():
        state = safetensors.torch.load_file(shelf / "files" / f"{kind}.safetensors")
        assert all(CHECKPOINT_KEY_NAMES[name] in state for name in names)


def test_the_class_takes_a_file_by_its_name(tiny_configs):
    model = StableDiffusion("cpu", False, False, hf_key=str(tiny_configs / "files" / "sdxl.safetensors"))
    assert model.family.label == "Stable Diffusion XL"


def test_an_outline_of_a_file_weighs_what_its_model_weighs(file):
    real, outline = (
        read(file, None, torch.float32, torch.float32) for read in (single_file.load_file, single_file.outline_file)
    )
    for part, its_outline in ((real.unet, outline.unet), (real.vae, outline.vae)):
        assert [tensor.shape for tensor in part.parameters()] == [tensor.shape for tensor in its_outline.parameters()]
        assert {tensor.device.type for tensor in its_outline.parameters()} == {"meta"}
