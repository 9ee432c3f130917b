"""A guidance whose wish is known: it pulls every picture towards a true object seen from the same camera."""

import torch
from torch.nn import functional as F


class BallPainter:
    """Wants a red ball of radius 0.6 on whatever background a picture's corner shows."""

    def __init__(self, color=(0.9, 0.2, 0.1), fail_at=(), interrupt_at=0):
        self.color = torch.tensor(color)
        self.fail_at = set(fail_at)
        self.interrupt_at = interrupt_at
        self.calls = 0

    ring = 1

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        assert state == {}

    def loss(self, image, views, progress, generator):  # noqa: ARG002
        self.calls += 1
        if self.calls == self.interrupt_at:
            raise KeyboardInterrupt
        rays = views.cameras(*image.shape[-2:]).rays()
        closest = rays.origins - (rays.origins * rays.directions).sum(-1, keepdim=True) * rays.directions
        inside = (closest.norm(dim=-1) < 0.6).reshape(len(image), 1, *image.shape[-2:])
        target = torch.where(inside, self.color[:, None, None], image.detach()[..., :1, :1])
        loss = 50 * F.mse_loss(image, target, reduction="sum") / len(image)
        return loss * float("nan") if self.calls in self.fail_at else loss
