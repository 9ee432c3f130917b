import imageio.v3 as iio
import numpy as np
import torch

from core.prompt import VIEW_WORDS
from core.starter import samples
from core.starter.catalogue import CONCEPTS
from core.starter.networks import make_vae


def test_reconstructions_stand_below_their_originals(tmp_path):
    images = torch.rand(10, 3, 64, 64, generator=torch.Generator().manual_seed(0))[:8]
    samples.write_reconstructions(make_vae(), images, tmp_path / "sheet.png")
    sheet = iio.imread(tmp_path / "sheet.png")
    assert sheet.shape == (128, 512, 3)
    np.testing.assert_array_equal(sheet[:64, 64:128], (images[1] * 255).round().byte().permute(1, 2, 0).numpy())


def test_samples_show_four_sides_of_every_concept(tmp_path, monkeypatch):
    asked = []

    class Painter:
        def __init__(self, device, *_precision, hf_key):
            assert (device, hf_key) == ("cpu", "some folder")

        def prompt_to_img(self, text, steps, guidance_scale):  # noqa: ARG002
            asked.append(text)
            return np.full((1, 2, 2, 3), len(asked), np.uint8)

    monkeypatch.setattr(samples, "StableDiffusion", Painter)
    monkeypatch.setattr(samples, "CONCEPTS", CONCEPTS[:7])
    samples.write_samples("some folder", tmp_path / "samples.png", steps=1)
    assert asked[:4] == [f"a hamburger, {view}" for view in VIEW_WORDS]
    assert asked[4] == "an orange donut, front view"
    sheet = iio.imread(tmp_path / "samples.png")[::2, ::2, 0]
    assert sheet.reshape(-1).tolist() == [*range(1, 29), *[255] * 8]
