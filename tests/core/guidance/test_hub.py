"""Downloads from a hub on this computer, and what can go wrong with them: one clear line each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import safetensors.torch
import torch
from huggingface_hub.errors import HTTPError

from core.__main__ import main
from core.errors import Cancelled, DreamFusionError, InputError
from core.guidance import hub
from core.guidance.families import family_of
from core.guidance.loading import load_parts
from tests.core.guidance import hub_server
from tests.core.guidance.families import tiny

NAME = "some/model"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def server(tmp_path, plain_model, monkeypatch) -> Iterator[hub_server.Hub]:
    """Holds some/model; downloads go to a folder of the test."""
    shutil.copytree(plain_model, tmp_path / "hub" / NAME)
    (tmp_path / "hub" / NAME / "README.md").write_text("not needed")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with hub_server.running(tmp_path / "hub") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def refusal(kind: type[DreamFusionError], name: str = NAME) -> str:
    with pytest.raises(DreamFusionError) as caught:
        hub.download(name, None, False, print)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == kind.exit_code
    return line


def add_half(folder: Path, keep: bool) -> None:
    """Weights in half precision, beside the others or instead of them."""
    for path in list(folder.rglob("*.safetensors")):
        tensors = {name: tensor.half() for name, tensor in safetensors.torch.load_file(path).items()}
        safetensors.torch.save_file(tensors, path.with_suffix(".fp16.safetensors"), metadata={"format": "pt"})
        if not keep:
            path.unlink()


def test_a_model_is_downloaded_once_and_only_what_is_needed(server, plain_model, monkeypatch):
    said: list[str] = []
    folder = hub.download(NAME, None, False, said.append)
    files = {file.rsplit("@", 1)[0] for file in server.served}
    there = {path.relative_to(plain_model).as_posix() for path in plain_model.rglob("*") if path.is_file()}
    assert files == there
    size = sum((plain_model / name).stat().st_size for name in there - {"model_index.json"})
    cache = huggingface_hub.constants.HF_HUB_CACHE
    assert said == [f"Downloading {NAME} once: {size / 1e9:.2f} GB to {cache}."]
    expected = load_parts(plain_model, torch.float32, torch.float32).unet.conv_in.weight
    assert torch.equal(load_parts(folder, torch.float32, torch.float32).unet.conv_in.weight, expected)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert hub.download(NAME, None, False, said.append) == folder
    assert len(said) == 1


@pytest.mark.parametrize(
    ("fp16", "both", "expected"), [(True, True, True), (False, True, False), (True, False, True), (False, False, True)]
)
def test_the_wanted_precision_comes_or_the_other(server, fp16, both, expected):
    add_half(server.root / NAME, keep=both)
    folder = hub.download(NAME, None, fp16, print)
    weights = [path.name for path in folder.rglob("*.safetensors")]
    assert len(weights) == 3
    assert all((".fp16." in name) == expected for name in weights)


@pytest.fixture
def impatient(monkeypatch) -> None:
    """The hub library waits a second before each attempt; it counts its attempts from the last byte that came."""
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda _seconds: None)


@pytest.mark.usefixtures("impatient")
def test_a_lost_connection_is_taken_up_where_it_broke(server):
    server.breaks_at[UNET] = 70_000
    folder = hub.download(NAME, None, False, print)
    assert [entry for entry in server.served if UNET in entry] == [f"{UNET}@0", f"{UNET}@70000"]
    assert (folder / UNET).read_bytes() == (server.root / NAME / UNET).read_bytes()


@pytest.mark.usefixtures("impatient")
def test_a_download_that_failed_keeps_the_files_that_are_whole(server):
    server.breaks_at[UNET], server.mends = 70_000, False
    line = refusal(DreamFusionError)
    assert f"Downloading '{NAME}' failed" in line
    assert "try again (whole files are kept)" in line
    (snapshot,) = Path(huggingface_hub.constants.HF_HUB_CACHE).glob("models--*/snapshots/*")
    whole = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()}
    assert whole  # which others were done when it broke off is a matter of chance: they are downloaded side by side
    server.breaks_at.clear()
    server.served.clear()
    folder = hub.download(NAME, None, False, print)
    again = {file.rsplit("@", 1)[0] for file in server.served}
    assert UNET in again
    assert not again & whole
    assert (folder / UNET).read_bytes() == (server.root / NAME / UNET).read_bytes()


def test_without_a_network(server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    line = refusal(DreamFusionError)
    assert f"Cannot reach the hub for {NAME!r}" in line
    assert "--hf_key" in line
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert refusal(DreamFusionError) == line
    assert not server.served


@pytest.mark.parametrize(
    ("pipeline", "asked", "told"),
    [
        ("StableDiffusionPipeline", "xl", "holds Stable Diffusion, not the xl asked for"),
        ("MVDreamPipeline", None, "add --sd_version mvdream"),
    ],
)
def test_another_family_than_the_one_asked_for_is_refused_before_its_weights_come(server, pipeline, asked, told):
    (server.root / NAME / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    with pytest.raises(InputError, match=told):
        hub.download(NAME, asked, False, pytest.fail)
    assert {file.rsplit("@", 1)[0] for file in server.served} == {"model_index.json"}


def test_a_name_that_the_hub_does_not_know(server):
    assert "has no public model 'no/body'" in refusal(InputError, "no/body")
    server.gated.add(NAME)
    assert "asks for consent" in refusal(InputError)


def test_what_is_no_model_is_refused_before_it_is_downloaded(server):
    index = server.root / NAME / "model_index.json"
    index.write_text('{"_class_name": "FluxPipeline"}')
    assert "holds a FluxPipeline" in refusal(InputError)
    assert server.served == ["model_index.json@0"]
    (server.root / "some" / "data").mkdir()
    assert "is no diffusers model" in refusal(InputError, "some/data")


def test_a_disk_without_room(server, monkeypatch):
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1000))
    line = refusal(DreamFusionError)
    assert "has room for 0.00: make room, or set HF_HOME" in line
    assert server.served == ["model_index.json@0"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("error", [HTTPError("connection lost"), OSError(28, "No space left on device")])
def test_what_may_happen_on_the_way(monkeypatch, error):
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.file_download, "http_get", fail)
    line = refusal(DreamFusionError)
    assert str(error) in line
    assert "try again" in line


def test_an_impossible_name(server):
    assert "is neither a folder, a file nor a hub name" in refusal(InputError, "bad name!/x")
    assert not server.served


def test_progress_tells_bytes_speed_and_time_left(monkeypatch):
    said: list[str] = []
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(hub.time, "monotonic", lambda: clock.now)
    progress = hub.Progress(4_000_000_000, said.append)
    meter = progress.meter()
    bytes_bar, other = meter(desc="Reconstructing (incomplete total...)", total=0), meter(desc="Fetching 9 files")
    for clock.now, count in ((101.0, 50_000_000), (105.0, 150_000_000), (115.0, 800_000_000)):
        bytes_bar.update(count)
        other.update(1)
    assert said == [
        "Downloaded 0.20 of 4.00 GB, 40.0 MB/s, 1:35 left.",
        "Downloaded 1.00 of 4.00 GB, 80.0 MB/s, 0:38 left.",
    ]


@pytest.mark.usefixtures("server")
def test_a_download_ends_in_all_threads_where_its_lines_are_not_heard(monkeypatch):
    monkeypatch.setattr(hub, "_SECONDS", 0.0)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    said: list[str] = []

    def cancelled(text: str) -> None:
        said.append(text)
        if text.startswith("Downloaded"):
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        hub.download(NAME, None, False, cancelled)
    assert not list(Path(huggingface_hub.constants.HF_HUB_CACHE).rglob("*.safetensors"))


@pytest.mark.usefixtures("server")
def test_the_real_download_counts_every_byte(monkeypatch):
    counted: list[int] = []
    monkeypatch.setattr(hub.Progress, "add", lambda _self, count: counted.append(count))
    folder = hub.download(NAME, None, False, print)
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert sum(counted) >= sum(sizes.values()) - (folder / "model_index.json").stat().st_size


@pytest.mark.parametrize("name", list(tiny.FAMILIES))
def test_every_family_is_downloaded_whole(name, tmp_path, monkeypatch):
    tiny.write(name, tmp_path / "made")
    shutil.copytree(tmp_path / "made" / "model", tmp_path / "hub" / NAME)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with hub_server.running(tmp_path / "hub") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        folder = hub.download(NAME, None, False, print)
    load_parts(folder, torch.float32, torch.float32)


def test_shards_and_their_index_are_wanted():
    names = [
        "model_index.json",
        "README.md",
        "text_encoder/config.json",
        "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json",
        "text_encoder/model.fp16.safetensors",
        "text_encoder/pytorch_model.bin",
        "tokenizer/spiece.model",
        "tokenizer/tokenizer_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "scheduler/scheduler_config.json",
        "watermarker/diffusion_pytorch_model.safetensors",
    ]
    wanted = hub.wanted_files(family_of("IFPipeline"), {}, names, fp16=False)
    left = {"README.md", "text_encoder/model.fp16.safetensors", "watermarker/diffusion_pytorch_model.safetensors"}
    left |= {"text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.bin"}
    left.add("unet/diffusion_pytorch_model.non_ema.safetensors")
    assert set(wanted) == set(names) - left
    assert "text_encoder/model.fp16.safetensors" in hub.wanted_files(family_of("IFPipeline"), {}, names, fp16=True)


def test_the_command_line_downloads_from_the_mirror(server, tmp_path, capsys):
    picture = tmp_path / "cat.png"
    assert main(["image", "a cat", "--hf_key", NAME, "--steps", "1", "--device", "cpu", "--out", str(picture)]) == 0
    assert server.served
    assert f"Downloading {NAME} once: 0.00 GB to {tmp_path / 'cache'}." in capsys.readouterr().err
    assert picture.stat().st_size > 0
