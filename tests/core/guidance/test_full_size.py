"""Models of real size, without numbers: what is known of their weights, their arithmetic and their memory."""

from __future__ import annotations

import pytest
import torch

from core.device import GIB
from core.errors import InputError
from core.guidance.full_size import FULL_SIZE, random_parts, random_texts
from core.guidance.stable_diffusion import StableDiffusion
from core.memory import PeakMemory, fused_attention, size_of

META, HALF = torch.device("meta"), torch.float16


def take_step(model: StableDiffusion, parts) -> None:
    """One training step on pictures of 64 x 64 pixels, as many as the model sees together, forwards and backwards."""
    ring = model.family.ring
    pictures = torch.zeros(ring, 3, 64, 64, device=META, requires_grad=True)
    model.train_step(random_texts(parts, 2 * ring, META), pictures, generator=torch.Generator()).backward()


@pytest.mark.parametrize(
    ("name", "millions"),
    [("sd15", 859.5), ("sd21", 865.9), ("sdxl", 2567.5), ("if", 4304.7), ("sd35", 2243.2), ("mvdream", 867.6)],
)
def test_as_many_weights_as_are_published(name, millions):
    parts = random_parts(name, META, HALF)
    assert sum(weight.numel() for weight in parts.unet.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)
    if name in ("sd15", "sd21", "sdxl", "mvdream"):
        assert sum(weight.numel() for weight in parts.vae.parameters()) / 1e6 == pytest.approx(83.65, abs=0.01)


def test_an_autoencoder_that_overflows_stays_in_full_precision():
    types = {name: random_parts(name, META, HALF).vae.dtype for name in ("sd15", "sdxl")}
    assert types == {"sd15": HALF, "sdxl": torch.float32}
    assert random_parts("sdxl", META, torch.bfloat16).vae.dtype == torch.bfloat16


@pytest.mark.parametrize("name", FULL_SIZE)
def test_every_model_takes_a_training_step(name):
    parts = random_parts(name, META, HALF)
    with fused_attention():
        take_step(StableDiffusion.from_parts(parts, META), parts)


@pytest.mark.parametrize(("vram_O", "limit"), [(False, 10), (True, 6)])
def test_stable_diffusion_fits_into_a_small_gpu(vram_O, limit):
    """The weights and the peak of a step in half precision, without the renderer and CUDA's own memory."""
    parts = random_parts("sd15", META, HALF)
    model = StableDiffusion.from_parts(parts, META, vram_O)
    with fused_attention(), PeakMemory() as memory:
        take_step(model, parts)
    assert (size_of(model) + memory.peak) / GIB < limit / 2


def test_sparing_memory_spares_memory():
    peaks = []
    for vram_O in (False, True):
        parts = random_parts("sdxl", META, HALF)
        with fused_attention(), PeakMemory() as memory:
            take_step(StableDiffusion.from_parts(parts, META, vram_O), parts)
        peaks.append(memory.peak)
    assert peaks[1] < 0.65 * peaks[0]


def test_a_model_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="Unknown family 'dalle': choose among sd15, sd21"):
        random_parts("dalle", META, HALF)
