"""Pictures from noise, with the sampler of diffusers that a model's family uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from core.camera import Views, orbit_views, portrait_view
from core.errors import InputError
from core.prompt import VIEW_WORDS


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


def check_picture(size: tuple[int, int], size_step: int, steps: int, most_steps: int) -> None:
    """Raise InputError where a height or width is no multiple of `size_step`, or there are not as many steps."""
    if size[0] % size_step or size[1] % size_step or min(size) < 1:
        raise InputError(f"H and W must be multiples of {size_step}.")
    if not 1 <= steps <= most_steps:
        raise InputError(f"The steps of a picture must be from 1 to {most_steps}, not {steps}.")


def picture_views(text: str, ring: int, takes_camera: bool) -> Views | None:
    """Where a picture of `text` is seen from, by a model that draws `ring` views at once; None to leave it open.

    One that takes a camera looks from beside the front, unless the text names a side.
    """
    if ring > 1:
        return orbit_views(ring, 15.0, 3.0, 40.0)
    named = any(side in text for side in VIEW_WORDS)
    return portrait_view() if takes_camera and not named else None


def normal_noise(shape: Sequence[int], device: torch.device, generator: torch.Generator | None) -> Tensor:
    """Normal noise on `device`, drawn on the generator's, so that a seed means the same everywhere."""
    source = device if generator is None else generator.device
    return torch.randn(*shape, generator=generator, device=source).to(device)
