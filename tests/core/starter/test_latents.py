import pytest
import torch

from core.starter.latents import to_latents
from core.starter.networks import make_vae


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_encoder_computes_the_written_down_latents(dtype):
    """Half precision is that of the stored weights; the arithmetic is float32, as on a CPU."""
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    images[0], images[1] = 1, -1
    posterior = make_vae().to(dtype).float().encode(images).latent_dist
    assert (posterior.mean - to_latents(images)).abs().max() < 2e-3
    assert posterior.std.max() < 1e-4


def test_latents_are_block_means_and_luma_differences():
    image = torch.full((1, 3, 2, 2), 0.5)
    assert torch.allclose(to_latents(image)[0, :, 0, 0], torch.tensor([0.5, 0.5, 0.5, 0, 0, 0]), atol=1e-6)
    image[..., 0] += 0.2  # the left column is brighter
    mean, horizontal, vertical, diagonal = to_latents(image)[0, [0, 3, 4, 5], 0, 0].tolist()
    assert mean == pytest.approx(0.6)
    assert horizontal == pytest.approx(3 * (0.7 + 0.7 - 0.5 - 0.5) / 4)
    assert [vertical, diagonal] == pytest.approx([0, 0], abs=1e-6)
