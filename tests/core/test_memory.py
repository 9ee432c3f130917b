"""The counted peak of memory against sums done by hand, torch's own profiler, and what attention really allocates."""

from __future__ import annotations

import psutil
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from core.memory import PeakMemory, free_memory, fused_attention, size_of

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize("device", [CPU, META], ids=str)
def test_bytes_of_a_few_operations(device):
    outside = torch.zeros(1000, device=device)
    with PeakMemory() as memory:
        first = outside + 1  # 4000 bytes
        view = first.view(10, 100)[2:]  # none
        first.mul_(2)  # none
        second = torch.cat([first, first]).double()  # 8000, freed at once, and 16000
        assert (memory.bytes, memory.peak) == (20_000, 28_000)
        del first
        assert memory.bytes == 20_000  # the view keeps it
        del view, second
        assert (memory.bytes, memory.peak) == (0, 28_000)


def network(device: torch.device) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1)]
    for _ in range(4):
        layers += [nn.GroupNorm(4, 16), nn.SiLU(), nn.Conv2d(16, 16, 3, padding=1)]
    return nn.Sequential(*layers).to(device)


def step(model: nn.Module, pictures: torch.Tensor) -> None:
    model(pictures).square().sum().backward()


def test_a_training_step_on_no_device_has_the_peak_of_a_real_one():
    """torch's profiler sees the allocator itself, so also what kernels take for themselves: the band is 5 %."""
    counted = PeakMemory()
    model, pictures = network(META), torch.zeros(4, 3, 64, 64, device=META)
    with counted:
        step(model, pictures)
    model, pictures = network(CPU), torch.zeros(4, 3, 64, 64)
    step(model, pictures)  # the first time libraries set themselves up
    model.zero_grad()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step(model, pictures)
    now = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    assert counted.peak == pytest.approx(peak, rel=0.05)


def test_attention_on_no_device_allocates_as_a_fused_kernel():
    """(2, 1, 512, 8) numbers of 4 bytes: the result alone, not the 512 x 512 weights; and three gradients backwards."""
    query, key, value = (torch.zeros(2, 1, 512, 8, device=META, requires_grad=True) for _ in range(3))
    size = 2 * 512 * 8 * 4
    with fused_attention(), PeakMemory() as memory:
        result = F.scaled_dot_product_attention(query, key, value=value)
        assert (result.shape, memory.peak) == (query.shape, size)
        result.backward(torch.zeros_like(result))
        assert memory.bytes == 4 * size  # the result and the gradients of the three
    weights = torch.zeros(1, 2, 4, device=META)
    with PeakMemory() as memory:
        F.scaled_dot_product_attention(weights, weights, weights)
    assert F.scaled_dot_product_attention.__module__ != "core.memory"


def test_bytes_of_a_module():
    model = nn.Sequential(nn.Linear(10, 20), nn.BatchNorm1d(20)).half()
    assert size_of(model) == 2 * (220 + 4 * 20) + 8  # weights and statistics; a counter of 64 bits


def test_free_memory_of_a_processor_is_the_computers():
    assert 0 < free_memory(CPU) <= psutil.virtual_memory().total


def test_free_memory_of_other_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (3 << 30, 8 << 30))
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 10 << 30)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 4 << 30)
    assert free_memory(torch.device("cuda")) == 3 << 30
    assert free_memory(torch.device("mps")) == 6 << 30
