"""A step of an optimizer that a number which is not finite cannot spoil."""

from __future__ import annotations

import torch
from torch import Tensor


def step_if_finite(optimizer: torch.optim.Optimizer, loss: Tensor) -> bool:
    """Step, or leave everything as it is where the loss or a gradient is not finite. Returns whether it stepped.

    On the meta device, where there are no numbers at all, it never steps.
    """
    if loss.is_meta:
        return False
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    finite = bool(torch.isfinite(loss.detach() + sum(gradient.sum() for gradient in gradients)))
    if finite:
        optimizer.step()
    return finite
