"""Where training looks, against the laws: chi-square and Kolmogorov-Smirnov over many draws or a whole training."""

from __future__ import annotations

import math

import pytest
import torch

from core.config import ANNEALS, GuidanceConfig
from core.guidance import timesteps

T, RUN = 1000, 6_000


def config(anneal: str) -> GuidanceConfig:
    return GuidanceConfig(anneal=anneal, t_range=(0.02, 0.98), t_max_end=0.5)


def whole_training(anneal: str) -> list[int]:
    """One timestep for each step of a long training."""
    generator = torch.Generator().manual_seed(7)
    steps = (timesteps.annealed_timesteps(config(anneal), step / RUN, 1, T, generator) for step in range(RUN))
    return [int(t) for t in torch.cat(list(steps))]


def kolmogorov(drawn: list[int], below) -> float:
    """The largest difference between the share of draws up to t and the law's, over all t."""
    counts = torch.bincount(torch.tensor(drawn), minlength=T).cumsum(0) / len(drawn)
    return max(abs(float(counts[t]) - below(t)) for t in range(T))


def test_timesteps_are_uniform_and_include_both_ends():
    drawn = timesteps.draw_timesteps(70_000, 20, 26, torch.Generator().manual_seed(1))
    counts = torch.bincount(drawn, minlength=28).tolist()
    assert sum(counts[20:27]) == 70_000
    chi_square = sum((count - 10_000) ** 2 / 10_000 for count in counts[20:27])
    assert chi_square < 22.5  # 6 degrees of freedom: exceeded once in 1000


def test_timesteps_follow_the_generator():
    first, second = (timesteps.draw_timesteps(9, 0, 999, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, second)
    assert timesteps.draw_timesteps(3, 7, 7).tolist() == [7, 7, 7]


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 0.98), (0.5, 0.74), (1.0, 0.5)])
def test_the_upper_end_falls_linearly(progress, expected):
    assert timesteps.anneal_t_max((0.02, 0.98), 0.5, progress) == pytest.approx(expected, abs=1e-12)


def test_annealing_never_crosses_the_lower_end():
    assert timesteps.anneal_t_max((0.3, 0.9), 0.1, 1.0) == 0.3


def test_linear_over_a_training():
    """P(t <= x) is the mean over the training of (x - 20) / (end - 20), where the end falls evenly from 980 to 500."""

    def below(t: int) -> float:
        ends = torch.linspace(980, 500, 2001, dtype=torch.float64)
        return float(((t + 1 - 20) / (ends + 1 - 20)).clamp(0, 1).mean())

    drawn = whole_training("linear")
    assert (min(drawn), max(drawn)) == (20, max(drawn))
    assert max(drawn) > 950
    assert kolmogorov(drawn, below) < 1.95 / math.sqrt(RUN)  # exceeded once in 1000


def test_sqrt_over_a_training():
    """t = 980 - 960 sqrt(p) with even p: P(t >= x) = ((980 - x) / 960)^2. Nothing is drawn: only rounding is left."""
    drawn = whole_training("sqrt")
    assert kolmogorov(drawn, lambda t: 1 - min(1.0, max(0.0, 979.5 - t) / 960) ** 2 if t >= 20 else 0.0) < 2e-3
    assert drawn[0] == 980
    assert drawn[RUN // 4] == 500


def dreamtime_weight(t: int) -> float:
    """The paper's piecewise weight, m1 = 800, m2 = 500, s1 = 300, s2 = 100."""
    if t > 800:
        return math.exp(-((t - 800) ** 2) / (2 * 300**2))
    return 1.0 if t >= 500 else math.exp(-((t - 500) ** 2) / (2 * 100**2))


def test_dreamtime_over_a_training():
    """How often a timestep occurs is its share of W."""
    total = sum(dreamtime_weight(t) for t in range(20, 981))
    shares = [dreamtime_weight(t) / total if 20 <= t <= 980 else 0.0 for t in range(T)]
    cumulative = torch.tensor(shares, dtype=torch.float64).cumsum(0).tolist()
    drawn = whole_training("dreamtime")
    assert kolmogorov(drawn, lambda t: cumulative[t]) < 2e-3
    expected = torch.tensor(shares[300:900]) * RUN
    counts = torch.bincount(torch.tensor(drawn), minlength=T)[300:900]
    assert (counts - expected).abs().max() <= 2


def test_dreamtime_is_the_argmin_of_the_paper():
    """t(i) = argmin over t' of |sum of W(t) from t' to T - i / N|, by the slow double loop."""
    for step in range(0, 101, 10):
        total = sum(dreamtime_weight(t) for t in range(20, 981))
        errors = {s: abs(sum(dreamtime_weight(t) for t in range(s, 981)) / total - step / 100) for s in range(20, 981)}
        assert timesteps.dreamtime_timestep(20, 980, step / 100, T) == min(errors, key=errors.__getitem__)


@pytest.mark.parametrize("anneal", ["sqrt", "dreamtime"])
def test_laws_without_chance_never_rise(anneal):
    drawn = whole_training(anneal)
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[0] == 980
    last = timesteps.annealed_timesteps(config(anneal), 1.0, 3, T)
    assert last.tolist() == [20, 20, 20]


@pytest.mark.parametrize("anneal", ANNEALS)
def test_every_law_stays_in_its_range(anneal):
    for progress in (0.0, 0.3, 1.0):
        drawn = timesteps.annealed_timesteps(config(anneal), progress, 50, T, torch.Generator().manual_seed(0))
        assert drawn.shape == (50,)
        assert drawn.dtype == torch.int64
        assert 20 <= int(drawn.min()) <= int(drawn.max()) <= 980
