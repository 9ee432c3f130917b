"""MVDream's UNet and training step against slow float64 references, and its public layout both ways."""

from __future__ import annotations

import copy
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor

from core.camera import camera_matrices, orbit_views
from core.config import Config, override
from core.errors import InputError
from core.guidance import make_guidance, multiview
from core.guidance.multiview import MultiViewUNet, join_views, unet_from_ldm, unet_settings
from core.guidance.single_file import CONFIGS
from core.guidance.stable_diffusion import StableDiffusion
from core.train import Trainer
from tests.core.guidance.conftest import LATENT_SIZE, TEXT_WIDTH, load, seeded
from tests.core.guidance.tiny_multiview import SETTINGS, public_state, tiny, write_public

CPU = torch.device("cpu")


class SlowAttention:
    """Self-attention across four views, one query token and one head at a time."""

    def __call__(self, attn, hidden_states: Tensor, *_args, **_options) -> Tensor:
        count, tokens, _ = hidden_states.shape
        result = torch.zeros_like(hidden_states)
        for start in range(0, count, 4):
            everything = torch.cat([hidden_states[start + view] for view in range(4)])
            query, key, value = attn.to_q(everything), attn.to_k(everything), attn.to_v(everything)
            width = query.shape[1] // attn.heads
            for place in range(4 * tokens):
                heads = []
                for head in (slice(h * width, (h + 1) * width) for h in range(attn.heads)):
                    weights = (key[:, head] @ query[place, head] / math.sqrt(width)).softmax(0)
                    heads.append(weights @ value[:, head])
                result[start + place // tokens, place % tokens] = attn.to_out[0](torch.cat(heads))
        return result


def slow_twin(unet: MultiViewUNet) -> UNet2DConditionModel:
    """Plain diffusers with the same weights and the slow attention, in float64."""
    twin = UNet2DConditionModel(**unet_settings(SETTINGS)).eval().requires_grad_(False)
    twin.load_state_dict(unet.state_dict())
    slow = {name: SlowAttention() for name in twin.attn_processors if ".attn1." in name}
    twin.set_attn_processor(dict(twin.attn_processors) | slow)
    return twin.double()


def inputs(count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Latents, times, texts and cameras of `count` views."""
    latents, text = (torch.randn(count, *s, generator=seeded()).double() for s in ((4, 8, 8), (5, TEXT_WIDTH)))
    cameras = camera_matrices(orbit_views(count, 20.0, 3.0, 40.0)).double()
    return latents, torch.full((count,), 400), text, cameras


@pytest.fixture(scope="module")
def folder(plain_model, tmp_path_factory) -> Path:
    """A model in the layout of the folders on the hub."""
    folder = tmp_path_factory.mktemp("models") / "mvdream"
    shutil.copytree(plain_model, folder)
    write_public(tiny(), folder)
    return folder


@pytest.fixture
def model(folder) -> StableDiffusion:
    return load(folder, sd_version="mvdream")


def test_attention_runs_across_the_four_views_of_each_object():
    unet = tiny().double()
    latents, times, text, cameras = inputs(8)
    output = unet(latents, times, text, class_labels=cameras).sample
    expected = slow_twin(unet)(latents, times, text, class_labels=cameras).sample
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    alone = unet(latents[:4], times[:4], text[:4], class_labels=cameras[:4]).sample
    torch.testing.assert_close(output[:4], alone, rtol=1e-10, atol=1e-10)


def test_one_view_is_plain_self_attention():
    unet = tiny().double()
    join_views(unet, 1)
    plain = UNet2DConditionModel(**unet_settings(SETTINGS)).double().eval()
    plain.load_state_dict(unet.state_dict())
    latents, times, text, cameras = inputs(4)
    one, other = (net(latents, times, text, class_labels=cameras).sample for net in (unet, plain))
    torch.testing.assert_close(one, other.detach(), rtol=1e-12, atol=1e-12)


def test_every_public_weight_finds_its_place():
    original = tiny()
    state = public_state(original)
    assert {"camera_embed.0.weight", "camera_embed.2.bias"} <= set(state)
    unet = unet_from_ldm(state, SETTINGS, torch.float32)
    assert set(unet.state_dict()) == set(original.state_dict())
    for name, tensor in original.state_dict().items():
        assert torch.equal(unet.state_dict()[name], tensor), name
    with pytest.raises(RuntimeError, match="1 weights have no place"):
        unet_from_ldm(state | {"lora.up": torch.zeros(1)}, SETTINGS, torch.float32)


def test_the_real_settings_are_those_of_stable_diffusion_2_with_a_camera():
    """865.9 million weights, and two linear layers: 16 x 1280 + 1280 and 1280 x 1280 + 1280."""
    with torch.device("meta"):
        unet = MultiViewUNet(**unet_settings(json.loads((CONFIGS / "mvdream" / "unet" / "config.json").read_text())))
    camera = 16 * 1280 + 1280 + 1280 * 1280 + 1280
    assert sum(p.numel() for p in unet.parameters()) == 865_910_724 + camera
    joined = [p for p in unet.attn_processors.values() if isinstance(p, multiview.MultiViewAttention)]
    assert len(joined) == 16


def reference_loss(model: StableDiffusion, text: Tensor, pictures: Tensor, cameras: Tensor, scale: float) -> Tensor:
    """SDS from its formula: one time for all four views, and both predictions are told the cameras."""
    generator, unet = seeded(), slow_twin(model.unet.float())
    latents = 2 * pictures - 1
    t = torch.randint(20, 981, (1,), generator=generator)
    noise = torch.randn(latents.shape, generator=generator).double()
    signal = model.alphas.double()[t]
    noisy = signal.sqrt() * latents.detach() + (1 - signal).sqrt() * noise
    uncond, cond = (unet(noisy, t.repeat(4), half, class_labels=cameras).sample for half in text.double().chunk(2))
    grad = (1 - signal) * (uncond + scale * (cond - uncond) - noise)
    return 0.5 * (latents - (latents - grad).detach()).square().sum() / 4


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_a_training_step_is_the_formula(model, dtype, tolerance):
    views = orbit_views(4, 20.0, 3.0, 40.0)
    text = model.get_text_embeds([""] * 4 + ["a cat"] * 4)
    pictures = torch.rand(4, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded(1)).double()
    pictures.requires_grad_()
    expected = reference_loss(model, text.embeddings, pictures, camera_matrices(views).double(), 7.5)
    gradient = torch.autograd.grad(expected, pictures)[0]
    model.to(dtype)
    own = pictures.detach().to(dtype).requires_grad_()
    loss = model.train_step(text, own, 7.5, as_latent=True, views=views, generator=seeded())
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=tolerance)
    error = (own.grad.double() - gradient).norm() / gradient.norm()
    assert error < tolerance


def test_imagedream_in_the_same_layout_is_refused_in_one_line(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "unet" / "config.json").write_text(json.dumps(SETTINGS | {"ip_dim": 16}))
    with pytest.raises(InputError, match=r"^This model is ImageDream, .* give MVDream\.$"):
        load(tmp_path / "model", sd_version="mvdream")


def test_saving_memory_changes_no_number(folder):
    views, pictures = orbit_views(4, 20.0, 3.0, 40.0), torch.rand(4, 3, 16, 16, generator=seeded(1))
    losses = []
    for vram_O in (False, True):
        model = load(folder, vram_O=vram_O, sd_version="mvdream")
        text = model.get_text_embeds([""] * 4 + ["a cat"] * 4)
        losses.append(model.train_step(text, pictures, 10.0, views=views, generator=seeded()))
    torch.testing.assert_close(*losses)


def test_a_picture_of_a_prompt_is_four_views_by_diffusers_sampler(model):
    """There is no pipeline of diffusers to compare with: the slow UNet and the sampler, put together by hand."""
    pictures = model.prompt_to_img("a cat", "blurry", steps=3, seed=7)
    unet, vae = slow_twin(model.unet), copy.deepcopy(model.vae).double()
    texts = model.get_text_embeds(["blurry"] * 4 + ["a cat"] * 4).embeddings.double().chunk(2)
    cameras = camera_matrices(orbit_views(4, 15.0, 3.0, 40.0)).double()
    sampler = DDIMScheduler.from_config(model.scheduler.config)
    sampler.set_timesteps(3)
    latents = torch.randn(4, 4, LATENT_SIZE, LATENT_SIZE, generator=seeded(7)).double()
    with torch.no_grad():
        for t in sampler.timesteps:
            uncond, cond = (unet(latents, t, text, class_labels=cameras).sample for text in texts)
            latents = sampler.step(uncond + 7.5 * (cond - uncond), t, latents).prev_sample
        decoded = vae.decode(latents / vae.config.scaling_factor).sample.permute(0, 2, 3, 1)
    np.testing.assert_allclose(pictures, (decoded / 2 + 0.5).clamp(0, 1) * 255, atol=0.51)
    assert pictures.std() > 1


def test_training_draws_four_views_a_step(folder):
    config = override(
        Config("a cat"),
        field={"levels": 2, "log2_entries": 8},
        render={"resolution": 8, "samples": 8, "occupancy_resolution": 8},
        guidance={"model": "sd", "hf_key": str(folder), "sd_version": "mvdream"},
    )
    guidance, seen = make_guidance(config, CPU, pytest.fail), []
    trainer = Trainer(config, guidance, CPU)
    step = guidance.model.train_step
    guidance.model.train_step = lambda *args, **options: seen.append(options["views"]) or step(*args, **options)
    trainer.iterate()
    torch.testing.assert_close(seen[0].azimuth_deg.diff(), torch.full((3,), 90.0))
    assert trainer.skipped == 0
