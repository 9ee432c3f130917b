"""One SDS step by the formulas, slowly and in float64, with texts encoded by the diffusers pipeline itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


def bilinear(pictures: Tensor, size: int) -> Tensor:
    """Resize squares with half-pixel centres (align_corners=False), one output pixel at a time."""
    source = pictures.shape[-1]
    columns = []
    for index in range(size):
        position = min(max((index + 0.5) * source / size - 0.5, 0.0), source - 1.0)
        low = int(position)
        high = min(low + 1, source - 1)
        weights = torch.zeros(source, dtype=pictures.dtype)
        weights[low] += 1 - (position - low)
        weights[high] += position - low
        columns.append(weights)
    resize = torch.stack(columns)
    return torch.einsum("yh,bchw,xw->bcyx", resize, pictures, resize)


@dataclass(frozen=True)
class Step:
    """A reference step of a pipeline in float64."""

    pipeline: Any
    scale: float
    posterior_dtype: torch.dtype  # in which the model under test draws the posterior's noise

    def run(
        self, negative: str, texts: list[str], pictures: Tensor, generator: torch.Generator
    ) -> tuple[float, Tensor]:
        """Loss and its derivative by `pictures` (B, 3, H, W), one text a picture."""
        pictures = pictures.double().requires_grad_()
        latents = self.latents(pictures, generator)
        t = torch.randint(20, 981, (len(texts),), generator=generator)
        noise = torch.randn(latents.shape, generator=generator).double()
        with torch.no_grad():
            grads = [
                self.gradient(latents[b].detach(), noise[b], int(t[b]), negative, text) for b, text in enumerate(texts)
            ]
        loss = sum(0.5 * (grad**2).sum().item() for grad in grads) / len(texts)
        pull = (torch.stack(grads) * latents).sum() / len(texts)
        return loss, torch.autograd.grad(pull, pictures)[0]

    def latents(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """What the diffusion model sees."""
        vae = getattr(self.pipeline, "vae", None)
        if vae is None:
            return 2 * bilinear(pictures, 8) - 1
        moments = vae.encode(2 * bilinear(pictures, 16) - 1).latent_dist.parameters
        mean, log_variance = moments.chunk(2, dim=1)
        noise = torch.randn(mean.shape, generator=generator, dtype=self.posterior_dtype).double()
        drawn = mean + (0.5 * log_variance.clamp(-30, 20)).exp() * noise
        return (drawn - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor

    def gradient(self, z: Tensor, noise: Tensor, t: int, negative: str, text: str) -> Tensor:
        """w(t) (epsilon_hat - epsilon), for rectified flow in the form of velocities."""
        if hasattr(self.pipeline, "transformer"):
            return self.flow_gradient(z, noise, t, negative, text)
        alpha_bar = float(self.pipeline.scheduler.alphas_cumprod[t])
        noisy = alpha_bar**0.5 * z + (1 - alpha_bar) ** 0.5 * noise
        uncond, cond = (self.unet(noisy, t, *told) for told in self.conditions(negative, text))
        if self.pipeline.scheduler.config.prediction_type == "v_prediction":
            uncond, cond = (alpha_bar**0.5 * v + (1 - alpha_bar) ** 0.5 * noisy for v in (uncond, cond))
        return (1 - alpha_bar) * (uncond + self.scale * (cond - uncond) - noise)

    def flow_gradient(self, z: Tensor, noise: Tensor, t: int, negative: str, text: str) -> Tensor:
        """w_v (v_hat - (epsilon - z)) with w_v = sigma^2 (1 - sigma) / ((1 - sigma)^2 + sigma^2)."""
        scheduler = self.pipeline.scheduler
        sigma, time = float(scheduler.sigmas[999 - t]), scheduler.timesteps[999 - t].double()
        noisy = (1 - sigma) * z + sigma * noise
        uncond, cond = (
            self.pipeline.transformer(noisy[None], embeddings, pooled, time[None]).sample[0]
            for embeddings, pooled in self.conditions(negative, text)
        )
        velocity = uncond + self.scale * (cond - uncond)
        weight = sigma**2 * (1 - sigma) / ((1 - sigma) ** 2 + sigma**2)
        return weight * (velocity - (noise - z))

    def unet(self, noisy: Tensor, t: int, embeddings: Tensor, pooled: Tensor | None) -> Tensor:
        """The output of a UNet for one picture, without a learned variance."""
        added = None
        if pooled is not None:
            projection = self.pipeline.text_encoder_2.config.projection_dim
            time_ids = self.pipeline._get_add_time_ids((16, 16), (0, 0), (16, 16), torch.float64, projection)
            added = {"text_embeds": pooled, "time_ids": time_ids}
        output = self.pipeline.unet(noisy[None], t, embeddings, added_cond_kwargs=added).sample[0]
        return output[: len(noisy)]

    def conditions(self, negative: str, text: str) -> list[tuple[Tensor, Tensor | None]]:
        """Embeddings and, where there are any, pooled ones: unconditional, then of the text."""
        encoded = encode(self.pipeline, [text], negative)
        return [(encoded[1], encoded[3]), (encoded[0], encoded[2])]


def encode(pipeline: Any, texts: list[str], negative: str) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """The pipeline's own embeddings of texts and negative, then the pooled ones or None.

    An empty negative is given as none at all, as a user leaves it out.
    """
    negatives = [negative] * len(texts) if negative else None
    kind = type(pipeline).__name__
    if kind in ("StableDiffusionXLPipeline", "StableDiffusion3Pipeline"):
        more = {} if kind == "StableDiffusionXLPipeline" else {"prompt_2": texts, "prompt_3": texts}
        return pipeline.encode_prompt(prompt=texts, negative_prompt=negatives, device="cpu", **more)
    if kind == "IFPipeline":
        return *pipeline.encode_prompt(texts, negative_prompt=negatives), None, None
    return *pipeline.encode_prompt(texts, torch.device("cpu"), 1, True, negatives), None, None
