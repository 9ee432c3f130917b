"""A text-to-image diffusion model as guidance: Stable Diffusion, or a model of any family in core/guidance/families.

Sizes, noise schedule and kind of prediction come from the loaded model; what differs between families is asked of them.
Weights may be half precision; noise, guidance and loss are computed in float32, or in float64 for pictures in float64.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.camera import Views
from core.config import clean_prompt
from core.device import pick_precision
from core.errors import DreamFusionError
from core.guidance import distillation, sampling, sds
from core.guidance.conditioning import Conditioning
from core.guidance.distillation import Recipe, Scores
from core.guidance.families import Pictures
from core.guidance.families.stable_diffusion import takes_camera
from core.guidance.learned_score import LearnedScore
from core.guidance.loading import Parts
from core.guidance.schedule import DiffusionSchedule, FlowSchedule, NoiseSchedule
from core.guidance.sources import find_model, load_model
from core.guidance.timesteps import DrawTimesteps, draw_timesteps
from core.prompt import fit_prompt


class StableDiffusion(nn.Module):
    """The model on its device, with the names of stable-dreamfusion's guidance.

    Attributes:
        min_step, max_step: first and last timestep that training draws, int(T * t_range)
        latent_size: (height, width) of the latents the model was trained on, 64 x 64 for Stable Diffusion
        image_size: (height, width) in pixels, 512 x 512 for Stable Diffusion; a model without autoencoder (vae is
            None) takes pixels for latents
        max_tokens: longest prompt, with the marks of its start and end
        unet: the denoiser, in some families a transformer
    """

    def __init__(
        self,
        device: torch.device | str,
        fp16: bool,
        vram_O: bool,
        sd_version: str | None = None,
        hf_key: str | None = None,
        t_range: tuple[float, float] = (0.02, 0.98),
        say: Callable[[str], None] = warnings.warn,
        bf16: bool = False,
    ) -> None:
        """Load the model `hf_key` (a hub name, a folder or a file), or else Stable Diffusion `sd_version`: 2.1 if None.

        Beside `hf_key`, `sd_version` says which model that must be, and of a 2.x file whether it predicts v; None for
        any but MVDream.
        fp16 or bf16 halves the memory of the weights (not on a CPU, where it would be slower: `say` hears so).
        vram_O trades speed for memory: texts are encoded on the CPU, the two predictions of a step made one after the
        other, and the autoencoder works in slices and tiles and recomputes what backward() needs.
        Raises InputError where the model cannot be found or read.
        """
        super().__init__()
        device = torch.device(device)
        dtype = pick_precision(fp16, bf16, device, say)
        text_device = torch.device("cpu") if vram_O else device
        text_dtype = torch.float32 if text_device.type == "cpu" else dtype
        path = find_model(sd_version, hf_key, dtype == torch.float16, say)
        self._take_over(load_model(path, sd_version, dtype, text_dtype), device, text_device, vram_O, t_range)

    @classmethod
    def from_parts(
        cls, parts: Parts, device: torch.device, vram_O: bool = False, t_range: tuple[float, float] = (0.02, 0.98)
    ) -> StableDiffusion:
        """The model of parts that are there, all of it on one device: to measure speed and memory without weights."""
        model = cls.__new__(cls)
        nn.Module.__init__(model)
        model._take_over(parts, device, device, vram_O, t_range)
        return model

    def _take_over(
        self,
        parts: Parts,
        device: torch.device,
        text_device: torch.device,
        vram_O: bool,
        t_range: tuple[float, float],
    ) -> None:
        self.device, self._text_device, self.vram_O, self.t_range = device, text_device, vram_O, t_range
        self.family, self._text = parts.family, parts.text
        self.max_tokens = self.family.max_tokens(self._text) if self._text.encoders else 0
        encoders = [encoder for encoder in self._text.encoders if encoder is not None]
        self.text_encoders: nn.ModuleList | None = nn.ModuleList(encoders).to(self._text_device)
        self.vae: Any = None if parts.vae is None else parts.vae.to(self.device)
        self.unet = parts.unet.to(self.device)
        self.scheduler = parts.scheduler
        kind = DiffusionSchedule if hasattr(self.scheduler, "alphas_cumprod") else FlowSchedule
        self.schedule: NoiseSchedule = kind(self.scheduler).to(self.device)
        self._read_sizes(parts.channels)
        self.min_step, self.max_step = (int(len(self.alphas) * share) for share in t_range)
        if vram_O and self.vae is not None:
            self._save_memory()

    def _save_memory(self) -> None:
        self.vae.enable_slicing()
        self.vae.enable_tiling()
        self.vae.enable_gradient_checkpointing()

    def _read_sizes(self, channels: int) -> None:
        size = self.unet.config.sample_size
        self.channels = channels
        self.latent_size = (size, size) if isinstance(size, int) else tuple(size)
        self.pixels_per_latent = 1 if self.vae is None else 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.image_size = self._pixels(self.latent_size)
        self._size_step = self.pixels_per_latent * self.unet.config.get("patch_size", 1)

    def _pixels(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[0] * self.pixels_per_latent, size[1] * self.pixels_per_latent

    @property
    def alphas(self) -> Tensor:
        """alpha_bar of each timestep, (T,): the share of signal power."""
        return self.schedule.alphas

    def drop_text_encoder(self) -> None:
        """Free the memory of the text encoders; no text can be encoded after this."""
        self.text_encoders = None
        self._text = dataclasses.replace(self._text, encoders=())
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut, with the marks of its start and end."""
        return len(self._text.tokenizers[0](text, verbose=False).input_ids)

    @torch.no_grad()
    def get_text_embeds(self, prompt: str | Sequence[str]) -> Conditioning:
        """N texts as the model hears them, float32; what is over max_tokens is cut off."""
        if self.text_encoders is None:
            raise DreamFusionError("The text encoder was dropped to save memory: load the model again to encode text.")
        texts = [prompt] if isinstance(prompt, str) else list(prompt)
        encoded = self.family.encode(self._text, texts, self._text_device)
        return encoded.map(lambda tensor: sds.whole(tensor.to(self.device)))

    def encode_imgs(self, imgs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latents (B, C, h, w) drawn from the autoencoder's posterior of pictures (B, 3, H, W) in [0, 1].

        Without an autoencoder these are the pictures themselves, in [-1, 1].
        """
        if self.vae is None:
            return 2 * imgs - 1
        posterior = self.vae.encode((2 * imgs - 1).to(self.vae.dtype)).latent_dist
        latents: Tensor = (sds.whole(posterior.sample(generator)) - self._latent_shift) * self.vae.config.scaling_factor
        return latents

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1] of latents (B, C, h, w)."""
        imgs = latents
        if self.vae is not None:
            latents = latents / self.vae.config.scaling_factor + self._latent_shift
            imgs = sds.whole(self.vae.decode(latents.to(self.vae.dtype)).sample)
        return (imgs / 2 + 0.5).clamp(0, 1)

    @property
    def _latent_shift(self) -> float:
        return self.vae.config.shift_factor or 0.0

    def train_step(
        self,
        text_embeddings: Conditioning,
        pred_rgb: Tensor,
        guidance_scale: float = 100.0,
        as_latent: bool = False,
        grad_scale: float = 1.0,
        *,
        views: Views | None = None,
        timesteps: DrawTimesteps | None = None,
        recipe: Recipe | None = None,
        learned: LearnedScore | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The SDS loss of rendered pictures, a scalar to call backward() on, or that of another method.

        Args:
            text_embeddings: of 2B texts, the unconditional ones first; with Perp-Neg those of the negatives follow
            pred_rgb: (B, 3, H, W) in [0, 1]; with as_latent (B, C, H, W) in [0, 1], taken for latents as it is
            guidance_scale: s in eps_uncond + s * (eps_text - eps_uncond)
            grad_scale: factor of the gradient
            views: the cameras, for a model that takes them
            timesteps: where to draw them from, in place of all from min_step to max_step
            recipe: how predictions become a gradient, in place of plain SDS with guidance_scale
            learned: the score of the renders, which takes a step of its own here; with VSD
            generator: source of the posterior's noise, then of timesteps and noise in turn
        """
        latents = self._to_latents(pred_rgb, as_latent, generator)
        draw_t = timesteps or (lambda count, by: draw_timesteps(count, self.min_step, self.max_step, by))
        told = self._tell(text_embeddings, latents, views)
        scores = self._scores(told, len(latents), learned, views)
        ring = self.family.ring  # the pictures of a ring are equally noisy

        def draw() -> tuple[Tensor, Tensor]:
            t = draw_t(len(latents) // ring, generator).repeat_interleave(ring).to(self.device)
            return t, sampling.normal_noise(latents.shape, self.device, generator).to(latents.dtype)

        grad = distillation.mean_gradient(scores, latents.detach(), draw, recipe or Recipe(guidance_scale))
        if learned is not None and scores.learned is not None:
            learned.fit(scores.learned, latents, *draw(), self.alphas)
        return sds.sds_loss(latents, grad_scale * grad)

    def _scores(self, told: Conditioning, count: int, learned: LearnedScore | None, views: Views | None) -> Scores:
        """What there is to ask about `count` pictures."""

        def predict(noisy: Tensor, t: Tensor, texts: int) -> Tensor:
            return self._predict(noisy, t, told[: texts * count]).view(texts, *noisy.shape)

        def ask(noisy: Tensor, t: Tensor) -> Tensor:
            return self._predict(noisy, t, told[count : 2 * count])

        return Scores(predict, self.alphas, None if learned is None else learned.prediction(ask, views))

    def _to_latents(self, pictures: Tensor, as_latent: bool, generator: torch.Generator | None) -> Tensor:
        size = self.latent_size if as_latent else self.image_size
        pictures = F.interpolate(sds.whole(pictures), size, mode="bilinear", align_corners=False)
        return 2 * pictures - 1 if as_latent else self.encode_imgs(pictures, generator)

    @torch.no_grad()
    def predict_noise(self, noisy: Tensor, t: Tensor, text: Conditioning, views: Views | None = None) -> Tensor:
        """The noise that the model sees in latents (B, C, h, w) at timesteps (B,): (K B, C, h, w), float32.

        `text` is K B texts: B for each of K predictions, of which the first, unconditional, is not told the views.
        """
        return self._predict(noisy, t, self._tell(text, noisy, views))

    def _predict(self, noisy: Tensor, t: Tensor, told: Conditioning) -> Tensor:
        given, times = self.schedule.as_given(noisy, t)
        output = self._denoise(given, times, told)
        repeats = len(told) // len(noisy)
        return self.schedule.noise(output, noisy.repeat(repeats, 1, 1, 1), t.repeat(repeats))

    def _tell(self, text: Conditioning, noisy: Tensor, views: Views | None) -> Conditioning:
        """What the denoiser is told beside the noisy pictures."""
        size = (noisy.shape[2], noisy.shape[3])
        return self.family.tell(self.unet, text, Pictures(size, self._pixels(size), views))

    def _denoise(self, noisy: Tensor, times: Tensor, text: Conditioning) -> Tensor:
        """The denoiser's output (K B, C, h, w), float32; under vram_O one prediction of B pictures after the other."""
        repeats = len(text) // len(noisy)
        sample, times = noisy.repeat(repeats, 1, 1, 1), times.repeat(repeats)
        dtype, outputs = self.unet.dtype, []
        for part in torch.arange(len(sample)).chunk(repeats if self.vram_O else 1):
            output = self.family.denoise(self.unet, sample[part].to(dtype), times[part], text[part].to(dtype))
            outputs.append(sds.whole(output))
        return torch.cat(outputs)

    @torch.no_grad()
    def prompt_to_img(
        self,
        text: str,
        negative: str = "",
        H: int | None = None,
        W: int | None = None,
        steps: int = 50,
        *,
        guidance_scale: float = 7.5,
        seed: int = 0,
        views: Views | None = None,
        say: Callable[[str], None] = warnings.warn,
        on_step: Callable[[int], None] = lambda _done: None,
    ) -> np.ndarray:
        """Pictures of a prompt, uint8 (B, H, W, 3): one, or one for each of `views`.

        Without `views` a model that takes a camera looks from beside the front, unless the prompt names a side; one
        that draws several views at once draws them around the object, from the front on.
        Sampled with DDIM on the model's noise schedule, of rectified flow with Euler's steps. H and W default to the
        model's own size. `on_step` hears how many steps are done. Raises InputError where the prompt is blank, H or W
        is no multiple of what the model works in, or the schedule has not as many steps.
        """
        height, width = H or self.image_size[0], W or self.image_size[1]
        sampling.check_picture((height, width), self._size_step, steps, len(self.alphas))
        text, negative = fit_prompt(self, clean_prompt(text), say), fit_prompt(self, negative, say)
        if views is None and (chosen := sampling.picture_views(text, self.family.ring, takes_camera(self.unet))):
            views = chosen.to(self.device)
        count = 1 if views is None else len(views.azimuth_deg)
        size = (height // self.pixels_per_latent, width // self.pixels_per_latent)
        latents = sampling.normal_noise((count, self.channels, *size), self.device, torch.Generator().manual_seed(seed))
        embeddings = self.get_text_embeds([negative, text])[torch.tensor([0, 1]).repeat_interleave(count)]
        told = self._tell(embeddings, latents, views)
        latents = sampling.sample(
            self.scheduler, latents, steps, lambda x, t: self._denoise(x, t, told), guidance_scale, on_step
        )
        pixels = (self.decode_latents(latents) * 255).round().to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).cpu().numpy()
