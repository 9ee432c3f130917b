"""Which timesteps training looks at, as pure functions of its progress p from 0 to 1: coarse shape first, detail later.

    law        timesteps                                            source
    linear     uniform below an upper end that falls linearly       as in DreamGaussian, arXiv 2309.16653
    sqrt       t_max - (t_max - t_min) sqrt(p)                      HiFA, arXiv 2305.18766
    dreamtime  falling, longest where W(t) is great                 DreamTime, arXiv 2306.12422

The last two say one timestep for each p, nothing is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from core.config import GuidanceConfig

DrawTimesteps = Callable[[int, torch.Generator | None], Tensor]  # how many, by which randomness -> timesteps (B,)
_DREAMTIME_MEANS = (0.5, 0.8)  # m2, m1 of DreamTime, shares of T: between them W is flat
_DREAMTIME_DEVIATIONS = (0.1, 0.3)  # s2 below m2, s1 above m1, shares of T


def annealed_timesteps(
    config: GuidanceConfig, progress: float, count: int, total: int, generator: torch.Generator | None = None
) -> Tensor:
    """`count` of `total` timesteps for a progress of 0 to 1, by the configuration's law."""
    first, last = (int(total * share) for share in config.t_range)
    if config.anneal == "linear":
        share = anneal_t_max(config.t_range, config.t_max_end, progress)
        return draw_timesteps(count, first, int(total * share), generator)
    if config.anneal == "sqrt":
        return torch.full((count,), sqrt_timestep(first, last, progress))
    return torch.full((count,), dreamtime_timestep(first, last, progress, total))


def draw_timesteps(count: int, min_step: int, max_step: int, generator: torch.Generator | None = None) -> Tensor:
    """`count` timesteps, uniform over min_step to max_step, both included; on the generator's device."""
    device = generator.device if generator is not None else None
    return torch.randint(min_step, max_step + 1, (count,), generator=generator, device=device)


def anneal_t_max(t_range: tuple[float, float], t_max_end: float, progress: float) -> float:
    """The upper end of t_range at a progress of 0 to 1: falls linearly from t_range[1] to t_max_end.

    Never falls below t_range[0].
    """
    t_min, t_max = t_range
    return max(t_min, t_max + (t_max_end - t_max) * progress)


def sqrt_timestep(min_step: int, max_step: int, progress: float) -> int:
    """HiFA's timestep at a progress of 0 to 1: from max_step down to min_step, fast at first."""
    return round(max_step - (max_step - min_step) * math.sqrt(progress))


def dreamtime_weight(total: int) -> Tensor:
    """DreamTime's prior weight W of the timesteps 0 to total - 1, (total,), float64.

    1 from 0.5 to 0.8 of `total`; a Gaussian's slope of deviation 0.1 below, 0.3 above.
    """
    t = torch.arange(total, dtype=torch.float64) / total
    (low, high), (below, above) = _DREAMTIME_MEANS, _DREAMTIME_DEVIATIONS
    return torch.exp(-((low - t).clamp(min=0) / below).square() / 2 - ((t - high).clamp(min=0) / above).square() / 2)


def dreamtime_timestep(min_step: int, max_step: int, progress: float, total: int) -> int:
    """DreamTime's timestep at a progress of 0 to 1: the t from min_step to max_step above which the share p of W lies.

    t(p) = argmin over t' of |(sum of W(t) for t >= t') - p (sum of all)|: over a whole training timesteps occur as
    often as W says, in falling order.
    """
    weight = dreamtime_weight(total)[min_step : max_step + 1]
    above = weight.flip(0).cumsum(0).flip(0)
    return min_step + int((above - progress * above[0]).abs().argmin().item())
