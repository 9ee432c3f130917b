"""Models that load, and models that cannot: one clear line each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from core.errors import InputError
from core.guidance import loading
from tests.core.guidance.conftest import TEXT_WIDTH, tiny_unet

FLOAT, HALF = torch.float32, torch.float16


@pytest.fixture
def model(plain_model, tmp_path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(plain_model, tmp_path / "model"))


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        loading.load_parts(folder, FLOAT, FLOAT)
    line = str(caught.value)
    assert "\n" not in line
    return line


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# Folders


def test_a_folder_that_holds_no_model(tmp_path):
    assert refusal(tmp_path) == f"{tmp_path} holds no diffusers model: model_index.json is missing."


def test_another_kind_of_model(model):
    change_json(model / "model_index.json", _class_name="FluxPipeline")
    assert "holds a FluxPipeline, but only these can guide: StableDiffusionPipeline, " in refusal(model)


@pytest.mark.parametrize(
    "name",
    [
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "unet/config.json",
        "scheduler/scheduler_config.json",
        "tokenizer/tokenizer_config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
    ],
)
def test_a_missing_file_is_named(model, name):
    (model / name).unlink()
    assert refusal(model) == f"The model in {model} is incomplete: {name} is missing."


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("kept", [0, 5, 0.5])
def test_truncated_weights_are_named(model, part, kept):
    path = next((model / part).glob("*.safetensors"))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    assert f"{path} is broken" in refusal(model)


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
@pytest.mark.parametrize("content", ["{", "[]", "\0\xff"])
def test_garbled_settings_are_named(model, name, content):
    (model / name).write_text(content, encoding="latin-1")
    assert f"{model / name} is broken" in refusal(model)


@pytest.mark.parametrize("content", ['{"a": ', '{"a": "b"}'])
def test_a_garbled_vocabulary_is_named(model, content):
    (model / "tokenizer" / "vocab.json").write_text(content)
    assert f"{model / 'tokenizer'} cannot be read" in refusal(model)


def test_weights_of_another_shape(model):
    change_json(model / "unet" / "config.json", block_out_channels=[8, 32])
    assert f"{model / 'unet'} cannot be read" in refusal(model)


def test_weights_that_lack_a_tensor(model):
    path = model / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = safetensors.torch.load_file(path)
    del tensors["conv_in.bias"]
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    assert refusal(model) == f"{model / 'unet'} lacks the weights of conv_in.bias: fetch the model again."


def test_pickled_weights_are_not_read(model):
    path = model / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(safetensors.torch.load_file(path), path.with_suffix(".bin"))
    path.unlink()
    assert "diffusion_pytorch_model.safetensors is missing" in refusal(model)


def test_parts_that_do_not_fit(model):
    shutil.rmtree(model / "unet")
    unet = tiny_unet(camera=False)
    wider = type(unet).from_config(dict(unet.config) | {"cross_attention_dim": 2 * TEXT_WIDTH})
    wider.save_pretrained(model / "unet")
    assert f"takes 4 channels and text of width {2 * TEXT_WIDTH}" in refusal(model)


def test_a_prediction_that_is_not_known(model):
    change_json(model / "scheduler" / "scheduler_config.json", prediction_type="sample")
    assert "predicts 'sample': only epsilon and v_prediction work" in refusal(model)


def test_a_noise_that_is_not_known(model):
    change_json(model / "scheduler" / "scheduler_config.json", _class_name="EDMDPMSolverMultistepScheduler")
    assert "was trained with EDM's noise (EDMDPMSolverMultistepScheduler)" in refusal(model)


# Precision


def test_an_autoencoder_that_overflows_stays_in_full_precision(model):
    parts = loading.load_parts(model, HALF, HALF)
    assert (parts.unet.dtype, parts.text.encoders[0].dtype, parts.vae.dtype) == (HALF, HALF, FLOAT)
    assert loading.load_parts(model, torch.bfloat16, FLOAT).vae.dtype == torch.bfloat16  # which does not overflow
    change_json(model / "vae" / "config.json", force_upcast=False)
    assert loading.load_parts(model, HALF, HALF).vae.dtype == HALF


@pytest.mark.parametrize("dtype", [FLOAT, HALF])
def test_the_files_of_the_wanted_precision_are_read(model, dtype):
    """Both variants lie there, told apart by one bias."""
    for path in model.rglob("*.safetensors"):
        tensors = {name: torch.full_like(tensor, 2.0) for name, tensor in safetensors.torch.load_file(path).items()}
        half = path.with_suffix(".fp16.safetensors")
        safetensors.torch.save_file({name: t.half() for name, t in tensors.items()}, half, metadata={"format": "pt"})
    unet = loading.load_parts(model, dtype, dtype).unet
    assert unet.dtype == dtype
    assert (unet.conv_in.bias[0].item() == 2.0) == (dtype == HALF)


def test_the_other_precision_will_do(model):
    expected = loading.load_parts(model, FLOAT, FLOAT).unet.conv_in.weight
    for path in model.rglob("*.safetensors"):
        tensors = {name: tensor.half() for name, tensor in safetensors.torch.load_file(path).items()}
        safetensors.torch.save_file(tensors, path.with_suffix(".fp16.safetensors"), metadata={"format": "pt"})
        path.unlink()
    parts = loading.load_parts(model, FLOAT, FLOAT)
    assert parts.unet.dtype == parts.text.encoders[0].dtype == FLOAT
    assert torch.equal(parts.unet.conv_in.weight, expected.half().float())
