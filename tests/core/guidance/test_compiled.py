"""Compiled networks compute the same; where there is no compiler, one line says so and nothing else changes."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

from core.guidance.compiled import compile_or_leave

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
