"""The wrapper's training step over real diffusers classes, against slow float64 references."""

from __future__ import annotations

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from core.camera import Views, camera_embedding, camera_planes, orbit_views
from core.guidance.conditioning import Conditioning
from core.guidance.stable_diffusion import StableDiffusion
from tests.core.guidance.conftest import LATENT_SIZE, MAX_TOKENS, TEXT_WIDTH, load, seeded
from tests.core.guidance.families.reference import bilinear

IMAGE_SIZE = 2 * LATENT_SIZE


@pytest.fixture(scope="module")
def velocity(velocity_model) -> StableDiffusion:
    return load(velocity_model)


# Sizes and steps


def test_sizes_come_from_the_model(plain):
    assert plain.latent_size == (LATENT_SIZE, LATENT_SIZE)
    assert plain.image_size == (IMAGE_SIZE, IMAGE_SIZE)
    assert plain.max_tokens == MAX_TOKENS
    assert not any(parameter.requires_grad for parameter in plain.parameters())


def test_steps_come_from_t_range(plain, plain_model):
    assert (plain.min_step, plain.max_step) == (20, 980)
    other = load(plain_model, t_range=(0.1, 0.55))
    assert (other.min_step, other.max_step) == (100, 550)


# One training step against the formulas


def reference_step(model, text, pictures, scale, *, as_latent, grad_scale=1.0, views=None, max_step=None):
    """Loss and its derivative by `pictures`, in float64, from the formulas of DreamFusion's appendix."""
    vae, unet = copy.deepcopy(model.vae).double(), copy.deepcopy(model.unet).double()
    generator = seeded()
    pictures = pictures.double().requires_grad_()
    if as_latent:
        latents = 2 * bilinear(pictures, LATENT_SIZE) - 1
    else:
        mean, log_variance = vae.encode(2 * bilinear(pictures, IMAGE_SIZE) - 1).latent_dist.parameters.chunk(2, dim=1)
        posterior_noise = torch.randn(mean.shape, generator=generator).double()
        latents = 0.7 * (mean + (0.5 * log_variance.clamp(-30, 20)).exp() * posterior_noise)
    count = len(pictures)
    t = torch.randint(20, (max_step or 980) + 1, (count,), generator=generator)
    noise = torch.randn(latents.shape, generator=generator).double()
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    alpha_bar = torch.cumprod(1 - betas, 0)
    total = torch.zeros((), dtype=torch.float64)
    for b in range(count):
        signal = float(alpha_bar[t[b]])
        noisy = math.sqrt(signal) * latents[b].detach() + math.sqrt(1 - signal) * noise[b]
        camera = None if views is None else camera_embedding(views)[b : b + 1].double()
        planes = None if views is None else camera_planes(views, (LATENT_SIZE, LATENT_SIZE))[b : b + 1].double()

        def epsilon(embedding, known, b=b, noisy=noisy, camera=camera, planes=planes, signal=signal):
            seen = noisy[None] if planes is None else torch.cat([noisy[None], known * planes], dim=1)
            labels = None if camera is None else known * camera
            output = unet(seen, t[b], embedding[None].double(), class_labels=labels).sample[0]
            if model.scheduler.config.prediction_type == "epsilon":
                return output
            return math.sqrt(signal) * output + math.sqrt(1 - signal) * noisy

        with torch.no_grad():
            uncond, cond = epsilon(text[b], known=0), epsilon(text[count + b], known=1)
            grad = grad_scale * (1 - signal) * (uncond + scale * (cond - uncond) - noise[b])
        total = total + 0.5 * ((latents[b] - (latents[b].detach() - grad)) ** 2).sum()
    loss = total / count
    return loss.item(), torch.autograd.grad(loss, pictures)[0]


def check_step(model: StableDiffusion, channels: int, as_latent: bool, views: Views | None = None, **options) -> None:
    given = dict(options)
    if (last := given.pop("max_step", None)) is not None:
        given["timesteps"] = lambda count, generator: torch.randint(20, last + 1, (count,), generator=generator)
    text = model.get_text_embeds(["", "", "a cat", "a red dog"])
    pictures = torch.rand(2, channels, 6, 6, generator=seeded(1)).requires_grad_()
    loss = model.train_step(text, pictures, 7.5, as_latent, views=views, generator=seeded(), **given)
    loss.backward()
    expected, gradient = reference_step(
        model, text.embeddings, pictures.detach(), 7.5, as_latent=as_latent, views=views, **options
    )
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(pictures.grad.double(), gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max().item())


@pytest.mark.parametrize(("channels", "as_latent"), [(3, False), (4, True)])
def test_a_step_is_the_formula(plain, channels, as_latent):
    check_step(plain, channels, as_latent, grad_scale=0.3)


def test_a_step_with_velocity_prediction(velocity):
    check_step(velocity, 3, False)


def test_a_step_with_cameras(camera_aware):
    check_step(camera_aware, 3, False, orbit_views(2, 20.0, 3.0, 40.0))


def test_a_step_with_an_annealed_upper_end(plain):
    check_step(plain, 4, True, max_step=30)


@pytest.mark.parametrize("folder", ["plain_model", "camera_model"])
def test_saving_memory_changes_no_number(folder, request):
    usual, frugal = (load(request.getfixturevalue(folder), vram_O=vram_O) for vram_O in (False, True))
    text, views = usual.get_text_embeds(["", "", "a cat", "a dog"]), orbit_views(2, 20.0, 3.0, 40.0)
    pictures = torch.rand(2, 3, 16, 16, generator=seeded(1))
    first, second = (m.train_step(text, pictures, 10.0, views=views, generator=seeded()) for m in (usual, frugal))
    torch.testing.assert_close(first, second)
    pictures = [model.prompt_to_img("a cat", steps=2, views=views) for model in (usual, frugal)]
    np.testing.assert_array_equal(*pictures)


def test_each_of_many_texts_a_picture_is_told_the_views_but_the_first(camera_aware):
    """Three texts for each of two pictures are as three predictions of one text each."""
    views, t = orbit_views(2, 20.0, 3.0, 40.0), torch.tensor([100, 700])
    noisy = torch.randn(2, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded())
    text = camera_aware.get_text_embeds(["", "", "a cat", "a cat", "a dog", "a cow"])
    together = camera_aware.predict_noise(noisy, t, text, views).chunk(3)
    pairs = [
        camera_aware.predict_noise(noisy, t, text[torch.tensor([0, 1, *some])], views) for some in ([2, 3], [4, 5])
    ]
    torch.testing.assert_close(together[0], pairs[0].chunk(2)[0])
    for one, pair in zip(together[1:], pairs, strict=True):
        torch.testing.assert_close(one, pair.chunk(2)[1])


# A UNet with a known answer


class KnownUNet(nn.Module):
    """Predicts the mean of the text embedding everywhere, and keeps what it was asked."""

    dtype = torch.float32
    config = SimpleNamespace(class_embed_type=None)

    def __init__(self) -> None:
        super().__init__()
        self.timesteps: list[int] = []

    def forward(self, latents, t, text, class_labels=None, return_dict=True):  # noqa: ARG002
        self.timesteps += t.tolist()
        return (text.mean(dim=(1, 2))[:, None, None, None].expand_as(latents),)


@pytest.fixture
def known(plain_model) -> StableDiffusion:
    model = load(plain_model)
    model.unet = KnownUNet()
    return model


def test_a_known_answer(known):
    """eps_uncond = 1, eps_text = 3, s = 5: eps = 11, so dL/dz = (1 - alpha_bar) (11 - noise) / B."""
    text = Conditioning(torch.cat([torch.full((2, 4, TEXT_WIDTH), 1.0), torch.full((2, 4, TEXT_WIDTH), 3.0)]))
    pictures = torch.full((2, 4, LATENT_SIZE, LATENT_SIZE), 0.5, requires_grad=True)
    known.train_step(text, pictures, 5.0, as_latent=True, generator=seeded()).backward()
    generator = seeded()
    torch.randint(20, 981, (2,), generator=generator)
    noise = torch.randn(2, 4, LATENT_SIZE, LATENT_SIZE, generator=generator)
    weight = 1 - known.alphas[known.unet.timesteps[:2]][:, None, None, None]
    torch.testing.assert_close(pictures.grad, 2 * weight * (11 - noise) / 2)


def test_both_ends_of_the_timesteps_are_drawn(known):
    known.min_step, known.max_step = 3, 6
    text, pictures = Conditioning(torch.zeros(800, 1, TEXT_WIDTH)), torch.zeros(400, 4, LATENT_SIZE, LATENT_SIZE)
    known.train_step(text, pictures, as_latent=True, generator=seeded())
    counts = np.bincount(known.unet.timesteps[:400], minlength=8)
    assert counts[:3].sum() == counts[7:].sum() == 0
    assert counts[3:7].min() > 65


class GaussianUNet(nn.Module):
    """The exact noise prediction for data spread normally, with `deviation`, about `target`."""

    dtype = torch.float32
    config = SimpleNamespace(class_embed_type=None)

    def __init__(self, target: torch.Tensor, deviation: float, alphas: torch.Tensor) -> None:
        super().__init__()
        self.target, self.variance, self.alphas = target, deviation**2, alphas

    def forward(self, latents, t, text, class_labels=None, return_dict=True):  # noqa: ARG002
        signal = self.alphas[t][:, None, None, None]
        spread = signal * self.variance + 1 - signal
        return ((1 - signal).sqrt() * (latents - signal.sqrt() * self.target) / spread,)


def test_sds_drives_a_picture_to_the_known_optimum(plain_model):
    model = load(plain_model)
    target = torch.rand(1, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded(2))
    model.unet = GaussianUNet(2 * target - 1, 0.01, model.alphas)
    picture = torch.full_like(target, 0.5).requires_grad_()
    optimizer = torch.optim.Adam([picture], lr=0.02)
    text, generator = Conditioning(torch.zeros(2, 1, TEXT_WIDTH)), seeded()
    for _ in range(200):
        optimizer.zero_grad()
        model.train_step(text, picture, 100.0, as_latent=True, generator=generator).backward()
        optimizer.step()
    assert (picture.detach() - target).abs().max() < 0.02


# Precision


def test_half_precision_on_a_cpu_is_declined_in_words(plain_model):
    with pytest.warns(UserWarning, match="fp16 is of no use on a CPU"):
        model = StableDiffusion("cpu", True, False, hf_key=str(plain_model))
    assert model.unet.dtype == model.vae.dtype == torch.float32


def test_decoding_undoes_encoding_up_to_the_autoencoder(plain):
    """The same scale on the way in and out: encode_imgs times 1 / 0.7 decoded by the bare autoencoder."""
    pictures = torch.rand(1, 3, IMAGE_SIZE, IMAGE_SIZE, generator=seeded())
    latents = plain.encode_imgs(pictures, seeded())
    posterior = plain.vae.encode(2 * pictures - 1).latent_dist
    torch.testing.assert_close(latents, 0.7 * posterior.sample(seeded()))
    expected = (plain.vae.decode(latents / 0.7).sample / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(plain.decode_latents(latents), expected)
