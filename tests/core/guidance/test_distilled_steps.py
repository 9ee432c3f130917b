"""Whole training steps of every method and option on tiny models of the real diffusers classes.

The references are written from the papers, one picture and one prediction at a time, in float64; they share
nothing with the code but the networks themselves.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from core.camera import Views, camera_embedding, camera_planes, orbit_views
from core.config import DistillationConfig
from core.guidance.distillation import Recipe
from core.guidance.learned_score import LearnedScore
from core.guidance.stable_diffusion import StableDiffusion
from tests.core.guidance.conftest import LATENT_SIZE, load, seeded

SCALE = 7.5
WEIGHTS = torch.tensor([[-2.0, -0.4], [-0.1, 0.0]])
TEXTS = ("", "", "a cat", "a red dog", "a cat, front view", "a red dog, front view", "a cat, side view", "a dog")
ADDITIONS = {
    "plain": {},
    "perpneg": {"perpneg": True},
    "rescale": {"cfg_rescale": 0.7},
    "x0": {"weighting": "x0"},
    "clip": {"grad_clip": 0.5},
    "clip_pixel": {"grad_clip_pixel": 0.8},
    "draws": {"draws": 3},
    "ism": {"method": "ism", "inversion_steps": 3},
    "sdi": {"method": "sdi", "inversion_steps": 3},
    "vsd": {"method": "vsd"},
    "all": {
        "method": "ism",
        "perpneg": True,
        "cfg_rescale": 0.5,
        "weighting": "x0",
        "grad_clip": 2.0,
        "grad_clip_pixel": 3.0,
        "draws": 2,
        "inversion_steps": 2,
    },
}
Ask = Callable[[Tensor, int, int], Tensor]  # a noisy picture (C, h, w), t, and which text -> the noise in it


class Reference:
    """The gradient of picture `b`, (C, h, w) each."""

    def __init__(self, ask: Ask, alphas: Tensor, config: DistillationConfig, weights: Sequence[float]) -> None:
        self.ask, self.config, self.weights = ask, config, weights
        self.alpha = [float(a) for a in alphas]

    def level(self, t: int | None) -> tuple[float, float]:
        """Signal and noise; None is the picture itself."""
        signal = 1.0 if t is None else self.alpha[t]
        return math.sqrt(signal), math.sqrt(1 - signal)

    def move(self, z: Tensor, eps: Tensor, start: int | None, end: int) -> Tensor:
        (a, n), (a2, n2) = self.level(start), self.level(end)
        return a2 * (z - n * eps) / a + n2 * eps

    def invert(self, z: Tensor, t: int, predict: Callable[[Tensor, int], Tensor]) -> Tensor:
        steps, start = self.config.inversion_steps, None
        for step in range(steps):
            end = round(t * (step + 1) / steps)
            z = self.move(z, predict(z, start or 0), start, end)
            start = end
        return z

    def compared(self, z: Tensor, t: int, noise: Tensor, learned: Callable[[Tensor, int], Tensor] | None):
        a, n = self.level(t)
        if self.config.method == "ism":
            s = max(t - 50, 1)
            z_s = self.invert(z, s, lambda x, at: self.ask(x, at, 0))
            reference = self.ask(z_s, s, 0)
            return self.move(z_s, reference, s, t), reference
        if self.config.method == "sdi":

            def backwards(x: Tensor, at: int) -> Tensor:
                return self.ask(x, at, 0) - SCALE * (self.ask(x, at, 1) - self.ask(x, at, 0))

            z_t = self.invert(z, t, backwards)
            return z_t, (z_t - a * z) / n
        z_t = a * z + n * noise
        return z_t, noise if learned is None else learned(z_t, t)

    def guided(self, z_t: Tensor, t: int) -> Tensor:
        uncond, text = self.ask(z_t, t, 0), self.ask(z_t, t, 1)
        along = (text - uncond).flatten()
        total = along.clone()
        for place, weight in enumerate(self.weights if self.config.perpneg else ()):
            other = (self.ask(z_t, t, 2 + place) - uncond).flatten()
            total += weight * (other - other.dot(along) / along.dot(along) * along)
        eps = uncond + SCALE * total.view_as(uncond)
        share = self.config.cfg_rescale
        if share:
            a, n = self.level(t)
            x_cfg, x_pos = (z_t - n * eps) / a, (z_t - n * text) / a
            x = share * x_cfg * x_pos.std() / x_cfg.std() + (1 - share) * x_cfg
            eps = (z_t - a * x) / n
        return eps

    def gradient(self, z: Tensor, t: int, noise: Tensor, learned=None) -> Tensor:
        z_t, reference = self.compared(z, t, noise, learned)
        a, n = self.level(t)
        grad = (n / a if self.config.weighting == "x0" else n * n) * (self.guided(z_t, t) - reference)
        if limit := self.config.grad_clip_pixel:
            length = grad.square().sum(0).sqrt()
            grad = torch.where(length > limit, grad * limit / length, grad)
        if limit := self.config.grad_clip:
            grad = grad.clamp(-limit, limit)
        return grad


class WithUnet:
    """A model's schedule with another UNet."""

    def __init__(self, model: StableDiffusion, unet) -> None:
        self.unet, self.scheduler, self.alphas = unet, model.scheduler, model.alphas


def asking(model: WithUnet, text: Tensor, b: int, views: Views | None) -> Ask:
    """Ask a model in float64 about picture `b` of two; only the unconditional text hears no view."""

    def ask(noisy: Tensor, t: int, which: int) -> Tensor:
        seen, labels = noisy[None], None
        if views is not None:
            known = float(which > 0)
            labels = known * camera_embedding(views)[b : b + 1].double()
            planes = known * camera_planes(views, (LATENT_SIZE, LATENT_SIZE))[b : b + 1].double()
            seen = torch.cat([seen, planes], dim=1)
        embedding = text[2 * which + b : 2 * which + b + 1].double()
        with torch.no_grad():
            output = model.unet(seen, torch.tensor(t), embedding, class_labels=labels).sample[0]
        if model.scheduler.config.prediction_type == "epsilon":
            return output
        signal = float(model.alphas[t])
        return math.sqrt(signal) * output + math.sqrt(1 - signal) * noisy

    return ask


def train(model: StableDiffusion, config: DistillationConfig, views: Views | None, dtype: torch.dtype, learned=None):
    """One step of the code: what it was given, and the derivative by the latents times their number."""
    text = model.get_text_embeds(list(TEXTS[: 8 if config.perpneg else 4])).to(dtype)
    pictures = torch.rand(2, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded(1)).to(dtype).requires_grad_()
    weights = WEIGHTS.to(dtype) if config.perpneg else None
    recipe = Recipe(SCALE, config, weights)
    loss = model.train_step(
        text, pictures, as_latent=True, views=views, recipe=recipe, learned=learned, generator=seeded()
    )
    loss.backward()
    return text.embeddings, pictures.detach(), loss.item(), pictures.grad


def expected_step(model, config, views, text, pictures, dtype, learned=None) -> tuple[float, Tensor]:
    generator, latents = seeded(), 2 * pictures.double() - 1
    exact = WithUnet(model, copy.deepcopy(model.unet).double())
    grads = []
    for _ in range(config.draws):
        t = torch.randint(20, 981, (2,), generator=generator).tolist()
        noise = torch.randn(latents.shape, generator=generator).to(dtype).double()
        for b in range(2):
            reference = Reference(asking(exact, text, b, views), model.alphas, config, WEIGHTS[:, b].tolist())
            grads.append(reference.gradient(latents[b], t[b], noise[b], None if learned is None else learned(b)))
    grad = torch.stack(grads).view(config.draws, *latents.shape).mean(0)
    return (grad.square().sum() / 4).item(), 2 * grad / 2  # loss |grad|^2 / (2 B); latents = 2 pictures - 1


@pytest.mark.parametrize("name", [name for name in ADDITIONS if name != "vsd"])
@pytest.mark.parametrize(
    ("kind", "dtype", "tolerance"),
    [
        ("plain_model", torch.float64, 1e-10),
        ("velocity_model", torch.float64, 1e-10),
        ("camera_model", torch.float64, 1e-10),
        ("plain_model", torch.float32, 1e-5),
    ],
)
def test_a_step_is_the_formula(request, kind, name, dtype, tolerance):
    model = load(request.getfixturevalue(kind)).to(dtype)
    views = orbit_views(2, 20.0, 3.0, 40.0) if kind == "camera_model" else None
    config = DistillationConfig(**ADDITIONS[name])
    text, pictures, loss, grad = train(model, config, views, dtype)
    expected, expected_grad = expected_step(model, config, views, text, pictures, dtype)
    if dtype == torch.float32 and config.method in ("ism", "sdi"):
        tolerance *= 1 + config.inversion_steps  # each prediction rounds anew, on top of those before it
    assert loss == pytest.approx(expected, rel=tolerance)
    assert (grad.double() - expected_grad).norm() < tolerance * expected_grad.norm()


# VSD


def trained_score(model: StableDiffusion) -> LearnedScore:
    """A learnt score whose additions all matter, in the model's precision."""
    learned = LearnedScore(model.unet, rank=2, lr=0.0, seed=3)
    learned.additions.to(model.unet.dtype)
    for number, weight in enumerate(learned.additions.parameters()):
        weight.data += 0.1 * torch.randn(weight.shape, generator=seeded(number)).to(weight.dtype)
    return learned


def merged(model: StableDiffusion, learned: LearnedScore):
    """A copy of the UNet with B A added to its weights for good, and its matrix of the camera."""
    *layers, camera = learned.additions
    unet = copy.deepcopy(model.unet)
    names = ("to_q", "to_k", "to_v", "to_out.0")
    linear = [layer for name, layer in unet.named_modules() if name.endswith(names)]
    for layer, addition in zip(linear, layers, strict=True):
        layer._forward_hooks.clear()
        layer.weight.data += addition.up.detach() @ addition.down.detach()
    unet.time_embedding._forward_hooks.clear()
    return unet, camera.weight.detach()


@pytest.mark.parametrize("kind", ["plain_model", "camera_model"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_a_step_of_vsd_is_the_formula(request, kind, dtype, tolerance):
    """The learnt prediction is that of a UNet whose weights are W + B A and whose embedding of the time is shifted."""
    model = load(request.getfixturevalue(kind)).to(dtype)
    views, config = orbit_views(2, 20.0, 3.0, 40.0), DistillationConfig(method="vsd")
    learned = trained_score(model)
    unet, camera = merged(model, learned)
    text, pictures, loss, grad = train(model, config, views, dtype, learned)
    told = views if kind == "camera_model" else None

    def score(b: int) -> Callable[[Tensor, int], Tensor]:
        shifted, shift = copy.deepcopy(unet).double(), camera_embedding(views)[b : b + 1].double() @ camera.double().T
        shifted.time_embedding.linear_2.bias.data += shift[0]
        ask = asking(WithUnet(model, shifted), text, b, told)
        return lambda z_t, t: ask(z_t, t, 1)

    expected, expected_grad = expected_step(model, config, told, text, pictures, dtype, score)
    assert loss == pytest.approx(expected, rel=tolerance)
    assert (grad.double() - expected_grad).norm() < tolerance * expected_grad.norm()
