"""How well a textured mesh shows what the trained field shows."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.checkpoint import load_newest
from core.job import Job
from core.judge.shots import albedo_pictures
from core.mesh import Mesh
from core.pictures import evaluation_views
from core.render import render
from core.train import Trainer

VIEWS, SIZE = 8, 64


def texture_psnr(job: Job, mesh: Mesh) -> float | None:
    """Mesh against field in dB, unlit on white, over all views together; None where the job kept no checkpoint."""
    checkpoint = load_newest(job.checkpoints)
    if checkpoint is None:
        return None
    nobody: Any = None  # the field is asked, not trained
    trainer = Trainer(job.config, nobody, torch.device("cpu"))
    trainer.restore_scene(checkpoint)
    views = evaluation_views(job.config, VIEWS)
    cameras, samples = views.cameras(2 * SIZE, 2 * SIZE), job.config.render.picture_samples
    with torch.no_grad():
        shown = render(trainer.field, trainer.occupancy, cameras, samples=samples, background=torch.ones(3))
    return psnr(albedo_pictures(mesh, views, SIZE), F.avg_pool2d(shown.image(), 2))


def psnr(one: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [0, 1]; 100 for equal ones."""
    return float(-10 * torch.log10(F.mse_loss(one, other).clamp(min=1e-10)))
