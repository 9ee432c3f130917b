"""The optimizer of the starter model's training: Muon inside the network, AdamW at its ends.

Muon (Jordan et al. 2024) makes the steps along all singular directions of a weight matrix equally long, and learns far
more from a picture than AdamW does. It is meant for matrices between features; convolutions count as such with their
inputs and places in one row (Liu et al. 2025 give the step's size). Tables of embeddings, biases, norms and the first
and last convolution are left to AdamW.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

MUON_RATE, ADAM_RATE = 2e-3, 1e-3
WEIGHT_DECAY = 1e-3
_ENDS = {"token_embedding", "position_embedding", "positional_embedding", "conv_in", "conv_out"}


class Descent:
    """Both optimizers as one. From here on the network's parameters must stay where they are in memory."""

    def __init__(self, network: nn.Module) -> None:
        """For all parameters of `network`; its inner convolutions are laid out anew, their channels last."""
        inner = {name: p for name, p in network.named_parameters() if p.ndim > 1 and not _at_an_end(name)}
        for p in inner.values():
            if p.ndim == 4:  # else its matrix would be a copy, and the parameter would never move
                p.data = p.data.contiguous(memory_format=torch.channels_last)
        self._inner = list(inner.values())
        self._matrices = [_as_matrix(p.data) for p in self._inner]
        others = [p for name, p in network.named_parameters() if name not in inner]
        self._parameters = [*self._inner, *others]
        self._muon = torch.optim.Muon(
            self._matrices, MUON_RATE, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(others, ADAM_RATE, weight_decay=WEIGHT_DECAY)

    def step(self, loss: Tensor, share: float) -> None:
        """Go down the loss' gradient, at a share of the full learning rates."""
        for parameter in self._parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for matrix, parameter in zip(self._matrices, self._inner, strict=True):
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad)
        for optimizer, rate in ((self._muon, MUON_RATE), (self._adam, ADAM_RATE)):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()  # type: ignore[no-untyped-call]

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What :meth:`state_dict` gave."""
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])


def _at_an_end(name: str) -> bool:
    return not _ENDS.isdisjoint(name.split("."))


def _as_matrix(weight: Tensor) -> Tensor:
    """A weight (outputs, inputs, ...) with one row for each output; the same memory if its channels come last in it."""
    return weight if weight.ndim == 2 else weight.permute(0, 2, 3, 1).flatten(1)
