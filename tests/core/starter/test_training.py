"""A few steps of the starter model's training, on noise."""

import random
import sys

import pytest
import torch

from core.guidance.stable_diffusion import StableDiffusion
from core.starter import training
from core.starter.networks import make_pipeline
from core.starter.training import Denoiser, draw_timesteps, train_denoiser
from tests.core.starter.doubles import noise_data_set


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(training, "DENOISER_BATCH", 2)
    monkeypatch.setattr(training, "DECODER_BATCH", 2)
    monkeypatch.setattr(training, "SAVE_EVERY", 1)


class Interrupted:
    """A data set that counts what it gives, and stops giving."""

    def __init__(self, data, batches):
        self.data, self.left = data, batches

    def draw(self, batch, rng):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.data.draw(batch, rng)


def test_training_ends_with_a_model_that_the_program_loads(tmp_path, monkeypatch):
    sheets = []
    monkeypatch.setattr(training, "write_samples", lambda *arguments: sheets.append(arguments))
    noise_data_set().save(tmp_path / "dataset.pt")
    work, out = tmp_path / "new" / "work", tmp_path / "model"
    paths = ["--data", tmp_path / "dataset.pt", "--work", work, "--out", out]
    arguments = [*map(str, paths), "--samples", "4", "--decoder-samples", "4", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["training", *arguments])
    training.main()
    assert {path.name for path in work.iterdir()} == {"denoiser.pt", "decoder.pt", "decoder.png"}
    assert sheets == [(out, work / "samples.png")]
    assert torch.load(work / "denoiser.pt", weights_only=True)["step"] == 2
    picture = StableDiffusion("cpu", False, False, hf_key=str(out)).prompt_to_img("a red mug", steps=1)
    assert picture.shape == (1, 64, 64, 3)


def test_an_interrupted_training_resumes_at_its_last_saved_step(tmp_path):
    data, pipeline = noise_data_set(), make_pipeline()
    with pytest.raises(KeyboardInterrupt):
        train_denoiser(pipeline, Interrupted(data, 2), tmp_path, samples=6)
    saved = torch.load(tmp_path / "denoiser.pt", weights_only=True)
    assert saved["step"] == 2
    rest = Interrupted(data, 1)
    pipeline = make_pipeline()
    train_denoiser(pipeline, rest, tmp_path, samples=6)
    assert rest.left == 0
    saved = torch.load(tmp_path / "denoiser.pt", weights_only=True)
    assert saved["step"] == 3
    weight = pipeline.unet.conv_in.weight
    assert torch.equal(weight, saved["average"]["unet.conv_in.weight"])
    assert not torch.equal(weight, saved["model"]["unet.conv_in.weight"])


def test_running_averages_remember_no_history():
    """No graph grows from step to step."""
    model, average = (torch.nn.Linear(2, 2) for _ in range(2))
    expected = 0.9 * average.weight.detach() + 0.1 * model.weight.detach()
    training._follow(average.requires_grad_(False), model, 0.9)
    torch.testing.assert_close(average.weight, expected)
    assert not average.weight.requires_grad


def test_the_loss_asks_for_the_velocity(monkeypatch):
    """With a network that answers zero the loss is the mean square of v, which is 1 for normal latents."""
    pipeline = make_pipeline()
    torch.nn.init.zeros_(pipeline.unet.conv_out.weight)
    torch.nn.init.zeros_(pipeline.unet.conv_out.bias)
    torch.manual_seed(0)
    monkeypatch.setattr(training, "to_latents", lambda images: torch.randn(len(images), 6, 32, 32))
    loss = Denoiser(pipeline).loss(noise_data_set().draw(4, random.Random(0)))
    assert loss.item() == pytest.approx(1, abs=0.05)


def test_the_last_timestep_is_the_last(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda count: torch.full((count,), 1 - 2**-24))
    assert draw_timesteps(1, 1000).tolist() == [999]


def test_heavy_noise_is_drawn_as_often_as_asked(monkeypatch):
    def share(heavy):
        monkeypatch.setattr(training, "HEAVY_SHARE", heavy)
        return (draw_timesteps(4000, 1000) >= 850).float().mean().item()

    assert [share(heavy) for heavy in (0, 0.5, 1)] == pytest.approx([0.15, 0.575, 1], abs=0.03)


def test_what_differs_from_its_surroundings_counts_more():
    images = torch.full((2, 3, 16, 16), 0.5)
    images[0, 1, 8, 8] = 1.0  # green
    weights = training.emphasis(images)
    assert weights.shape == (2, 1, 8, 8)
    assert weights.mean().item() == pytest.approx(1, abs=1e-6)
    plain = weights[1, 0, 0, 0]
    torch.testing.assert_close(weights[1], plain.expand(1, 8, 8))
    dot = (0.5 * (24 + 3) / 25) / 4  # of its block of 2x2: itself by 24/25 of 0.5, its three neighbours by 1/25
    assert (weights[0, 0, 4, 4] / plain).item() == pytest.approx(1 + training.DETAIL * dot, rel=1e-4)
