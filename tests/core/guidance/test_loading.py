"""Models that load, and models that cannot: one clear line each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import safetensors.torch
import torch
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HTTPError, RepositoryNotFoundError

from core.errors import DreamFusionError, InputError
from core.guidance import loading, sources
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


def test_a_folder_is_taken_as_it_is(plain_model):
    assert sources.model_folder(hf_key=str(plain_model)) == plain_model


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


# The hub


def test_an_unknown_version():
    with pytest.raises(InputError, match=r"Unknown sd_version '3': choose one of 1.5, 2.0, 2.1."):
        sources.model_folder("3")


@pytest.mark.parametrize("key", ["/no/such/folder", "./model", "~/model", "a/b/c", "model", "bad name!/x"])
def test_a_key_that_can_be_neither_folder_nor_name(key):
    with pytest.raises(InputError, match="is neither a folder nor a hub name such as"):
        sources.model_folder(hf_key=key)


@pytest.mark.parametrize("options", [{"hf_key": "nobody/nothing"}, {"sd_version": "1.5"}])
def test_without_a_network(monkeypatch, tmp_path, options):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DreamFusionError, match=r"Cannot reach the hub for .*--hf_key a folder.*HF_ENDPOINT") as caught:
        sources.model_folder(**options)
    assert caught.value.exit_code == 1  # nothing that was given is wrong


def hub_error(kind: type[HfHubHTTPError]) -> HfHubHTTPError:
    return kind("first line\nsecond", response=SimpleNamespace(headers={}, request=None))


@pytest.mark.parametrize(
    ("error", "exit_code", "expected"),
    [
        (hub_error(RepositoryNotFoundError), 2, "The hub has no public model 'some/model'"),
        (hub_error(GatedRepoError), 2, "asks for consent"),
        (hub_error(HfHubHTTPError), 1, r"Downloading 'some/model' failed \(first line\)"),
        (HTTPError("connection lost"), 1, "connection lost"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
    ],
)
def test_what_the_hub_may_answer(monkeypatch, tmp_path, error, exit_code, expected):
    def fail(*_args: object, **_options: object) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    said = []
    with pytest.raises(DreamFusionError, match=expected) as caught:
        sources.model_folder(hf_key="some/model", say=said.append)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == exit_code
    assert said == ["Downloading some/model: several gigabytes, once."]


class FakeHub:
    """Answers snapshot_download from a folder that has the files of one variant."""

    def __init__(self, source: Path, target: Path, variant: str) -> None:
        self.source, self.target, self.variant = source, target, variant
        self.asked: list[str] = []

    def snapshot_download(self, _name: str, allow_patterns: list[str]) -> str:
        self.asked += allow_patterns
        for pattern in allow_patterns:
            if pattern.endswith(".safetensors") and (".fp16" in pattern) != bool(self.variant):
                continue
            for path in self.source.glob(pattern.replace(".fp16", "")):
                target = self.target / path.relative_to(self.source).parent / path.name
                if path.suffix == ".safetensors":
                    target = target.with_name(path.stem + self.variant + path.suffix)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        return str(self.target)


@pytest.mark.parametrize(("fp16", "there"), [(False, ""), (True, ".fp16"), (True, ""), (False, ".fp16")])
def test_a_download_brings_the_wanted_files_or_the_others(monkeypatch, plain_model, tmp_path, fp16, there):
    hub = FakeHub(plain_model, tmp_path / "cache", there)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    folder = sources.model_folder(hf_key="some/model", fp16=fp16, say=print)
    parts = loading.load_parts(folder, FLOAT, FLOAT)
    assert parts.unet.dtype == FLOAT
    wanted = ".fp16" if fp16 else ""
    names = {f"unet/diffusion_pytorch_model{variant}.safetensors" for variant in {wanted, there}}
    assert names == {name for name in hub.asked if name.startswith("unet/diff")}


def test_models_found(monkeypatch, tmp_path, model):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "STARTER_FOLDER", model)
    found = sources.models_found()
    assert found["starter"] == str(model)
    assert found["Stable Diffusion 2.1"].endswith("not downloaded")
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    assert "unet/diffusion_pytorch_model.safetensors is missing" in sources.models_found()["starter"]
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(model / "model_index.json"))
    assert "is incomplete" in sources.models_found()["Stable Diffusion 2.1"]
