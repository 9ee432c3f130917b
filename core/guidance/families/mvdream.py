"""MVDream (arXiv 2308.16512): Stable Diffusion 2.1 that draws four views of one object at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from diffusers import AutoencoderKL
from transformers import CLIPTextModel, CLIPTokenizer

from core.camera import camera_matrices, orbit_views
from core.guidance.conditioning import Conditioning
from core.guidance.families import Pictures
from core.guidance.families.base import UNetFamily
from core.guidance.families.stable_diffusion import StableDiffusionFamily
from core.guidance.multiview import VIEWS, MultiViewUNet


class MVDreamFamily(StableDiffusionFamily):
    """The hub's MVDreamPipeline. Extra: "camera" (N, 16), camera_matrices.

    Pictures come in rings of four. Unlike the starter model's, the unconditional prediction is told the camera too, as
    it was in training.
    """

    label: ClassVar[str] = "MVDream"
    versions: ClassVar[Sequence[str]] = ("mvdream",)
    parts: ClassVar[Mapping[str, Any]] = {
        "tokenizer": CLIPTokenizer,
        "text_encoder": CLIPTextModel,
        "vae": AutoencoderKL,
        "unet": MultiViewUNet,
    }
    ring: ClassVar[int] = VIEWS

    def takes(self, config: Any) -> tuple[int, int]:
        """Channels and text width: no planes."""
        return UNetFamily.takes(self, config)

    def tell(self, denoiser: Any, text: Conditioning, pictures: Pictures) -> Conditioning:  # noqa: ARG002
        """The cameras of all; where the views are unknown, four around the object."""
        views = orbit_views(VIEWS, 15.0, 1.0, 40.0) if pictures.views is None else pictures.views
        told = camera_matrices(views).to(text.embeddings)
        return text.told(camera=told.repeat(len(text) // len(told), 1))
