"""The score of the renders, learnt while they change: what Variational Score Distillation subtracts.

ProlificDreamer (arXiv 2305.16213, section 3.2 and algorithm 1) adapts a copy of the diffusion model to the renders by
LoRA (arXiv 2106.09685) and tells it the camera. Here the additions lie beside the model's own weights: a linear layer W
of its attention computes

    W x + B A x,    A "rank x in" normal, B "out x rank" zero at first,

and the embedding of the time has a linear image of the camera added, zero at first as well. So it starts as the model
itself, needs no second copy of it, and switched off it changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from diffusers.models.embeddings import TimestepEmbedding
from torch import Tensor, nn

from core.camera import EMBEDDING_NUMBERS, Views, camera_embedding
from core.errors import InputError
from core.finite import step_if_finite
from core.guidance import sds
from core.guidance.distillation import Predict

_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")  # diffusers' names of the linear layers of attention


class LowRank(nn.Module):
    """The product of two thin matrices, (..., in) -> (..., out); zero until it is trained."""

    def __init__(self, inputs: int, outputs: int, rank: int, generator: torch.Generator) -> None:
        """Draw the first matrix on the CPU."""
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, inputs, generator=generator) / rank)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor) -> Tensor:
        """In the precision of the matrices."""
        return x.to(self.down.dtype) @ self.down.T @ self.up.T


class LearnedScore:
    """Additions to a denoiser that predict the noise in renders, and their optimizer."""

    def __init__(self, denoiser: nn.Module, rank: int, lr: float, seed: int) -> None:
        """Hook the additions into the denoiser, switched off; its own weights stay as they are.

        Raises InputError where it has no attention to add to.
        """
        self._views: Views | None = None  # while it is switched on, the cameras
        self._on = False
        generator = torch.Generator().manual_seed(seed)
        device = next(denoiser.parameters()).device
        layers = [layer for name, layer in denoiser.named_modules() if name.endswith(_ATTENTION)]
        linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
        if not linear:
            raise InputError("This model has no attention that VSD could adapt: choose another --distillation.")
        added = [LowRank(layer.in_features, layer.out_features, rank, generator) for layer in linear]
        self.additions = nn.ModuleList(added).to(device)
        for layer, addition in zip(linear, self.additions, strict=True):
            layer.register_forward_hook(self._adding(addition))
        self._add_camera(denoiser, device)
        self.optimizer = torch.optim.AdamW(self.additions.parameters(), lr=lr)

    def _add_camera(self, denoiser: nn.Module, device: torch.device) -> None:
        embeddings = [module for module in denoiser.modules() if isinstance(module, TimestepEmbedding)]
        if embeddings:
            camera = nn.Linear(EMBEDDING_NUMBERS, embeddings[0].linear_2.out_features, bias=False, device=device)
            nn.init.zeros_(camera.weight)
            self.additions.append(camera)
            embeddings[0].register_forward_hook(self._telling(camera))

    def _adding(self, addition: nn.Module) -> Any:
        def hook(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            return output + addition(inputs[0]).to(output.dtype) if self._on else None

        return hook

    def _telling(self, camera: nn.Module) -> Any:
        def hook(_layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            if not self._on or self._views is None:
                return None
            told = camera_embedding(self._views).to(output.device, next(camera.parameters()).dtype)
            shift: Tensor = camera(told).to(output.dtype)
            return output + shift

        return hook

    @contextlib.contextmanager
    def _switched_on(self, views: Views | None) -> Iterator[None]:
        self._on, self._views = True, views
        try:
            yield
        finally:
            self._on, self._views = False, None

    def prediction(self, ask: Predict, views: Views | None) -> Predict:
        """`ask`, which asks the denoiser about B noisy pictures, with the additions and the B cameras."""

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            with self._switched_on(views):
                return ask(noisy, t)

        return predict

    def fit(self, predict: Predict, latents: Tensor, t: Tensor, noise: Tensor, alphas: Tensor) -> None:
        """One step on the loss |epsilon_phi(z_t, t) - epsilon|^2 / B (equation 8); none where it is not finite.

        Args:
            predict: what :meth:`prediction` gave
            latents: (B, C, h, w), of the renders
            t: timesteps, (B,)
            noise: (B, C, h, w)
            alphas: alpha_bar of each timestep, (T,)
        """
        with torch.enable_grad():
            predicted = predict(sds.add_noise(latents.detach(), noise, alphas[t]), t)
            loss = (predicted - noise).square().sum() / len(latents)
            loss.backward()  # type: ignore[no-untyped-call]
        step_if_finite(self.optimizer, loss)
        self.optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Everything that :meth:`load_state_dict` needs."""
        return {"additions": self.additions.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.additions.load_state_dict(state["additions"])
        self.optimizer.load_state_dict(state["optimizer"])
