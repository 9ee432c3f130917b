"""How much memory a job needs, told before it starts, from the settings of its model alone.

One training step, by the job's own way of distillation, is taken on the meta device, where tensors have no numbers: the
same code, the same sizes, at the cost of seconds. The renderer cannot go there, since what it samples depends on what
it sees; in its place every sample that its rays may have is asked of the field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from core.camera import sample_views
from core.config import Config
from core.device import GIB, has_fast_bf16, pick_precision, what_needs_less
from core.field import Field, make_field
from core.guidance.sources import find_model, outline_model
from core.guidance.stable_diffusion import StableDiffusion
from core.guidance.text_guidance import TextGuidance
from core.memory import PeakMemory, free_memory, fused_attention, size_of

META = torch.device("meta")
ADAM = 2  # running means that it keeps of every parameter
LIT = 1 / 16  # share of the samples that have weight, so that shading asks for their normals
SLACK = 1.1  # what allocators lose between tensors and kernels take for themselves
CUDA_CONTEXT = 0.4 * GIB  # CUDA's own, of each process


def warn_of_memory(config: Config, device: torch.device, say: Callable[[str], None]) -> None:
    """Tell `say` in one line if a job needs more memory than is free, and which options need less.

    Its model is downloaded where needed. Raises InputError where that cannot be found, or its settings are broken.
    """
    guidance = config.guidance
    path = find_model(guidance.sd_version, guidance.hf_key, guidance.fp16, say)
    needed, free = memory_needed(config, path, device), free_memory(device)
    if needed > free:
        advice = what_needs_less(config, device)
        say(
            f"This needs about {needed / GIB:.1f} GiB of memory, and {free / GIB:.1f} GiB are free ({device.type}):"
            f" if it fails, {f'start again with {advice}' if advice else 'close other programs'}."
        )


def memory_needed(config: Config, path: Path, device: torch.device) -> int:
    """Bytes that a job with the model at `path` takes on a device at its peak: while it loads, or while it trains."""
    model = _outline(config, path, device)
    texts = 0 if config.guidance.vram_O and device.type != "cpu" else size_of(model.text_encoders or nn.ModuleList())
    networks = size_of(model.unet) + (0 if model.vae is None else size_of(model.vae))
    if has_fast_bf16(device):
        nn.Module.to(model.unet, torch.bfloat16)
    training = size_of(model.unet) + (0 if model.vae is None else size_of(model.vae)) + step_memory(config, model)
    context = CUDA_CONTEXT if device.type == "cuda" else 0
    return int(SLACK * max(networks + texts, training) + context)


def step_memory(config: Config, model: StableDiffusion) -> int:
    """Bytes that one training step takes at its peak beside the model's weights; `model` is on the meta device."""
    with fused_attention():
        distillation = dataclasses.replace(config.distillation, draws=1, inversion_steps=1)  # more take turns
        guidance = TextGuidance(
            model, config.guidance, config.prompt, config.negative, lambda _text: None, distillation
        )
        with PeakMemory() as memory:
            field = make_field(config.field).to(META)
            views = sample_views(config.camera, config.training.batch, torch.Generator(), guidance.ring)
            picture = _render_all(config, field, len(views.radius))
            guidance.loss(picture, views.to(META), 0.0, torch.Generator()).backward()  # type: ignore[no-untyped-call]
    learned = nn.ModuleList() if guidance.learned is None else guidance.learned.additions
    peak: int = memory.peak
    return peak + ADAM * size_of(field) + (1 + ADAM) * size_of(learned)


def _outline(config: Config, path: Path, device: torch.device) -> StableDiffusion:
    guidance = config.guidance
    dtype = pick_precision(guidance.fp16, guidance.bf16, device, lambda _text: None)
    parts = outline_model(path, guidance.sd_version, dtype)
    return StableDiffusion.from_parts(parts, META, guidance.vram_O, guidance.t_range)


def _render_all(config: Config, field: Field, count: int) -> Tensor:
    """Pictures (B, 3, H, W) without content from all samples of their rays."""
    size, samples = config.render.resolution, config.render.samples
    points = torch.zeros(count * size * size * samples, 3, device=META)
    density, albedo = field.query(points)
    normals = field.normal(points[: int(LIT * len(points))])
    colors = (density[:, None] * albedo).view(-1, samples, 3).sum(1) + normals.sum()
    return colors.view(count, size, size, 3).permute(0, 3, 1, 2)
