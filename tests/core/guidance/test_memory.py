"""The forecast of memory against what real steps on a CPU allocate, and the line that a user reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from core.config import Config, override, preset
from core.device import GIB
from core.errors import InputError
from core.guidance import make_guidance, memory
from core.guidance.loading import outline_parts
from core.guidance.memory import META, memory_needed, step_memory
from core.guidance.stable_diffusion import StableDiffusion
from core.memory import PeakMemory, size_of
from core.train import Trainer
from tests.core.guidance.conftest import load

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def job(folder, render=None, **guidance) -> Config:
    config = preset("draft", "a cat", "sd")
    config = override(config, field={"log2_entries": 14}, render={"occupancy_resolution": 16, **(render or {})})
    return override(config, guidance={"hf_key": str(folder), **guidance})


def standing(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of parameters, gradients and running means between two steps."""
    tensors = [p for group in optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in tensors if p.grad is not None]
    means = [mean for state in optimizer.state.values() for mean in state.values()]
    return sum(tensor.nbytes for tensor in (*tensors, *gradients, *means))


def allocated(config: Config) -> int:
    """Bytes that the second step of real training has at its peak, as torch's profiler sees the allocator."""
    trainer = Trainer(config, make_guidance(config, CPU, lambda _text: None), CPU)
    trainer.iterate()
    learned = trainer.guidance.learned
    before = standing(trainer.optimizer) + (0 if learned is None else standing(learned.optimizer))
    before += sum(buffer.nbytes for buffer in trainer.field.buffers())
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        trainer.iterate()
    now = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return before + peak


@pytest.mark.parametrize("render", [{"resolution": 16, "samples": 64}, {"resolution": 32, "samples": 48}])
def test_the_forecast_of_a_step_is_near_what_it_takes(plain_model, render):
    config = job(plain_model, render)
    outline = StableDiffusion.from_parts(outline_parts(plain_model, torch.float32, torch.float32), META)
    assert step_memory(config, outline) == pytest.approx(allocated(config), rel=0.25)


@pytest.fixture(scope="module")
def large_model(plain_model, tmp_path_factory) -> Path:
    """The same networks for pictures of 64 x 64, in one tile, so that the UNet needs more than all else."""
    folder = Path(shutil.copytree(plain_model, tmp_path_factory.mktemp("models") / "large"))
    for part, size in (("unet", 32), ("vae", 64)):
        path = folder / part / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"sample_size": size}))
    return folder


def forecast(folder: Path, vram_O: bool, **distillation) -> tuple[Config, int]:
    config = job(folder, {"resolution": 8, "samples": 8}, vram_O=vram_O)
    config = override(config, field={"levels": 2, "log2_entries": 8, "hidden": 8}, distillation=distillation)
    parts = outline_parts(folder, torch.float32, torch.float32)
    return config, step_memory(config, StableDiffusion.from_parts(parts, META, vram_O))


@pytest.fixture(scope="module")
def plain_forecast(large_model) -> int:
    return forecast(large_model, vram_O=False)[1]


@pytest.mark.parametrize(
    ("distillation", "share"),
    [
        ({"draws": 3}, 1.0),
        ({"perpneg": True}, 1.4),
        ({"method": "ism"}, 1.0),
        ({"method": "sdi"}, 1.0),
        ({"method": "vsd"}, 2.1),
    ],
    ids=str,
)
def test_every_distillation_is_foreseen(large_model, plain_forecast, distillation, share):
    """Perp-Neg hears twice as many texts at once; VSD learns, so what its UNet computed is kept for backward()."""
    config, needed = forecast(large_model, vram_O=False, **distillation)
    assert needed == pytest.approx(allocated(config), rel=0.1)
    assert needed / plain_forecast == pytest.approx(share, rel=0.1)


def test_what_vram_O_saves_is_foreseen(large_model, plain_forecast):
    """Against a real step's tensors: the profiler sees .8 MB more, a fixed scratch of the CPU's attention kernel."""
    config, needed = forecast(large_model, vram_O=True)
    trainer = Trainer(config, make_guidance(config, CPU, lambda _text: None), CPU)
    trainer.iterate()
    with PeakMemory() as step:
        trainer.iterate()
    assert needed == pytest.approx(standing(trainer.optimizer) + step.peak, rel=0.1)
    assert needed < plain_forecast / 2


@pytest.mark.parametrize("folder", ["plain_model", "camera_model"])
def test_an_outline_weighs_what_the_model_weighs(folder, request):
    folder = request.getfixturevalue(folder)
    real = load(folder)
    for dtype, share in ((torch.float32, 1), (torch.float16, 2)):
        outline = outline_parts(folder, dtype, dtype)
        assert size_of(outline.unet) == size_of(real.unet) / share
        assert outline.unet.device == META


def test_less_is_needed_with_smaller_settings(plain_model, monkeypatch):
    monkeypatch.setattr(memory, "CUDA_CONTEXT", 0)

    def needed(render=None, **guidance) -> int:
        return memory_needed(job(plain_model, render, **guidance), plain_model, CUDA)

    usual = needed({"resolution": 8, "samples": 8})
    assert needed({"resolution": 8, "samples": 8}, fp16=True) < usual
    assert usual < needed({"resolution": 16, "samples": 8}) < needed({"resolution": 16, "samples": 16})


def test_a_job_that_does_not_fit_is_told_so_before_anything_is_read(plain_model, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _device: GIB // 100)
    monkeypatch.setattr(memory, "memory_needed", lambda *_: 7.25 * GIB)
    said = []
    memory.warn_of_memory(job(plain_model), CPU, said.append)
    assert said == [
        "This needs about 7.2 GiB of memory, and 0.0 GiB are free (cpu): if it fails, start again with --vram_O."
    ]
    monkeypatch.undo()
    memory.warn_of_memory(job(plain_model, {"resolution": 8}), CPU, pytest.fail)


def test_mistakes_are_told_as_they_are_when_the_model_is_read(tmp_path):
    with pytest.raises(InputError, match="neither a folder, a file nor a hub name"):
        memory.warn_of_memory(job(tmp_path / "nothing"), CPU, print)
    with pytest.raises(InputError, match=r"model_index\.json is missing"):
        memory.warn_of_memory(job(tmp_path), CPU, print)
