"""The wrapper's texts and pictures, against diffusers' own pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from core.camera import PLANE_CHANNELS, orbit_views, portrait_view
from core.errors import DreamFusionError, InputError
from tests.core.guidance.conftest import LATENT_SIZE, MAX_TOKENS, TEXT_WIDTH, load, seeded

IMAGE_SIZE = 2 * LATENT_SIZE


# Text


def test_text_is_encoded_as_diffusers_does(plain, plain_model):
    pipeline = load_pipeline(plain_model)
    texts = ["a cat", "a very long sentence " * 9]
    expected, _ = pipeline.encode_prompt(texts, torch.device("cpu"), 1, False)
    torch.testing.assert_close(plain.get_text_embeds(texts).embeddings, expected)
    assert plain.get_text_embeds("a cat").embeddings.shape == (1, MAX_TOKENS, TEXT_WIDTH)


def test_tokens_are_counted_without_cutting(plain):
    assert plain.count_tokens("ab, view") == 2 + 2 + 1 + 1
    assert plain.count_tokens("a " * 100) == 102


def test_a_dropped_text_encoder_is_gone(plain_model):
    model = load(plain_model)
    model.drop_text_encoder()
    assert not any("text_encoder" in name for name, _ in model.named_parameters())
    with pytest.raises(DreamFusionError, match="text encoder was dropped"):
        model.get_text_embeds("a cat")


# Pictures


def load_pipeline(folder: Path) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, feature_extractor=None, requires_safety_checker=False, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("kind", ["plain_model", "velocity_model"])
def test_pictures_are_those_of_diffusers(kind, request):
    folder = request.getfixturevalue(kind)
    expected = load_pipeline(folder)(
        "a red dog", height=16, width=24, num_inference_steps=4, negative_prompt="a cat", generator=seeded(7),
        output_type="np",
    ).images  # fmt: skip
    picture = load(folder).prompt_to_img("a red dog", "a cat", 16, 24, 4, seed=7)
    assert picture.shape == (1, 16, 24, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture, expected * 255, atol=0.51)


def test_pictures_follow_prompt_seed_and_negative(plain):
    base = plain.prompt_to_img("a cat", steps=2)
    np.testing.assert_array_equal(base, plain.prompt_to_img(" a  cat ", "", IMAGE_SIZE, IMAGE_SIZE, 2))
    for other in ({"text": "a dog"}, {"seed": 1}, {"negative": "dog"}):
        assert (plain.prompt_to_img(**{"text": "a cat", "steps": 2} | other) != base).any()


def test_pictures_follow_the_camera(camera_aware):
    around = camera_aware.prompt_to_img("a cat", steps=2, views=orbit_views(3, 20.0, 3.0, 40.0))
    assert around.shape == (3, IMAGE_SIZE, IMAGE_SIZE, 3)
    assert len({picture.tobytes() for picture in around}) == 3


def test_a_picture_is_taken_from_beside_the_front_unless_a_side_is_named(camera_aware):
    usual = camera_aware.prompt_to_img("a cat", steps=2)
    np.testing.assert_array_equal(usual, camera_aware.prompt_to_img("a cat", steps=2, views=portrait_view()))
    named = camera_aware.prompt_to_img("a cat, side view", steps=2)
    assert (camera_aware.prompt_to_img("a cat, side view", steps=2, views=portrait_view()) != named).any()


def test_an_unknown_camera_is_all_zeros(camera_aware):
    latents, t = torch.zeros(1, 4, LATENT_SIZE, LATENT_SIZE), torch.tensor([500])
    text = camera_aware.get_text_embeds(["", "a cat"])
    blind = torch.zeros(1, 4 + PLANE_CHANNELS, LATENT_SIZE, LATENT_SIZE)
    expected = camera_aware.unet(blind.repeat(2, 1, 1, 1), t, text.embeddings, class_labels=torch.zeros(2, 5)).sample
    torch.testing.assert_close(camera_aware.predict_noise(latents, t, text), expected)


@pytest.mark.parametrize("steps", [0, 1001])
def test_impossible_steps_are_refused(plain, steps):
    with pytest.raises(InputError, match="from 1 to 1000"):
        plain.prompt_to_img("a cat", steps=steps)


@pytest.mark.parametrize("bad", [{"H": 15}, {"W": 7}, {"H": -4}])
def test_impossible_sizes_are_refused(plain, bad):
    with pytest.raises(InputError, match="multiples of 2"):
        plain.prompt_to_img("a cat", **bad)


def test_prompts_of_pictures_are_checked(plain):
    said: list[str] = []
    with pytest.raises(InputError, match="prompt is empty"):
        plain.prompt_to_img("  ")
    plain.prompt_to_img("ab cd " * 30, steps=1, say=said.append)
    assert len(said) == 1
    assert "too long" in said[0]
