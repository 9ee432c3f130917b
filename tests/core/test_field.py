import dataclasses

import pytest
import torch

from core.config import FieldConfig
from core.errors import InputError
from core.field import Field, HashGridField, MlpField, make_field

SMALL = FieldConfig(levels=4, log2_entries=10, base_resolution=4, finest_resolution=32, hidden=16)


class Ball(Field):
    """Nothing learnt: the initial ball alone, or one moved by `center`."""

    def __init__(self, center=(0.0, 0.0, 0.0)):
        super().__init__(SMALL)
        self.center = torch.nn.Parameter(torch.tensor(center, dtype=torch.float64))

    def raw(self, x):
        moved = -20 * ((x - self.center).norm(dim=-1) - x.norm(dim=-1))
        return torch.stack([moved, *torch.zeros(3, len(x), dtype=x.dtype)], dim=-1)


@pytest.mark.parametrize(("kind", "expected"), [("grid", HashGridField), ("mlp", MlpField)])
def test_query(kind, expected):
    torch.manual_seed(0)
    field = make_field(dataclasses.replace(SMALL, kind=kind))
    assert isinstance(field, expected)
    x = torch.rand(50, 3) * 2 - 1
    density, albedo = field.query(x)
    assert density.shape == (50,)
    assert albedo.shape == (50, 3)
    assert (density >= 0).all()
    assert ((albedo >= 0) & (albedo <= 1)).all()
    torch.testing.assert_close(field.density(x), density)


@pytest.mark.parametrize("kind", ["grid", "mlp"])
def test_starts_as_a_ball(kind):
    torch.manual_seed(0)
    field = make_field(dataclasses.replace(SMALL, kind=kind))
    directions = torch.nn.functional.normalize(torch.randn(20, 3), dim=-1)
    inside, rim, outside = (field.density(directions * radius) for radius in (0.1, 0.5, 0.9))
    assert (inside > 70).all()
    assert ((rim > 3) & (rim < 15)).all()  # DENSITY_SCALE * ln 2 and what the network adds
    assert (outside < 0.1).all()


def test_a_learnt_field_can_be_opaque_within_a_step():
    """A raw output of 10, which a network reaches, on the rim, where the initial ball adds nothing."""
    field = make_field(SMALL)
    output = field.network[-1]
    with torch.no_grad():
        output.weight.zero_()
        output.bias.copy_(torch.tensor([10.0, 10.0, 0.0, -10.0]))
    density, albedo = field.query(torch.tensor([[0.0, -SMALL.blob_radius, 0.0]]))
    assert 1 - torch.exp(-density * 0.045) > 0.985
    torch.testing.assert_close(albedo, torch.tensor([[1.0, 0.5, 0.0]]), atol=1e-4, rtol=0)


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="'voxels': choose grid or mlp"):
        make_field(dataclasses.replace(SMALL, kind="voxels"))


def test_normals_point_outward():
    x = torch.nn.functional.normalize(torch.randn(100, 3, dtype=torch.float64), dim=-1)
    x *= torch.linspace(0.2, 0.95, 100, dtype=torch.float64)[:, None]
    normals = Ball().normal(x)
    torch.testing.assert_close(normals, torch.nn.functional.normalize(x, dim=-1), atol=0.03, rtol=0)


def test_normals_are_unit_and_safe_where_nothing_changes():
    field = Ball()
    field.blob_density = 0.0
    assert field.normal(torch.zeros(3, 3, dtype=torch.float64)).isfinite().all()
    grid = make_field(SMALL)
    norms = grid.normal(torch.rand(40, 3) * 2 - 1).norm(dim=-1)
    torch.testing.assert_close(norms, torch.ones(40))


def test_normal_gradient_against_finite_differences():
    field = Ball((0.1, 0.0, -0.2))
    x = torch.tensor([[0.3, 0.4, 0.1], [-0.5, 0.2, 0.3]], dtype=torch.float64)
    target = torch.randn(2, 3, dtype=torch.float64)

    def loss(center):
        with torch.no_grad():
            field.center.copy_(center)
        return (field.normal(x) * target).sum()

    start, step = field.center.detach().clone(), 1e-6
    expected = torch.stack(
        [(loss(start + step * axis) - loss(start - step * axis)) / (2 * step) for axis in torch.eye(3).double()]
    )
    loss(start).backward()
    torch.testing.assert_close(field.center.grad, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["grid", "mlp"])
def test_every_parameter_has_one_learning_rate(kind):
    field = make_field(dataclasses.replace(SMALL, kind=kind))
    groups = field.parameter_groups(lr_encoding=0.02, lr_network=0.002)
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in field.parameters())
    assert groups[-1]["lr"] == 0.002
    assert (groups[0]["lr"] == 0.02) == (kind == "grid")
    torch.optim.Adam(groups)


@pytest.mark.parametrize("kind", ["grid", "mlp"])
def test_everything_learns(kind):
    field = make_field(dataclasses.replace(SMALL, kind=kind))
    density, albedo = field.query(torch.rand(200, 3) - 0.5)
    (density.sum() + albedo.sum() + field.normal(torch.rand(50, 3) - 0.5).sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in field.parameters())
