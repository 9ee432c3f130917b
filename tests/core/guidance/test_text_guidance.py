"""The whole guidance on a tiny model: prompts, annealing and the pull on a picture."""

from __future__ import annotations

import pytest
import torch

from core.camera import Views, orbit_views
from core.config import Config, GuidanceConfig, override
from core.errors import InputError
from core.guidance import make_guidance, text_guidance
from core.guidance.conditioning import Conditioning
from core.guidance.perp_neg import negative_weights
from core.guidance.stable_diffusion import StableDiffusion
from core.guidance.text_guidance import TextGuidance

CPU = torch.device("cpu")
ANNEALED = {"guidance_scale": 12.0, "guidance_scale_end": 0.5, "t_range": (0.02, 0.98), "t_max_end": 0.4}


def job(folder, **changes) -> Config:
    return override(Config("a cat", "dog"), guidance={"model": "sd", "hf_key": str(folder), **changes})


class Recorder:
    """Stands in for train_step and keeps what it is given."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def __call__(self, text, image, **options):
        self.calls.append({"text": text, "image": image, **options})
        return image.sum()


@pytest.fixture
def recorded(camera_model, monkeypatch) -> tuple[TextGuidance, Recorder, StableDiffusion]:
    """A guidance whose model only records, and an untouched model beside it."""
    guidance = make_guidance(job(camera_model, **ANNEALED), CPU)
    recorder = Recorder()
    monkeypatch.setattr(guidance.model, "train_step", recorder)
    return guidance, recorder, StableDiffusion(CPU, False, False, hf_key=str(camera_model))


def test_the_model_hears_the_view_and_what_to_avoid(recorded):
    guidance, recorder, model = recorded
    views, image = orbit_views(4, 10.0, 3.0, 40.0), torch.rand(4, 3, 8, 8)
    guidance.loss(image, views, 0.0, torch.Generator())
    call = recorder.calls[0]
    texts = ["dog"] * 4 + [f"a cat, {side} view" for side in ("front", "side", "back", "side")]
    torch.testing.assert_close(call["text"].embeddings, model.get_text_embeds(texts).embeddings)
    assert call["recipe"].scale == 12.0
    assert call["image"] is image
    torch.testing.assert_close(call["views"].azimuth_deg, views.azimuth_deg)


@pytest.mark.parametrize(("progress", "max_step", "scale"), [(0.0, 980, 12.0), (0.5, 690, 9.0), (1.0, 400, 6.0)])
def test_noise_and_scale_lessen_with_progress(recorded, progress, max_step, scale):
    guidance, recorder, _ = recorded
    guidance.loss(torch.rand(1, 3, 8, 8), orbit_views(1, 10.0, 3.0, 40.0), progress, torch.Generator())
    call = recorder.calls[0]
    drawn = call["timesteps"](20_000, torch.Generator().manual_seed(0))
    assert (drawn.min(), drawn.max()) == (20, max_step)
    assert call["recipe"].scale == scale


def test_the_law_of_the_timesteps_is_the_configurations(camera_model, monkeypatch):
    guidance, recorder = make_guidance(job(camera_model, anneal="sqrt"), CPU), Recorder()
    monkeypatch.setattr(guidance.model, "train_step", recorder)
    guidance.loss(torch.rand(1, 3, 8, 8), orbit_views(1, 10.0, 3.0, 40.0), 0.25, torch.Generator())
    assert recorder.calls[0]["timesteps"](3, None).tolist() == [500] * 3


def test_the_gradient_is_scaled_as_configured(camera_model, one_view):
    image, grads = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2)), []
    for grad_scale in (1.0, 2.5):
        guidance = make_guidance(override(job(camera_model), distillation={"grad_scale": grad_scale}), CPU)
        picture = image.clone().requires_grad_()
        guidance.loss(picture, one_view, 0.3, torch.Generator().manual_seed(1)).backward()
        grads.append(picture.grad)
    torch.testing.assert_close(2.5 * grads[0], grads[1])


def test_perp_neg_tells_the_wrong_sides_and_their_weights(camera_model, monkeypatch):
    config = override(
        job(camera_model, view_prompts="interpolated"), distillation={"perpneg": True, "negative_w": -1.0}
    )
    guidance, recorder = make_guidance(config, CPU), Recorder()
    monkeypatch.setattr(guidance.model, "train_step", recorder)
    model, views = StableDiffusion(CPU, False, False, hf_key=str(camera_model)), orbit_views(4, 10.0, 3.0, 40.0)
    guidance.loss(torch.rand(4, 3, 8, 8), views, 0.0, torch.Generator())
    call = recorder.calls[0]
    sides = [f"a cat, {side} view" for side in ("front", "side", "back", "side")]
    texts = ["dog"] * 4 + sides + [sides[0]] * 4 + [sides[1]] * 4
    torch.testing.assert_close(call["text"].embeddings, model.get_text_embeds(texts).embeddings)
    torch.testing.assert_close(call["recipe"].negative_weights, negative_weights(views, -1.0))
    assert call["recipe"].config.perpneg


def test_only_vsd_learns(camera_model):
    plain = make_guidance(job(camera_model), CPU)
    assert plain.state_dict() == {}
    plain.load_state_dict({})
    config = override(job(camera_model), distillation={"method": "vsd"})
    first, second, other = (make_guidance(override(config, seed=seed), CPU).state_dict() for seed in (1, 1, 2))
    assert first["additions"].keys() == second["additions"].keys()
    assert all(torch.equal(tensor, second["additions"][name]) for name, tensor in first["additions"].items())
    assert any(not torch.equal(tensor, other["additions"][name]) for name, tensor in first["additions"].items())


def test_the_text_encoder_is_dropped(recorded):
    guidance, _, _ = recorded
    assert guidance.model.text_encoders is None


@pytest.fixture
def one_view() -> Views:
    return orbit_views(1, 10.0, 3.0, 40.0)


def test_the_same_generator_gives_the_same_loss_and_gradient(camera_model, one_view):
    guidance = make_guidance(job(camera_model), CPU)
    results = []
    for seed in (1, 1, 2):
        image = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
        loss = guidance.loss(image, one_view, 0.3, torch.Generator().manual_seed(seed))
        loss.backward()
        results.append((loss.item(), image.grad))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])
    assert results[0][0] != results[2][0]


def test_only_the_given_generator_is_drawn_from(camera_model, one_view):
    guidance = make_guidance(job(camera_model), CPU)
    before = torch.get_rng_state()
    guidance.loss(torch.rand(1, 3, 8, 8, generator=torch.Generator()), one_view, 0.0, torch.Generator())
    assert torch.equal(before, torch.get_rng_state())


def test_the_starter_is_the_default_model(camera_model, monkeypatch):
    monkeypatch.setattr(text_guidance, "STARTER_FOLDER", camera_model)
    model = text_guidance.load_model(GuidanceConfig(), CPU, print)
    assert model.unet.config.class_embed_type == "projection"


def test_in_bfloat16_the_noise_is_nearly_the_same(camera_model, monkeypatch, one_view):
    torch.manual_seed(0)
    noisy, text, t = torch.randn(1, 4, 8, 8), Conditioning(torch.randn(2, 24, 16)), torch.tensor([500])
    predicted = []
    for fast in (False, True):
        monkeypatch.setattr(text_guidance, "has_fast_bf16", lambda _device, fast=fast: fast)
        model = text_guidance.load_model(job(camera_model).guidance, CPU, print)
        assert model.unet.dtype == (torch.bfloat16 if fast else torch.float32)
        assert model.vae.dtype == torch.float32
        predicted.append(model.predict_noise(noisy, t, text, one_view))
    whole, short = predicted
    assert whole.dtype == short.dtype == torch.float32
    assert 0 < (whole - short).norm() < 0.03 * whole.norm()


def test_networks_are_compiled_where_that_is_asked_for(camera_model, monkeypatch):
    compiled = []
    monkeypatch.setattr(text_guidance, "compile_or_leave", lambda _network, name, _say: compiled.append(name))
    text_guidance.load_model(job(camera_model).guidance, CPU, print)
    assert compiled == []
    text_guidance.load_model(override(job(camera_model), guidance={"compile": True}).guidance, CPU, print)
    assert compiled == ["denoiser", "autoencoder"]


def test_only_the_starter_remarks_on_words_that_it_does_not_know(camera_model, monkeypatch):
    monkeypatch.setattr(text_guidance, "STARTER_FOLDER", camera_model)
    said: list[str] = []
    make_guidance(override(job(camera_model), prompt="a corgi", negative="blur"), CPU, said.append)
    make_guidance(Config("a dog", "red"), CPU, said.append)
    assert not said
    make_guidance(Config("a shiny dog", "blur"), CPU, said.append)
    assert said == [
        'The starter model does not know "shiny" and goes by the rest.',
        'The starter model does not know "blur" in the negative prompt: leave that out.',
    ]


def test_lines_for_the_user_are_said(plain_model):
    said: list[str] = []
    config = override(job(plain_model, fp16=True), prompt="many words " * 20)
    make_guidance(config, CPU, said.append)
    assert len(said) == 2
    assert "fp16" in said[0]
    assert "too long" in said[1]


def test_a_blank_prompt_and_a_missing_model_are_refused(plain_model):
    with pytest.raises(InputError, match="prompt is empty"):
        make_guidance(override(job(plain_model), prompt=" "), CPU)
    with pytest.raises(InputError, match="neither a folder, a file nor a hub name"):
        make_guidance(job("/no/such/folder"), CPU)
