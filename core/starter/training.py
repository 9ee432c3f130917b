"""Training of the starter model: the text encoder and the UNet together, and the autoencoder's decoder.

    python -m core.starter.dataset --out build/starter
    python -m core.starter.training --data build/starter/dataset.pt --work build/starter --out core/starter/weights

The first stage, text encoder and UNet, saves its state in the work folder every SAVE_EVERY steps and resumes from
there; the second, the decoder, saves when it is done. The work folder also gets sheets of samples. The first loss is
that of v-prediction (Salimans and Ho 2022, section 4).
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from tqdm import tqdm

from core.device import keep_freed_memory, pick_device
from core.starter.dataset import Batch, Dataset
from core.starter.descent import Descent
from core.starter.latents import to_latents
from core.starter.networks import make_pipeline
from core.starter.samples import write_reconstructions, write_samples

DECODER_BATCH, DENOISER_BATCH = 16, 32
SAVE_EVERY = 250  # steps
EMA_DECAY = 0.998
HEAVY_NOISE = 0.15  # share of the timesteps, the noisiest
HEAVY_SHARE = 0.3  # share of the pictures that get HEAVY_NOISE for certain
DETAIL = 5.0  # how much more a place counts where the picture differs from its surroundings by 1


def train_decoder(pipeline: Any, data: Dataset, work: Path, samples: int) -> None:
    """Fit the autoencoder's decoder by L1 reconstruction; its encoder is fixed."""
    vae, path = pipeline.vae, work / "decoder.pt"
    if path.exists():
        vae.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return
    weights = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(weights, 2e-3, weight_decay=1e-4)
    steps, rng = samples // DECODER_BATCH, random.Random(1)
    for step in tqdm(range(steps), desc="decoder"):
        images = data.draw(DECODER_BATCH, rng).images.to(vae.device) * 2 - 1
        with torch.autocast(images.device.type, torch.bfloat16):
            decoded = vae.decode(to_latents(images)).sample
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * _schedule(step / steps)
        optimizer.zero_grad()
        F.l1_loss(decoded.float(), images).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
    torch.save(vae.state_dict(), path)
    write_reconstructions(vae, data.draw(32, rng).images.to(vae.device), work / "decoder.png")


class Denoiser(nn.Module):
    """The parts that are trained together, and the frozen ones that they need."""

    def __init__(self, pipeline: Any) -> None:
        """Shares the pipeline's modules."""
        super().__init__()
        self.unet, self.text_encoder = pipeline.unet, pipeline.text_encoder
        self._tokenizer, self._scheduler = pipeline.tokenizer, pipeline.scheduler

    def loss(self, batch: Batch) -> Tensor:
        """Mean square error of the predicted v, weighted by :func:`emphasis`."""
        device = self.unet.device
        latents = to_latents(batch.images.to(device) * 2 - 1)  # "B 6 h w"
        tokens = self._tokenizer(batch.captions, padding="max_length", truncation=True, return_tensors="pt").input_ids
        t = draw_timesteps(len(latents), self._scheduler.config.num_train_timesteps).to(device)
        noise = torch.randn_like(latents)
        noisy = torch.cat([self._scheduler.add_noise(latents, noise, t), batch.planes.to(device)], dim=1)
        with torch.autocast(device.type, torch.bfloat16):
            text = self.text_encoder(tokens.to(device))[0]
            predicted = self.unet(noisy, t, text, class_labels=batch.cameras.to(device)).sample
        error: Tensor = predicted.float() - self._scheduler.get_velocity(latents, noise, t)
        return (error.square() * emphasis(batch.images).to(device)).mean()


def emphasis(images: Tensor) -> Tensor:
    """How much the places of the latents count, "B 1 h w", for pictures "B 3 H W" in [0, 1]; the mean is 1.

    Eyes, seeds and buttons fill so little of a picture that a plain mean would have them learnt last.
    """
    around = F.avg_pool2d(F.pad(images, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    weight = 1 + DETAIL * F.avg_pool2d((images - around).abs().amax(1, keepdim=True), 2)
    return weight / weight.mean()


def draw_timesteps(count: int, timesteps: int) -> Tensor:
    """A share HEAVY_SHARE of them from the noisiest HEAVY_NOISE, the others from all.

    A picture of 64x64 pixels shows through all but the heaviest noise which way its object faces, so only there does a
    network need the camera and learn to heed it (the noise schedule is that of 512x512; Hoogeboom et al. 2023).
    """
    lowest = torch.where(torch.rand(count) < HEAVY_SHARE, 1 - HEAVY_NOISE, 0.0)
    return ((lowest + (1 - lowest) * torch.rand(count)) * timesteps).long().clamp(max=timesteps - 1)  # rounding


def train_denoiser(pipeline: Any, data: Dataset, work: Path, samples: int) -> None:
    """Fit UNet and text encoder; the pipeline ends with their running averages."""
    pipeline.unet.to(memory_format=torch.channels_last)  # with plain attention, 1.4 times as fast on a CPU
    pipeline.unet.set_attn_processor(AttnProcessor())
    model = Denoiser(pipeline)
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = Descent(model)
    path, steps = work / "denoiser.pt", samples // DENOISER_BATCH
    start = _restore(path, model, average, optimizer)
    running = 0.0
    for step in (bar := tqdm(range(start, steps), desc="denoiser", initial=start, total=steps)):
        loss = model.loss(data.draw(DENOISER_BATCH, random.Random(step)))
        optimizer.step(loss, _schedule(step / steps))
        _follow(average, model, min(EMA_DECAY, step / (step + 10)))
        running = 0.98 * running + 0.02 * loss.item()
        bar.set_postfix(loss=f"{running / (1 - 0.98 ** (step - start + 1)):.4f}")
        if step % SAVE_EVERY == SAVE_EVERY - 1 or step == steps - 1:
            _store(path, model, average, optimizer, step + 1)
    model.load_state_dict(average.state_dict())
    pipeline.unet.to(memory_format=torch.contiguous_format)


def _schedule(progress: float) -> float:
    """Warm-up over the first percent, then a cosine to 2 %."""
    return min(1.0, progress * 100 + 1e-2) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the running averages towards the model's parameters."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)


def _store(path: Path, model: nn.Module, average: nn.Module, optimizer: Descent, step: int) -> None:
    state: dict[str, Any] = {"model": model, "average": average, "optimizer": optimizer}
    torch.save({"step": step, **{name: part.state_dict() for name, part in state.items()}}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _restore(path: Path, model: nn.Module, average: nn.Module, optimizer: Descent) -> int:
    """Load a saved state, if there is one, and return its step."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(saved["model"])
    average.load_state_dict(saved["average"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def main() -> None:
    """Train, write the half-precision pipeline that ships, and a sheet of samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and sheets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--start", type=Path, help="folder of a finished model to go on from; default: from scratch")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--decoder-samples", type=int, default=24_000)
    parser.add_argument("--samples", type=int, default=288_000)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    keep_freed_memory()
    data, start = Dataset.load(arguments.data), time.monotonic()
    pipeline = StableDiffusionPipeline.from_pretrained(arguments.start) if arguments.start else make_pipeline()
    pipeline.to(pick_device(arguments.device), torch.float32)
    train_denoiser(pipeline, data, arguments.work, arguments.samples)
    train_decoder(pipeline, data, arguments.work, arguments.decoder_samples)
    print(f"trained in {(time.monotonic() - start) / 60:.0f} minutes")
    pipeline.to("cpu", torch.float16).save_pretrained(arguments.out)
    write_samples(arguments.out, arguments.work / "samples.png")


if __name__ == "__main__":
    main()
