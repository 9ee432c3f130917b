"""The scene: density, albedo and normal at every point of space, learnt.

Two fields share one interface: a hash grid with a small network behind it (Instant-NGP), and the original NeRF,
one larger network behind sines and cosines. A field that starts empty never gets a gradient and one that starts
full never opens up, so both begin as a soft ball (Magic3D, section 4.1).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.config import FieldConfig
from core.encoding import FrequencyEncoding, HashEncoding
from core.errors import InputError

DENSITY_SCALE = 10.0  # per unit length; a pre-activation of 10 is all but opaque (alpha 0.99) within a step of 0.045
NORMAL_STEP = 0.01  # world units
FREQUENCY_BANDS = 6

# Corners of a tetrahedron: four values give a gradient whose leading error is one mixed derivative times the step.
_TETRAHEDRON = ((1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0))


class Field(nn.Module):
    """Density and albedo from one raw output: four numbers h at each point.

    density = DENSITY_SCALE * softplus(h_0 + blob_density * (1 - |x| / blob_radius))   per unit length
    albedo  = sigmoid(h_1, h_2, h_3)                                                   sRGB in [0, 1]

    softplus grows linearly, so neither values nor gradients explode as with exp; the scale lets a surface become
    crisp within a few hundred steps.
    """

    def __init__(self, config: FieldConfig):
        """Remember the initial ball; subclasses add their networks."""
        super().__init__()
        self.blob_density = config.blob_density
        self.blob_radius = config.blob_radius

    def raw(self, x: Tensor) -> Tensor:
        """The raw output (S, 4) at positions (S, 3); subclasses define it."""
        raise NotImplementedError

    def parameter_groups(self, lr_encoding: float, lr_network: float) -> list[dict[str, Any]]:
        """Parameters with their learning rates, for an optimizer."""
        raise NotImplementedError

    def query(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Density (S,) per unit length and albedo (S, 3) at positions (S, 3) in [-1, 1]^3."""
        raw = self.raw(x)
        return self._activate(x, raw), torch.sigmoid(raw[:, 1:])

    def density(self, x: Tensor) -> Tensor:
        """Density (S,) per unit length at positions (S, 3) in [-1, 1]^3."""
        return self._activate(x, self.raw(x))

    def normal(self, x: Tensor) -> Tensor:
        """Outward unit normals (S, 3): where the density falls fastest.

        Finite differences over NORMAL_STEP of the softplus's argument, which points the same way as the density's
        gradient and does not vanish in empty space. Differentiable with respect to the field's parameters.
        """
        offsets = x.new_tensor(_TETRAHEDRON)
        around = (x[:, None] + NORMAL_STEP * offsets).reshape(-1, 3)
        logit = self._logit(around, self.raw(around)).view(-1, 4)
        normals: Tensor = F.normalize(-(logit @ offsets), dim=-1, eps=1e-6)
        return normals

    def _activate(self, x: Tensor, raw: Tensor) -> Tensor:
        density: Tensor = DENSITY_SCALE * F.softplus(self._logit(x, raw))
        return density

    def _logit(self, x: Tensor, raw: Tensor) -> Tensor:
        logit: Tensor = raw[:, 0] + self.blob_density * (1 - x.norm(dim=-1) / self.blob_radius)
        return logit


class HashGridField(Field):
    """A hash grid and one hidden layer: fast, and sharp where the picture asks for it."""

    def __init__(self, config: FieldConfig):
        """Random weights from torch's global generator."""
        super().__init__(config)
        self.encoding = HashEncoding(
            config.levels, config.features, config.log2_entries, config.base_resolution, config.finest_resolution
        )
        self.network = _perceptron(self.encoding.output_size, config.hidden, hidden_layers=1)

    def raw(self, x: Tensor) -> Tensor:
        """The raw output (S, 4) at positions (S, 3)."""
        output: Tensor = self.network(self.encoding((x + 1) / 2))
        return output

    def parameter_groups(self, lr_encoding: float, lr_network: float) -> list[dict[str, Any]]:
        """The table learns at its own, higher rate."""
        return [
            {"params": list(self.encoding.parameters()), "lr": lr_encoding},
            {"params": list(self.network.parameters()), "lr": lr_network},
        ]


class MlpField(Field):
    """NeRF: a network of three hidden layers, which carries the whole shape and so is twice as wide."""

    def __init__(self, config: FieldConfig):
        """Random weights from torch's global generator."""
        super().__init__(config)
        self.encoding = FrequencyEncoding(FREQUENCY_BANDS)
        self.network = _perceptron(self.encoding.output_size, 2 * config.hidden, hidden_layers=3)

    def raw(self, x: Tensor) -> Tensor:
        """The raw output (S, 4) at positions (S, 3)."""
        output: Tensor = self.network(self.encoding(x))
        return output

    def parameter_groups(self, lr_encoding: float, lr_network: float) -> list[dict[str, Any]]:  # noqa: ARG002
        """One group: the encoding has nothing to learn."""
        return [{"params": list(self.network.parameters()), "lr": lr_network}]


def make_field(config: FieldConfig) -> Field:
    """The field that `config.kind` names. Raises InputError where there is none of that name."""
    if config.kind not in ("grid", "mlp"):
        raise InputError(f"Unknown field {config.kind!r}: choose grid or mlp.")
    return HashGridField(config) if config.kind == "grid" else MlpField(config)


def _perceptron(inputs: int, width: int, hidden_layers: int) -> nn.Sequential:
    """Linear layers with ReLU between them, from `inputs` to the four raw outputs."""
    layers: list[nn.Module] = []
    for _ in range(hidden_layers):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(width, 4))
