"""The forecast of memory against what real steps on a CPU allocate, and the line that a user reads."""

from __future__ import annotations

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
from core.memory import size_of
from core.train import Trainer
from tests.core.guidance.conftest import load

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def job(folder, render=None, **guidance) -> Config:
    config = preset("draft", "a cat", "sd")
    config = override(config, field={"log2_entries": 14}, render={"occupancy_resolution": 16, **(render or {})})
    return override(config, guidance={"hf_key": str(folder), **guidance})


def allocated(config: Config) -> int:
    """Bytes that the first step of real training has at its peak, as torch's profiler sees the allocator."""
    trainer = Trainer(config, make_guidance(config, CPU, pytest.fail), CPU)
    before = size_of(trainer.field)
    trainer.occupancy.update(trainer.field.density, 0, trainer.generator)
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
