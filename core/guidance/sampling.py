"""Pictures from noise, with the sampler of diffusers that a model's family uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


@torch.no_grad()
def sample(
    scheduler: Any,
    latents: Tensor,
    steps: int,
    denoise: Callable[[Tensor, Tensor], Tensor],
    guidance_scale: float,
    on_step: Callable[[int], None] = lambda _done: None,
) -> Tensor:
    """Latents (B, C, h, w) without noise, from pure noise of the same shape.

    `denoise` gives the model's outputs (2B, C, h, w) for noisy latents and times (B,), the unconditional ones first;
    they are mixed as classifier-free guidance does. `on_step` hears how many steps are done.
    """
    scheduler.set_timesteps(steps, device=latents.device)
    for done, t in enumerate(scheduler.timesteps, start=1):
        uncond, cond = denoise(latents, t.expand(len(latents))).chunk(2)
        latents = scheduler.step(uncond + guidance_scale * (cond - uncond), t, latents).prev_sample
        on_step(done)
    return latents
