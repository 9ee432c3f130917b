"""Compiled networks compute the same; where there is no compiler, one line says so and nothing else changes."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from core.camera import orbit_views
from core.config import DistillationConfig, GuidanceConfig
from core.guidance.compiled import compile_or_leave
from core.guidance.text_guidance import TextGuidance, quicken
from tests.core.guidance import tiny_multiview
from tests.core.guidance.conftest import load, seeded

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")


@pytest.fixture
def network() -> nn.Module:
    torch._dynamo.reset()
    return nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 2))


def value_and_gradient(model: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.linspace(-1, 1, 12).view(3, 4).requires_grad_()
    y = model(x)
    return y.detach(), torch.autograd.grad(y.square().sum(), x)[0]


def test_a_compiled_network_computes_the_same(network, monkeypatch):
    """With a backend that traces as --compile does, but needs no C++ compiler."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, _inputs: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    expected, said = value_and_gradient(network), []
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    compile_or_leave(network, "UNet", said.append)
    for _ in range(2):
        torch.testing.assert_close(value_and_gradient(network), expected)
    assert (len(graphs), said) == (1, [])


def test_without_a_compiler_it_runs_as_before_and_says_so_once(network, monkeypatch):
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/nowhere/c++",))
    monkeypatch.setattr("torch._inductor.config.fx_graph_cache", False)
    expected, said = value_and_gradient(network), []
    compile_or_leave(network, "UNet", said.append)
    for _ in range(2):
        torch.testing.assert_close(value_and_gradient(network), expected)
    assert len(said) == 1
    assert said[0].startswith("Cannot compile the UNet on this machine (")
    assert said[0].endswith("it runs without --compile.")
    assert "\n" not in said[0]


Numbers = list[tuple[float, float]]


def train(folder: Path, compiled: bool, vram_O: bool, **distillation) -> tuple[Numbers, list[str]]:
    """Loss and length of the pictures' gradient in three steps of a job, and the lines that were said."""
    model, said = load(folder, vram_O=vram_O, sd_version="mvdream" if folder.name == "mvdream" else None), []
    quicken(model, compiled, said.append)
    guidance = TextGuidance(
        model, GuidanceConfig(), "a cat", say=said.append, distillation=DistillationConfig(**distillation)
    )
    generator, numbers = seeded(), []
    for step in range(3):
        views = orbit_views(guidance.ring, 20.0 + step, 3.0, 40.0)
        pictures = torch.rand(guidance.ring, 3, 16, 16, generator=seeded(step)).requires_grad_()
        loss = guidance.loss(pictures, views, step / 3, generator)
        loss.backward()
        numbers.append((loss.item(), pictures.grad.norm().item()))
    return numbers, said


@pytest.fixture
def folder(request, plain_model, tmp_path) -> Path:
    """The plain model, or MVDream."""
    if request.param == "plain":
        return plain_model
    folder = Path(shutil.copytree(plain_model, tmp_path / "mvdream"))
    tiny_multiview.write_public(tiny_multiview.tiny(), folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`:UserWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize(
    ("folder", "vram_O", "distillation"),
    [("plain", False, {"method": "vsd", "lora_lr": 1e-2}), ("plain", True, {}), ("mvdream", False, {})],
    indirect=["folder"],
    ids=["vsd", "vram_O", "mvdream"],
)
def test_compiled_steps_give_the_same_numbers(folder, vram_O, distillation, monkeypatch):
    """VSD's hooks switched on and off, recomputed activations, attention across views: all of it is traced, once."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, _inputs: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    expected, _ = train(folder, False, vram_O, **distillation)
    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    numbers, said = train(folder, True, vram_O, **distillation)
    assert numbers == [pytest.approx(pair, rel=1e-5) for pair in expected]
    assert said == [], "nothing had to fall back"
    assert 2 <= len(graphs) <= 6, "what was traced serves every step"


def test_a_lack_of_memory_is_not_taken_for_a_compilers_failure(network, monkeypatch):
    def compile_nothing(_forward: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "compile", compile_nothing)
    compile_or_leave(network, "UNet", pytest.fail)
    with pytest.raises(torch.OutOfMemoryError):
        network(torch.zeros(1, 4))


def test_a_mistake_in_a_call_is_raised_as_it_is(network):
    compile_or_leave(network, "UNet", lambda _text: None)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        network(torch.zeros(1, 5))
