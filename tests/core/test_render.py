import math

import pytest
import torch

from core.camera import Cameras, Views, orbit_views
from core.config import FieldConfig
from core.field import make_field
from core.occupancy import OccupancyGrid, Samples
from core.render import SURFACE_WEIGHT, accumulate, composite, render
from tests.core.fields import AnalyticField, ball

RADIUS = 0.6


def along_rays(counts, step=0.1):
    """Samples of rays with the given numbers of equal steps."""
    ray_index = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    t_start = torch.cat([torch.arange(count) * step for count in counts]).double()
    return Samples(torch.zeros(len(t_start), 3).double(), t_start, t_start + step, ray_index, len(counts))


def slow_composite(samples, density, values):
    """Sample by sample: weights, opacities and sums of values."""
    transmittance = [1.0] * samples.ray_count
    weights, sums = [], torch.zeros(samples.ray_count, values.shape[1]).double()
    for ray, start, end, sigma, value in zip(
        samples.ray_index.tolist(), samples.t_start, samples.t_end, density, values, strict=True
    ):
        alpha = 1 - math.exp(-float(sigma) * float(end - start))
        weights.append(transmittance[ray] * alpha)
        transmittance[ray] *= 1 - alpha
        sums[ray] += weights[-1] * value
    return torch.tensor(weights).double(), 1 - torch.tensor(transmittance).double(), sums


def test_against_slow_loop():
    torch.manual_seed(0)
    samples = along_rays([3, 0, 7, 1, 12, 0])
    density, values = torch.rand(23).double() * 20, torch.rand(23, 4).double()
    weights, opacity = composite(samples, density)
    expected_weights, expected_opacity, expected_sums = slow_composite(samples, density, values)
    torch.testing.assert_close(weights, expected_weights)
    torch.testing.assert_close(opacity, expected_opacity)
    torch.testing.assert_close(accumulate(weights, values, samples), expected_sums)


def test_constant_slab():
    density = torch.full((50,), 0.7).double()
    _, opacity = composite(along_rays([50]), density)
    assert opacity.item() == pytest.approx(1 - math.exp(-0.7 * 5.0))


def test_spike_takes_all_the_weight():
    density = torch.zeros(10).double()
    density[4] = 1e6
    density[7] = 1e6
    weights, opacity = composite(along_rays([10]), density)
    expected = torch.zeros(10).double()
    expected[4] = 1
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(opacity, torch.ones(1).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_for_any_density(dtype):
    samples = along_rays([8, 8, 8, 8])
    samples = Samples(samples.positions, samples.t_start.to(dtype), samples.t_end.to(dtype), samples.ray_index, 4)
    density = torch.cat([torch.zeros(8), torch.logspace(-6, 6, 8), torch.logspace(6, -6, 8), torch.full((8,), 1e6)])
    density = density.to(dtype).requires_grad_()
    weights, opacity = composite(samples, density)
    (weights * torch.linspace(-1, 1, 32)).sum().backward(retain_graph=True)
    opacity.sum().backward()
    for tensor in (weights, opacity, density.grad):
        assert tensor.isfinite().all()
    assert opacity.min() >= 0
    assert opacity.max() <= 1
    torch.testing.assert_close(accumulate(weights, torch.ones(32, 1).to(dtype), samples)[:, 0], opacity)


def test_small_densities_in_front_survive_large_ones_behind():
    density = torch.tensor([1e-3, 1e-3, 1e6])
    samples = along_rays([3])
    samples = Samples(samples.positions, samples.t_start.float(), samples.t_end.float(), samples.ray_index, 1)
    weights, _ = composite(samples, density)
    torch.testing.assert_close(weights[:2], torch.full((2,), 1e-4), rtol=1e-3, atol=0)


def test_gradient_against_finite_differences():
    samples = along_rays([4, 0, 5])
    density = (torch.rand(9).double() * 10).requires_grad_()
    assert torch.autograd.gradcheck(lambda sigma: composite(samples, sigma), (density,))


def test_no_samples_at_all():
    weights, opacity = composite(along_rays([0, 0]), torch.zeros(0).double())
    assert weights.shape == (0,)
    assert opacity.tolist() == [0, 0]


def picture(cameras, **options):
    field = AnalyticField(ball(RADIUS), peak=2000.0, color=lambda x: torch.ones_like(x) * torch.tensor([1.0, 0.5, 0.0]))
    options = {"samples": 256, "background": torch.tensor([0.0, 0.0, 1.0])} | options
    return render(field, OccupancyGrid(8), cameras, **options)


def closest_approach(cameras: Cameras) -> torch.Tensor:
    rays = cameras.rays()
    return torch.linalg.cross(rays.origins, rays.directions).norm(dim=-1)


def test_silhouette_depth_and_colour_of_a_sphere():
    cameras = orbit_views(3, 20.0, 3.0, 40.0).cameras(40, 48)
    shown = picture(cameras)
    miss = closest_approach(cameras)
    inside, outside = miss < RADIUS - 0.02, miss > RADIUS + 0.02
    assert (shown.opacity[inside] > 0.99).all()
    assert (shown.opacity[outside] < 0.01).all()
    expected = torch.where(inside[:, None], torch.tensor([1.0, 0.5, 0.0]), torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(shown.color[inside | outside], expected[inside | outside], atol=0.02, rtol=0)
    depth = (9 - miss**2).sqrt() - (RADIUS**2 - miss**2).clamp(min=0).sqrt()
    torch.testing.assert_close(shown.depth[inside], depth[inside], atol=0.03, rtol=0)
    assert (shown.depth[outside] >= 3 + 1).all()


def test_picture_order():
    high = Views(*(torch.tensor([value]) for value in (0.0, 0.0, 3.0, 40.0))).cameras(4, 6)
    shown = picture(high, background=torch.zeros(3))
    assert shown.image().shape == (1, 3, 4, 6)
    torch.testing.assert_close(shown.image()[0, :, 2, 3], shown.color[2 * 6 + 3])
    assert shown.image(shown.depth).shape == (1, 1, 4, 6)
    top, bottom = (shown.surface.normals[shown.surface.ray_index == 6 * row + 2, 2] for row in (1, 2))
    assert (top > 0).all()
    assert (bottom < 0).all()


def test_depth_of_a_plane():
    field = AnalyticField(lambda x: -x[:, 1], peak=1e4, width=1e-4)  # solid where y > 0
    cameras = Views(*(torch.tensor([value]) for value in (0.0, 0.0, 2.0, 30.0))).cameras(9, 9)
    shown = render(field, OccupancyGrid(4), cameras, samples=400, background=torch.zeros(3))
    along_axis = shown.depth * cameras.rays().directions[:, 1]
    torch.testing.assert_close(along_axis, torch.full((81,), 2.0), atol=0.01, rtol=0)


def test_light_is_brightest_where_the_surface_faces_it():
    cameras = Views(*(torch.tensor([value]) for value in (0.0, 0.0, 3.0, 30.0))).cameras(31, 31)
    light = torch.tensor([0.6, -0.8, 0.0])
    shown = picture(cameras, shading="textureless", light=light, ambient=0.25)
    hit = closest_approach(cameras) < RADIUS - 0.05
    rays = cameras.rays()
    points = rays.origins + shown.depth[:, None] * rays.directions
    brightness = 0.25 + 0.75 * ((points / RADIUS) @ light).clamp(min=0)
    torch.testing.assert_close(shown.color[hit], brightness[hit][:, None].expand(-1, 3), atol=0.04, rtol=0)
    textured = picture(cameras, shading="lambertian", light=light, ambient=0.25)
    tint = torch.tensor([1.0, 0.5, 0.0])
    torch.testing.assert_close(textured.color[hit], shown.color[hit] * tint, atol=0.01, rtol=0)


def test_light_is_at_the_camera_unless_given_and_each_picture_may_have_its_own():
    views = orbit_views(2, 0.0, 3.0, 30.0)
    cameras = views.cameras(15, 15)
    from_camera = picture(cameras, shading="textureless").image()
    each = picture(cameras, shading="textureless", light=views.directions()).image()
    middle = (..., 7, 7)
    torch.testing.assert_close(from_camera[middle], torch.ones(2, 3), atol=0.02, rtol=0)
    torch.testing.assert_close(each[middle], from_camera[middle], atol=0.02, rtol=0)
    front_only = picture(cameras, shading="textureless", light=views.directions()[0], ambient=0.0).image()
    assert front_only[0, 0, 7, 7] > 0.9
    assert front_only[1, 0, 7, 7] < 0.1


def test_each_picture_may_have_its_own_background():
    backgrounds = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    shown = picture(orbit_views(2, 0.0, 3.0, 40.0).cameras(8, 8), background=backgrounds).image()
    torch.testing.assert_close(shown[:, :, 0, 0], backgrounds)


def test_skipping_empty_space_changes_nothing():
    field = AnalyticField(ball(RADIUS), peak=100.0)
    grid = OccupancyGrid(24)
    grid.update(field.density, 1600, torch.Generator().manual_seed(0))
    cameras = orbit_views(2, 15.0, 3.0, 40.0).cameras(12, 12)
    options = {"samples": 64, "background": torch.ones(3)}
    fast, full = (render(field, which, cameras, **options) for which in (grid, OccupancyGrid(24)))
    assert len(fast.weights) < 0.4 * len(full.weights)
    torch.testing.assert_close(fast.color, full.color, atol=1e-4, rtol=0)


def test_surface_holds_what_is_seen():
    shown = picture(orbit_views(1, 0.0, 3.0, 40.0).cameras(16, 16))
    surface = shown.surface
    assert (surface.weights > SURFACE_WEIGHT).all()
    assert surface.weights.sum() == pytest.approx(shown.opacity.sum().item(), rel=0.02)
    torch.testing.assert_close(
        surface.positions.norm(dim=-1), torch.full_like(surface.weights, RADIUS), atol=0.03, rtol=0
    )
    assert ((surface.normals * surface.directions).sum(-1) < 0.2).all()


@pytest.mark.parametrize("shading", ["albedo", "lambertian", "textureless"])
@pytest.mark.parametrize("kind", ["grid", "mlp"])
def test_learning_is_possible_and_repeatable(shading, kind):
    def gradients():
        torch.manual_seed(0)
        field = make_field(FieldConfig(kind=kind, levels=3, log2_entries=10, finest_resolution=32, hidden=8))
        shown = render(
            field,
            OccupancyGrid(8),
            orbit_views(1, 15.0, 3.0, 40.0).cameras(8, 8),
            samples=16,
            background=torch.ones(3),
            shading=shading,
            light=torch.tensor([0.6, -0.8, 0.0]),
            generator=torch.Generator().manual_seed(2),
        )
        (shown.image().square().mean() + (shown.surface.weights @ shown.surface.normals).sum()).backward()
        return [p.grad for p in field.parameters()]

    first, second = gradients(), gradients()
    for one, other in zip(first, second, strict=True):
        assert one.isfinite().all()
        assert one.abs().sum() > 0
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_nothing_in_sight_is_background():
    field = make_field(FieldConfig(levels=2, log2_entries=8, finest_resolution=16, hidden=8))
    grid = OccupancyGrid(4)
    grid.occupied.fill_(False)
    shown = render(
        field,
        grid,
        orbit_views(1, 0.0, 3.0, 40.0).cameras(4, 4),
        samples=8,
        background=torch.ones(3),
        shading="lambertian",
    )
    torch.testing.assert_close(shown.color, torch.ones(16, 3))
    assert shown.surface.normals.shape == (0, 3)
    shown.color.sum().backward()
