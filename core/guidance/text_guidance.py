"""Guidance by a prompt: a text-to-image model distilled, with view-dependent prompts and annealed noise."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core.camera import Views
from core.config import Config, DistillationConfig, GuidanceConfig
from core.device import has_fast_bf16
from core.guidance.compiled import compile_or_leave
from core.guidance.distillation import Recipe
from core.guidance.learned_score import LearnedScore
from core.guidance.perp_neg import negative_weights
from core.guidance.sources import STARTER_FOLDER
from core.guidance.stable_diffusion import StableDiffusion
from core.guidance.timesteps import annealed_timesteps
from core.prompt import ViewPrompts
from core.starter import vocabulary


class TextGuidance:
    """Draws pictures towards a prompt. Texts are encoded once, here, and the text encoder is dropped."""

    def __init__(
        self,
        model: StableDiffusion,
        config: GuidanceConfig,
        prompt: str,
        negative: str = "",
        say: Callable[[str], None] = warnings.warn,
        distillation: DistillationConfig | None = None,
        seed: int = 0,
    ) -> None:
        """Take over `model`; `say` hears one line for each text that is too long. With VSD, `seed` starts the learnt
        score.

        Raises InputError where the prompt is blank, or the model cannot be distilled that way.
        """
        self.model = model
        self.config = config
        self.distillation = distillation or DistillationConfig()
        interpolated = config.view_prompts == "interpolated"
        self.prompts = ViewPrompts(model, prompt, negative, say, interpolated=interpolated, debias=config.debias)
        model.drop_text_encoder()
        self.learned: LearnedScore | None = None
        if self.distillation.method == "vsd":
            self.learned = LearnedScore(model.unet, self.distillation.lora_rank, self.distillation.lora_lr, seed)

    @classmethod
    def from_config(cls, config: Config, device: torch.device, say: Callable[[str], None]) -> TextGuidance:
        """Load the model that a job asks for; `say` hears too what it does not know of the prompts."""
        model = load_for_prompt(config, device, say)
        return cls(model, config.guidance, config.prompt, config.negative, say, config.distillation, config.seed)

    @property
    def ring(self) -> int:
        """How many views of one object the model sees together."""
        return self.model.family.ring

    def loss(self, image: Tensor, views: Views, progress: float, generator: torch.Generator) -> Tensor:
        """The loss of pictures (B, 3, H, W) in [0, 1]; noise and guidance scale lessen with progress."""
        config, views = self.config, views.to(self.model.device)
        perpneg, scale = self.distillation.perpneg, config.scale_at(progress)
        weights = negative_weights(views, self.distillation.negative_w) if perpneg else None

        def timesteps(count: int, generator: torch.Generator | None) -> Tensor:
            return annealed_timesteps(config, progress, count, len(self.model.alphas), generator)

        return self.model.train_step(
            self.prompts.with_wrong_sides(views) if perpneg else self.prompts.guided_pair(views),
            image,
            grad_scale=self.distillation.grad_scale,
            views=views,
            timesteps=timesteps,
            recipe=Recipe(scale, self.distillation, weights),
            learned=self.learned,
            generator=generator,
        )

    def state_dict(self) -> dict[str, Any]:
        """What was learnt in training: the score of VSD, else nothing."""
        return {} if self.learned is None else self.learned.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        if self.learned is not None:
            self.learned.load_state_dict(state)


def load_for_prompt(config: Config, device: torch.device, say: Callable[[str], None]) -> StableDiffusion:
    """The model of a configuration; `say` hears first where its prompts are outside the starter model's world.

    Raises InputError as :func:`load_model` does.
    """
    if config.guidance.is_starter:
        for remark in vocabulary.remarks(config.prompt, config.negative):
            say(remark)
    return load_model(config.guidance, device, say)


def load_model(config: GuidanceConfig, device: torch.device, say: Callable[[str], None]) -> StableDiffusion:
    """The text-to-image model of a configuration: the starter, or Stable Diffusion.

    Raises InputError where the model cannot be found or read.
    """
    hf_key = str(STARTER_FOLDER) if config.is_starter else config.hf_key
    model = StableDiffusion(
        device, config.fp16, config.vram_O, config.sd_version, hf_key, config.t_range, say, config.bf16
    )
    quicken(model, config.compile, say)
    return model


def quicken(model: StableDiffusion, compiled: bool, say: Callable[[str], None]) -> None:
    """Suit the networks of a training step to their device, and compile them if that is asked for and possible.

    Where a processor has instructions for it, the UNet computes in bfloat16: faster, but plain colours darken sooner
    (tests/benchmarks/RESULTS.md). On CUDA pictures lie in memory with the channels last, as its kernels want them.
    """
    if has_fast_bf16(model.device):
        nn.Module.to(model.unet, torch.bfloat16)  # diffusers warns in its own to(), of nothing
    networks = {"denoiser": model.unet} | ({} if model.vae is None else {"autoencoder": model.vae.encoder})
    for name, network in networks.items():
        if model.device.type == "cuda":
            network.to(memory_format=torch.channels_last)
        if compiled:
            compile_or_leave(network, name, say)
