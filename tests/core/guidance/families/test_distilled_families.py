"""Every method of distillation on every family: what is exactly true whatever the model's weights are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.camera import orbit_views
from core.config import DistillationConfig
from core.guidance import sds
from core.guidance.distillation import Recipe
from core.guidance.learned_score import LearnedScore
from core.guidance.stable_diffusion import StableDiffusion
from core.prompt import ViewPrompts
from tests.core.guidance.conftest import load, seeded
from tests.core.guidance.families import tiny

VIEWS = orbit_views(2, 20.0, 3.0, 40.0)
T = 600


@pytest.fixture(scope="module", params=list(tiny.FAMILIES))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StableDiffusion:
    folder: Path = tiny.write(request.param, tmp_path_factory.mktemp("models") / request.param)
    return load(folder).double()


@pytest.fixture
def pictures(model) -> Tensor:
    shape = (2, model.channels, *model.latent_size)
    return torch.rand(shape, generator=seeded(1), dtype=torch.float64).requires_grad_()


def gradient(model, pictures: Tensor, text, learned=None, weights=None, t=T, **settings) -> Tensor:
    """Of the latents, times their number: that of the pictures, as latents = 2 pictures - 1, and there are 2."""
    loss = model.train_step(
        text,
        pictures,
        as_latent=True,
        views=VIEWS,
        timesteps=lambda count, _generator: torch.full((count,), t),
        recipe=Recipe(7.5, DistillationConfig(**settings), weights),
        learned=learned,
        generator=seeded(),
    )
    return torch.autograd.grad(loss, pictures)[0]


def asked(model, pictures: Tensor, text) -> tuple[Tensor, ...]:
    """What the code must have drawn and heard: z_t, noise, and the predictions by each text."""
    noise = torch.randn(pictures.shape, generator=seeded()).double()
    t = torch.full((2,), T)
    noisy = sds.add_noise(2 * pictures.detach() - 1, noise, model.alphas[t])
    predictions = model.predict_noise(noisy, t, text, VIEWS)
    return noisy, noise, predictions.view(-1, *noisy.shape)


def test_vsd_begins_with_guidance_alone(model, pictures):
    """The learnt score starts as the prediction by the text: epsilon_hat - epsilon_text = (s - 1) (text - uncond)."""
    text = model.get_text_embeds(["", "", "a cat", "a red dog"]).to(torch.float64)
    learned = LearnedScore(model.unet, rank=2, lr=1e-3, seed=0)
    found = gradient(model, pictures, text, learned, method="vsd")
    _, _, (uncond, cond) = asked(model, pictures, text)
    expected = (1 - model.alphas[T]) * 6.5 * (cond - uncond)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    again = gradient(model, pictures, text, learned, method="vsd")
    assert (again - found).norm() > 1e-8 * found.norm(), "it took a step"


def test_perp_neg_adds_nothing_along_the_text(model, pictures):
    prompts = ViewPrompts(model, "a red dog", interpolated=True)
    text = prompts.with_wrong_sides(VIEWS).to(torch.float64)
    weights = torch.full((2, 2), -2.0, dtype=torch.float64)
    found = gradient(model, pictures, text, weights=weights, perpneg=True)
    plain = gradient(model, pictures, text[:4])
    _, _, (uncond, cond, *_others) = asked(model, pictures, text)
    added, direction = found - plain, cond - uncond
    assert added.norm() > 1e-6 * plain.norm()
    along = (added * direction).sum((1, 2, 3)).abs()
    assert (along < 1e-10 * added.flatten(1).norm(dim=1) * direction.flatten(1).norm(dim=1)).all()


@pytest.mark.parametrize("method", ["ism", "sdi"])
def test_inversion_in_no_distance_asks_the_model_as_it_is(model, pictures, method):
    """One step of inversion, done by hand: y = z + sigma_t epsilon(z, 0), for ISM with s = t."""
    text = model.get_text_embeds(["", "", "a cat", "a red dog"]).to(torch.float64)
    found = gradient(model, pictures, text, method=method, inversion_steps=1, interval=0.0)
    z, t, zero = 2 * pictures.detach() - 1, torch.full((2,), T), torch.zeros(2, dtype=torch.long)
    uncond, cond = model.predict_noise(z, zero, text, VIEWS).chunk(2)
    eps = uncond if method == "ism" else uncond - 7.5 * (cond - uncond)
    z_t = sds.add_noise(z, eps, model.alphas[t])
    uncond, cond = model.predict_noise(z_t, t, text, VIEWS).chunk(2)
    reference = uncond if method == "ism" else eps
    expected = (1 - model.alphas[T]) * (uncond + 7.5 * (cond - uncond) - reference)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())


@pytest.mark.parametrize("method", ["ism", "sdi"])
def test_inversion_is_finite_at_the_lowest_timestep(model, pictures, method):
    """Rectified flow has no noise at all at its first timestep."""
    text = model.get_text_embeds(["", "", "a cat", "a red dog"]).to(torch.float64)
    found = gradient(model, pictures, text, t=1, method=method)
    assert found.isfinite().all()
    assert found.abs().max() > 0


def test_interpolated_prompts_blend_all_that_a_family_hears(model):
    prompts = ViewPrompts(model, "a cat", interpolated=True)
    blended = prompts.at(orbit_views(8, 0.0, 3.0, 40.0)[1:2])  # 45 degrees: half front, half side
    expected = prompts.directions.map(lambda tensor: (tensor[:1] + tensor[1:2]) / 2)
    torch.testing.assert_close(blended.embeddings, expected.embeddings)
    assert blended.extras.keys() == expected.extras.keys()
    for name, extra in blended.extras.items():
        torch.testing.assert_close(extra, expected.extras[name])
