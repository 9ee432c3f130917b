"""A text-to-image latent diffusion model as guidance: Stable Diffusion, or any model in its layout.

Sizes, noise schedule and kind of prediction come from the loaded model. A UNet with a camera input
(class_embed_type "projection", such as the starter model's) is told the views; zeros where they are unknown. Like the
text, the view belongs to what guidance strengthens: the unconditional prediction is not told it (as in Zero-1-to-3,
arXiv 2303.11328).
Weights may be half precision; noise, guidance and loss are computed in float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.camera import PLANE_CHANNELS, Views, camera_embedding, camera_planes, portrait_view
from core.config import clean_prompt
from core.errors import DreamFusionError, InputError
from core.guidance import sds
from core.guidance.loading import load_parts, model_folder, takes_camera
from core.guidance.timesteps import draw_timesteps
from core.prompt import VIEW_WORDS, fit_prompt


@dataclass(frozen=True)
class _CameraInput:
    """What a camera-aware UNet is told of B views: zeros for the B unconditional predictions, then the views."""

    embedding: Tensor  # (2B, D), class labels: camera_embedding
    planes: Tensor  # (2B, 3, h, w), channels beside the latents: camera_planes


class StableDiffusion(nn.Module):
    """The model on its device, with the names of stable-dreamfusion's guidance.

    Attributes:
        min_step, max_step: first and last timestep that training draws, int(T * t_range)
        latent_size: (height, width) of the latents the model was trained on, 64 x 64 for Stable Diffusion
        image_size: (height, width) in pixels, 512 x 512 for Stable Diffusion
        max_tokens: longest prompt, with the marks of its start and end
    """

    alphas: Tensor

    def __init__(
        self,
        device: torch.device | str,
        fp16: bool,
        vram_O: bool,
        sd_version: str = "2.1",
        hf_key: str | None = None,
        t_range: tuple[float, float] = (0.02, 0.98),
        say: Callable[[str], None] = warnings.warn,
    ) -> None:
        """Load the model `hf_key` (a hub name or a folder), or else Stable Diffusion `sd_version`.

        fp16 halves the memory of the weights (not on a CPU, where it would be slower: `say` hears so).
        vram_O trades speed for memory: texts are encoded on the CPU, the two predictions of a step made one after the
        other, and the autoencoder works in slices and tiles and recomputes what backward() needs.
        Raises InputError where the model cannot be found or read.
        """
        super().__init__()
        self.device = torch.device(device)
        self.vram_O = vram_O
        if fp16 and self.device.type == "cpu":
            say("fp16 is of no use on a CPU: computing in float32.")
            fp16 = False
        dtype = torch.float16 if fp16 else torch.float32
        self._text_device = torch.device("cpu") if vram_O else self.device
        text_dtype = torch.float32 if self._text_device.type == "cpu" else dtype
        parts = load_parts(model_folder(sd_version, hf_key, fp16, say), dtype, text_dtype)
        self.tokenizer = parts.tokenizer
        self.text_encoder: Any = parts.text_encoder.to(self._text_device)
        self.vae = parts.vae.to(self.device)
        self.unet = parts.unet.to(self.device)
        self.scheduler = parts.scheduler
        if vram_O:
            self._save_memory()
        self._read_sizes()
        self.register_buffer("alphas", self.scheduler.alphas_cumprod.to(self.device), persistent=False)
        self.t_range = t_range
        self.min_step, self.max_step = (int(len(self.alphas) * share) for share in t_range)

    def _save_memory(self) -> None:
        self.vae.enable_slicing()
        self.vae.enable_tiling()
        self.vae.enable_gradient_checkpointing()

    def _read_sizes(self) -> None:
        size = self.unet.config.sample_size
        self.latent_size = (size, size) if isinstance(size, int) else tuple(size)
        self.pixels_per_latent = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.image_size = tuple(side * self.pixels_per_latent for side in self.latent_size)
        self.max_tokens = min(self.tokenizer.model_max_length, self._encoder().config.max_position_embeddings)

    def _encoder(self) -> Any:
        if self.text_encoder is None:
            raise DreamFusionError("The text encoder was dropped to save memory: load the model again to encode text.")
        return self.text_encoder

    def drop_text_encoder(self) -> None:
        """Free the memory of the text encoder; no text can be encoded after this."""
        self.text_encoder = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut, with the marks of its start and end."""
        return len(self.tokenizer(text, verbose=False).input_ids)

    @torch.no_grad()
    def get_text_embeds(self, prompt: str | Sequence[str]) -> Tensor:
        """Embeddings (N, max_tokens, C) of N texts, float32; what is over max_tokens is cut off."""
        encoder = self._encoder()
        texts = [prompt] if isinstance(prompt, str) else list(prompt)
        tokens = self.tokenizer(
            texts, padding="max_length", max_length=self.max_tokens, truncation=True, return_tensors="pt"
        ).to(self._text_device)
        mask = tokens.attention_mask if getattr(encoder.config, "use_attention_mask", False) else None
        embeddings: Tensor = encoder(tokens.input_ids, attention_mask=mask)[0]
        return embeddings.to(self.device, torch.float32)

    def encode_imgs(self, imgs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latents (B, C, h, w) drawn from the autoencoder's posterior of pictures (B, 3, H, W) in [0, 1]."""
        posterior = self.vae.encode((2 * imgs - 1).to(self.vae.dtype)).latent_dist
        latents: Tensor = (posterior.sample(generator).float() - self._latent_shift) * self.vae.config.scaling_factor
        return latents

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1] of latents (B, C, h, w)."""
        latents = latents / self.vae.config.scaling_factor + self._latent_shift
        imgs: Tensor = self.vae.decode(latents.to(self.vae.dtype)).sample.float()
        return (imgs / 2 + 0.5).clamp(0, 1)

    @property
    def _latent_shift(self) -> float:
        return self.vae.config.shift_factor or 0.0

    def train_step(
        self,
        text_embeddings: Tensor,
        pred_rgb: Tensor,
        guidance_scale: float = 100.0,
        as_latent: bool = False,
        grad_scale: float = 1.0,
        *,
        views: Views | None = None,
        max_step: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The SDS loss of rendered pictures, a scalar to call backward() on.

        Args:
            text_embeddings: (2B, T, C), the unconditional ones first
            pred_rgb: (B, 3, H, W) in [0, 1]; with as_latent (B, C, H, W) in [0, 1], taken for latents as it is
            guidance_scale: s in eps_uncond + s * (eps_text - eps_uncond)
            grad_scale: factor of the gradient
            views: the cameras, for a model that takes them
            max_step: last timestep to draw, in place of the attribute
            generator: source of the posterior's noise, the timesteps and the noise, in this order
        """
        latents = self._to_latents(pred_rgb, as_latent, generator)
        last = self.max_step if max_step is None else max_step
        t = draw_timesteps(len(latents), self.min_step, last, generator).to(self.device)
        with torch.no_grad():
            noise = self._normal(latents.shape, generator)
            alpha_bar = self.alphas[t]
            noisy = sds.add_noise(latents, noise, alpha_bar)
            eps_uncond, eps_text = self.predict_noise(noisy, t, text_embeddings, views).chunk(2)
            grad = grad_scale * sds.sds_gradient(eps_uncond, eps_text, noise, alpha_bar, guidance_scale)
        return sds.sds_loss(latents, grad)

    def _to_latents(self, pictures: Tensor, as_latent: bool, generator: torch.Generator | None) -> Tensor:
        size = self.latent_size if as_latent else self.image_size
        pictures = F.interpolate(pictures.float(), size, mode="bilinear", align_corners=False)
        return 2 * pictures - 1 if as_latent else self.encode_imgs(pictures, generator)

    @torch.no_grad()
    def predict_noise(self, noisy: Tensor, t: Tensor, text_embeddings: Tensor, views: Views | None = None) -> Tensor:
        """The noise that the model sees in latents (B, C, h, w) at timesteps (B,): (2B, C, h, w), float32.

        `text_embeddings` is (2B, T, C): the first B predictions belong to its first half, and are not told the views.
        """
        output = self._denoise(noisy, t, text_embeddings, self._camera_input(noisy, views))
        if self.scheduler.config.prediction_type == "epsilon":
            return output
        return sds.epsilon_from_v(output, torch.cat([noisy, noisy]), self.alphas[torch.cat([t, t])])

    def _camera_input(self, latents: Tensor, views: Views | None) -> _CameraInput | None:
        """What the UNet is told of the cameras; None if it takes none."""
        if not takes_camera(self.unet):
            return None
        count, width = len(latents), self.unet.config.projection_class_embeddings_input_dim
        embedding = latents.new_zeros(count, width)
        planes = latents.new_zeros(count, PLANE_CHANNELS, *latents.shape[2:])
        if views is None:
            return _CameraInput(embedding.repeat(2, 1), planes.repeat(2, 1, 1, 1))
        told = camera_planes(views, (planes.shape[2], planes.shape[3])).to(planes)
        return _CameraInput(torch.cat([embedding, camera_embedding(views).to(embedding)]), torch.cat([planes, told]))

    def _denoise(self, noisy: Tensor, t: Tensor, text_embeddings: Tensor, camera: _CameraInput | None) -> Tensor:
        """The UNet's raw output for both halves of text_embeddings, float32; one after the other under vram_O."""
        sample = torch.cat([noisy, noisy])
        if camera is not None:
            sample = torch.cat([sample, camera.planes], dim=1)
        dtype, outputs = self.unet.dtype, []
        for part in torch.arange(len(sample)).chunk(2 if self.vram_O else 1):
            labels = None if camera is None else camera.embedding[part].to(dtype)
            text, times = text_embeddings[part].to(dtype), t.repeat(2)[part]
            output = self.unet(sample[part].to(dtype), times, text, class_labels=labels, return_dict=False)[0]
            outputs.append(output.float())
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

        Without `views` a model that takes a camera looks from beside the front, unless the prompt names a side.
        Sampled with DDIM on the model's noise schedule. H and W default to the model's own size. `on_step` hears
        how many steps are done. Raises InputError where the prompt is blank, H or W is no multiple of
        `pixels_per_latent`, or the schedule has not as many steps.
        """
        height, width = H or self.image_size[0], W or self.image_size[1]
        if height % self.pixels_per_latent or width % self.pixels_per_latent or min(height, width) < 1:
            raise InputError(f"H and W must be multiples of {self.pixels_per_latent}.")
        if not 1 <= steps <= len(self.alphas):
            raise InputError(f"The steps of a picture must be from 1 to {len(self.alphas)}, not {steps}.")
        text, negative = fit_prompt(self, clean_prompt(text), say), fit_prompt(self, negative, say)
        views = self._picture_view(text) if views is None else views
        count = 1 if views is None else len(views.azimuth_deg)
        text_embeddings = self.get_text_embeds([negative, text]).repeat_interleave(count, dim=0)
        size = (height // self.pixels_per_latent, width // self.pixels_per_latent)
        latents = self._normal((count, self.unet.config.out_channels, *size), torch.Generator().manual_seed(seed))
        camera = self._camera_input(latents, views)
        self.scheduler.set_timesteps(steps, device=self.device)
        for done, t in enumerate(self.scheduler.timesteps, start=1):
            uncond, cond = self._denoise(latents, t.expand(count), text_embeddings, camera).chunk(2)
            latents = self.scheduler.step(uncond + guidance_scale * (cond - uncond), t, latents).prev_sample
            on_step(done)
        pixels = (self.decode_latents(latents) * 255).round().to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).cpu().numpy()

    def _picture_view(self, text: str) -> Views | None:
        named = any(side in text for side in VIEW_WORDS)
        return portrait_view().to(self.device) if takes_camera(self.unet) and not named else None

    def _normal(self, shape: Sequence[int], generator: torch.Generator | None) -> Tensor:
        """Normal noise on this device, drawn on the generator's, so that a seed means the same everywhere."""
        source = self.device if generator is None else generator.device
        return torch.randn(*shape, generator=generator, device=source).to(self.device)
