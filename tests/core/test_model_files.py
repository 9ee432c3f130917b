"""Which model a folder, a file or a name is, told by its files alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import huggingface_hub.constants
import pytest
import safetensors.torch
import torch

from core import model_files
from core.model_files import MARKS, UNET_MARK, hub_cache, is_multiview


def make_folder(folder: Path, pipeline: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return folder


def make_file(path: Path, *names: str, zipped: bool = True) -> str:
    tensors = {name: torch.zeros(2) for name in names}
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    return str(path)


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_mvdream_in_a_folder(tmp_path):
    assert is_multiview(str(make_folder(tmp_path / "mvdream", "MVDreamPipeline")))
    assert not is_multiview(str(make_folder(tmp_path / "plain", "StableDiffusionPipeline")))


def test_mvdream_that_was_downloaded(hub):
    assert not is_multiview("some/mvdream"), "not yet"
    folder = hub / "models--some--mvdream"
    make_folder(folder / "snapshots" / "abc", "MVDreamPipeline")
    assert not is_multiview("some/mvdream"), "not whole"
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc\n")
    assert is_multiview("some/mvdream")
    assert not is_multiview("other/mvdream")


@pytest.mark.parametrize("suffix", model_files.SUFFIXES)
@pytest.mark.parametrize(("kind", "expected"), [(kind, kind == "mvdream") for kind in MARKS])
def test_mvdream_in_a_file(tmp_path, suffix, kind, expected):
    """MVDream's own file has the text encoder of Stable Diffusion 2 too."""
    names = {UNET_MARK, MARKS["sd2"], MARKS[kind]} if expected else {UNET_MARK, MARKS[kind]}
    path = make_file((tmp_path / "model").with_suffix(suffix), *names)
    assert model_files.kind_in(Path(path)) == kind
    assert is_multiview(path) == expected


DEEP = b"[" * 100_000
DAMAGED = [b"", b"{", DEEP, len(DEEP).to_bytes(8, "little") + DEEP]
DAMAGED += [b"\xff" * 40, b"PK\x05\x06" + bytes(18), b"\x02" + bytes(7) + b"[]"]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("name", ["model.safetensors", "model.pt", "model.ckpt", "model/model_index.json"])
def test_what_is_damaged_is_none(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert not is_multiview(str(path.parent if path.suffix == ".json" else path))


def test_a_home_that_is_nobodys_is_no_model():
    assert not is_multiview("~nobody-has-this-name/model")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_is_encrypted_or_compressed_tells_nothing(tmp_path, method):
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("model/data.pkl", MARKS["mvdream"])
    data = bytearray(path.read_bytes())
    if method == zipfile.ZIP_STORED:
        assert is_multiview(str(path)), "as it is"
        for mark, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            data[data.index(mark) + flags] |= 1  # encrypted
    path.write_bytes(data)
    assert not is_multiview(str(path))


def test_a_pickle_of_the_old_format_tells_nothing(tmp_path):
    path = make_file(tmp_path / "old.pt", MARKS["mvdream"], zipped=False)
    assert model_files.kind_in(Path(path)) is None


def test_no_code_of_a_pickle_runs(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trap"),)

    torch.save({MARKS["mvdream"]: torch.zeros(1), "more": Hostile()}, tmp_path / "model.pt")
    assert is_multiview(str(tmp_path / "model.pt"))
    assert not (tmp_path / "trap").exists()


def test_it_needs_no_package(tmp_path):
    """The command line answers before torch is there, and Blender's Python has none of it."""
    shutil.copy(model_files.__file__, tmp_path)
    subprocess.run([sys.executable, "-I", "-S", str(tmp_path / "model_files.py")], check=True)


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
    assert hub_cache(environment) == Path(cache)


def test_the_cache_is_where_huggingface_hub_has_it():
    assert hub_cache(os.environ) == Path(huggingface_hub.constants.HF_HUB_CACHE)
