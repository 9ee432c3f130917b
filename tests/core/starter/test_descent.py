"""Against Muon's and AdamW's formulas."""

import copy

import pytest
import torch
from torch import nn

from core.starter.descent import ADAM_RATE, MUON_RATE, WEIGHT_DECAY, Descent

LAYOUTS = (torch.contiguous_format, torch.channels_last)


def network(layout=torch.contiguous_format):
    torch.manual_seed(0)
    layers = {"conv_in": nn.Conv2d(2, 4, 3), "between": nn.Conv2d(4, 3, 2), "line": nn.Linear(3, 5)}
    return nn.ModuleDict(layers).to(memory_format=layout)


def loss_of(net):
    x = torch.linspace(-1, 1, 3 * 2 * 5 * 4).view(3, 2, 5, 4).sin()
    return net["line"](net["between"](net["conv_in"](x).tanh()).mean((2, 3))).square().sum()


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_inner_matrices_step_along_all_their_singular_directions_alike(layout):
    net = network(layout)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    gradients = dict(zip(before, torch.autograd.grad(loss_of(net), list(net.parameters())), strict=True))
    Descent(net).step(loss_of(net), share=0.5)
    for name in ("between.weight", "line.weight"):
        old, new, gradient = (t.flatten(1).double() for t in (before[name], net.get_parameter(name), gradients[name]))
        step = (old * (1 - 0.5 * MUON_RATE * WEIGHT_DECAY) - new) / (0.5 * MUON_RATE * 0.2 * max(old.shape) ** 0.5)
        u, _, v = torch.linalg.svd(gradient, full_matrices=False)
        along = torch.diagonal(u.T @ step @ v.T)
        rank = int(torch.linalg.matrix_rank(gradient, rtol=1e-2))
        assert (along[:rank] > 0.6).all()
        assert (along[:rank] < 1.3).all()  # Newton and Schulz come that near to 1
    for name in ("conv_in.weight", "between.bias"):
        old, new = before[name], net.get_parameter(name)
        expected = old * (1 - 0.5 * ADAM_RATE * WEIGHT_DECAY) - 0.5 * ADAM_RATE * gradients[name].sign()
        torch.testing.assert_close(new, expected, atol=2e-6, rtol=0)


def test_it_goes_down_and_on_from_a_saved_state():
    nets = [network(), network()]
    one, other = (Descent(net) for net in nets)
    losses = []
    for _ in range(3):
        losses.append(loss_of(nets[0]).item())
        one.step(loss_of(nets[0]), 1.0)
    assert losses[0] > losses[1] > losses[2]
    nets[1].load_state_dict(nets[0].state_dict())
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for net, descent in zip(nets, (one, other), strict=True):
        descent.step(loss_of(net), 1.0)
    for name, p in nets[0].named_parameters():
        torch.testing.assert_close(p, nets[1].get_parameter(name), rtol=0, atol=0)
