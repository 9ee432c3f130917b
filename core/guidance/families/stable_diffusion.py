"""Stable Diffusion 1.x and 2.x and whatever has their layout, such as the starter model: CLIP, UNet, autoencoder.

A UNet with a camera input (class_embed_type "projection") is told the views; zeros where they are unknown. Like the
text, the view belongs to what guidance strengthens: the unconditional prediction is not told it (as in Zero-1-to-3,
arXiv 2303.11328).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from core.camera import PLANE_CHANNELS, camera_embedding, camera_planes
from core.guidance.conditioning import Conditioning
from core.guidance.families import Pictures, TextParts, clip
from core.guidance.families.base import UNetFamily


class StableDiffusionFamily(UNetFamily):
    """diffusers' StableDiffusionPipeline. Extras: "camera" (N, D) and "planes" (N, 21, h, w), if it takes a camera."""

    label: ClassVar[str] = "Stable Diffusion"
    versions: ClassVar[Sequence[str]] = ("1.5", "2.0", "2.1", "2.1-v")
    parts: ClassVar[Mapping[str, Any]] = {
        "tokenizer": CLIPTokenizer,
        "text_encoder": CLIPTextModel,
        "vae": AutoencoderKL,
        "unet": UNet2DConditionModel,
    }

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels and text width, without the camera's planes."""
        channels, width = super().takes(config)
        return channels - (PLANE_CHANNELS if _takes_camera(config) else 0), width

    def text_width(self, text: TextParts) -> int:
        """CLIP's."""
        return int(text.encoders[0].config.hidden_size)

    def max_tokens(self, text: TextParts) -> int:
        """CLIP's."""
        return clip.token_limit(text.tokenizers[0], text.encoders[0])

    def encode(self, text: TextParts, texts: list[str], device: torch.device) -> Conditioning:
        """CLIP's last layer."""
        encoder = text.encoders[0]
        tokens = clip.tokenize(text.tokenizers[0], texts, self.max_tokens(text), device)
        mask = tokens.attention_mask if getattr(encoder.config, "use_attention_mask", False) else None
        return Conditioning(encoder(tokens.input_ids, attention_mask=mask)[0])

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:
        """The cameras: zeros for the unconditional ones, and for all where the views are unknown."""
        if not takes_camera(denoiser):
            return text
        views, like = pictures.views, text.embeddings
        count = len(text) if views is None else len(views.azimuth_deg)
        camera = like.new_zeros(count, denoiser.config.projection_class_embeddings_input_dim)
        planes = like.new_zeros(count, PLANE_CHANNELS, *pictures.size)
        if views is None:
            return text.told(camera=camera, planes=planes)
        times = len(text) // count - 1  # how often each view is told
        seen, rays = camera_embedding(views).to(camera), camera_planes(views, pictures.size).to(planes)
        return text.told(camera=torch.cat([camera, *[seen] * times]), planes=torch.cat([planes, *[rays] * times]))

    def denoise(self, denoiser: Any, noisy: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        """The UNet's output; the camera's planes lie beside the latents, its embedding is the class label."""
        if "planes" in text.extras:
            noisy = torch.cat([noisy, text.extras["planes"]], dim=1)
        labels = text.extras.get("camera")
        output: Tensor = denoiser(noisy, t, text.embeddings, class_labels=labels, return_dict=False)[0]
        return output


def takes_camera(denoiser: Any) -> bool:
    """Whether a UNet is told of the camera: camera_embedding as class labels, camera_planes beside the latents."""
    return _takes_camera(denoiser.config)


def _takes_camera(config: Any) -> bool:
    return getattr(config, "class_embed_type", None) == "projection"
