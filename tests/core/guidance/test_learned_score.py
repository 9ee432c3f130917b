"""The score of the renders: it starts as the model, learns, and survives a checkpoint bit for bit."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from core.camera import orbit_views
from core.checkpoint import Checkpoint, load_newest, save
from core.config import Config, override
from core.errors import InputError
from core.guidance import make_guidance, sds
from core.guidance.learned_score import LearnedScore
from core.guidance.stable_diffusion import StableDiffusion
from core.train import Trainer, trained_field
from tests.core.guidance.conftest import LATENT_SIZE, load, seeded

CPU = torch.device("cpu")
VIEWS = orbit_views(2, 20.0, 3.0, 40.0)


@pytest.fixture
def model(plain_model) -> StableDiffusion:
    return load(plain_model)


def asking(model: StableDiffusion, count: int = 2):
    text = model.get_text_embeds(["a cat"] * count)

    def ask(noisy, t):
        return model._predict(noisy, t, text)

    return ask


def latents(seed: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded(seed))


def denoising_loss(model, predict, pictures: torch.Tensor, seed: int) -> float:
    """The mean over many timesteps and noises."""
    losses, generator = [], seeded(seed)
    with torch.no_grad():
        for t in range(50, 1000, 50):
            times, noise = torch.full((len(pictures),), t), torch.randn(pictures.shape, generator=generator)
            noisy = sds.add_noise(pictures, noise, model.alphas[times])
            losses.append((predict(noisy, times) - noise).square().mean().item())
    return sum(losses) / len(losses)


def test_it_starts_as_the_model_and_switched_off_changes_nothing(model):
    ask, noisy, t = asking(model), latents(0), torch.tensor([100, 800])
    before = ask(noisy, t)
    learned = LearnedScore(model.unet, rank=4, lr=1e-2, seed=0)
    predict = learned.prediction(ask, VIEWS)
    assert torch.equal(predict(noisy, t), before)
    for _ in range(3):
        learned.fit(predict, latents(1), t, latents(2), model.alphas)
    assert torch.equal(ask(noisy, t), before)
    assert (predict(noisy, t) - before).abs().max() > 1e-4


def test_it_learns_what_the_renders_look_like(model):
    """For two pictures the loss falls below what the model itself has, on noise that was not trained on."""
    pictures, ask = 0.3 * latents(3).sign(), asking(model)
    learned = LearnedScore(model.unet, rank=4, lr=1e-2, seed=0)
    predict, generator = learned.prediction(ask, VIEWS), seeded()
    before = denoising_loss(model, ask, pictures, 9)
    for _ in range(60):
        t, noise = torch.randint(20, 981, (2,), generator=generator), torch.randn(2, 4, 8, 8, generator=generator)
        learned.fit(predict, pictures, t, noise, model.alphas)
    assert denoising_loss(model, predict, pictures, 9) < 0.95 * before


def test_it_hears_the_camera(model):
    ask, noisy, t = asking(model), latents(0), torch.tensor([500, 500])
    learned = LearnedScore(model.unet, rank=4, lr=1e-2, seed=0)
    predict = learned.prediction(ask, VIEWS)
    for _ in range(3):
        learned.fit(predict, latents(1), t, latents(2), model.alphas)
    other = learned.prediction(ask, orbit_views(2, 50.0, 3.0, 40.0))
    assert (predict(noisy, t) - other(noisy, t)).abs().max() > 1e-5


def test_a_loss_that_is_not_finite_teaches_nothing(model):
    learned = LearnedScore(model.unet, rank=4, lr=1e-2, seed=0)
    predict = learned.prediction(asking(model), VIEWS)
    bad = latents(1)
    bad[0, 0, 0, 0] = math.nan
    before = [weight.detach().clone() for weight in learned.additions.parameters()]
    learned.fit(predict, bad, torch.tensor([100, 800]), latents(2), model.alphas)
    assert all(torch.equal(a, b) for a, b in zip(before, learned.additions.parameters(), strict=True))


def test_the_seed_decides_where_it_starts(model):
    first, second, other = (LearnedScore(model.unet, 4, 1e-2, seed).additions.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_model_itself_is_not_trained(model):
    before = {name: weight.clone() for name, weight in model.unet.state_dict().items()}
    learned = LearnedScore(model.unet, rank=4, lr=1e-2, seed=0)
    learned.fit(learned.prediction(asking(model), VIEWS), latents(1), torch.tensor([1, 2]), latents(2), model.alphas)
    assert all(torch.equal(weight, before[name]) for name, weight in model.unet.state_dict().items())
    assert all(weight.grad is None for weight in model.unet.parameters())


def test_without_attention_it_is_refused():
    with pytest.raises(InputError, match="no attention that VSD could adapt"):
        LearnedScore(nn.Sequential(nn.Linear(3, 3)), 4, 1e-4, 0)


# Resuming


def job(folder) -> Config:
    return override(
        Config("a cat"),
        field={"levels": 4, "log2_entries": 10, "finest_resolution": 32, "hidden": 16},
        render={"resolution": 12, "samples": 24, "occupancy_resolution": 16},
        guidance={"model": "sd", "hf_key": str(folder)},
        distillation={"method": "vsd", "lora_lr": 1e-2},
    )


def trainer(folder) -> Trainer:
    return Trainer(job(folder), make_guidance(job(folder), CPU), CPU)


def test_a_resumed_vsd_training_equals_the_uninterrupted_one_bit_for_bit(plain_model, tmp_path):
    whole, first = trainer(plain_model), trainer(plain_model)
    for _ in range(8):
        whole.iterate()
    for _ in range(4):
        first.iterate()
    save(tmp_path, first.checkpoint())
    second = trainer(plain_model)
    second.restore(load_newest(tmp_path))
    for _ in range(4):
        second.iterate()
    expected, found = whole.checkpoint(), second.checkpoint()
    assert any("guidance/additions" in name for name in expected.tensors)
    assert any("guidance/optimizer" in name for name in expected.tensors)
    assert found.tensors.keys() == expected.tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in expected.tensors.items())
    field, _ = trained_field(job(plain_model), load_newest(tmp_path))  # as the judge looks at it
    assert all(torch.equal(a, b) for a, b in zip(field.parameters(), first.field.parameters(), strict=True))
    learnt = expected.state()["guidance"]["additions"]
    assert any(tensor.abs().sum() > 0 for name, tensor in learnt.items() if name.endswith("up")), "it has learnt"


def test_a_checkpoint_without_the_guidances_part_is_still_read(plain_model):
    config = override(job(plain_model), distillation={"method": "sds"})
    plain = Trainer(config, make_guidance(config, CPU), CPU)
    plain.iterate()
    state = plain.checkpoint().state()
    assert state.pop("guidance") == {}
    again = Trainer(config, make_guidance(config, CPU), CPU)
    again.restore(Checkpoint.from_state(1, state))
    assert again.step == 1
