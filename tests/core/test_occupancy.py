import math

import pytest
import torch

from core.camera import Rays, orbit_views
from core.occupancy import THRESHOLD, UPDATE_EVERY, WARM_UP, OccupancyGrid

SETTLED = WARM_UP + UPDATE_EVERY - WARM_UP % UPDATE_EVERY


def ball_density(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x.norm(dim=-1) < 0.5, 50.0, 0.0)


def rays_through(*pairs):
    origins, directions = (torch.tensor(side, dtype=torch.float32) for side in zip(*pairs, strict=True))
    return Rays(origins, torch.nn.functional.normalize(directions, dim=-1))


def test_intervals_fill_the_way_through_the_cube():
    rays = rays_through(
        ((0, -3, 0), (0, 1, 0)),  # straight through
        ((-2, -2, -2), (1, 1, 1)),  # along the diagonal
        ((0, -3, 5), (0, 1, 0)),  # misses
        ((0.5, 0, 0), (1, 0, 0)),  # starts inside
        ((0, 3, 0), (0, 1, 0)),  # the cube is behind
    )
    samples = OccupancyGrid(4).march(rays, 10)
    assert samples.ray_count == 5
    assert torch.bincount(samples.ray_index, minlength=5).tolist() == [10, 10, 0, 10, 0]
    near, far = [2, math.sqrt(3), None, 0], [4, 3 * math.sqrt(3), None, 0.5]
    for ray in (0, 1, 3):
        mine = samples.ray_index == ray
        edges = torch.linspace(near[ray], far[ray], 11)
        torch.testing.assert_close(samples.t_start[mine], edges[:-1], atol=1e-5, rtol=0)
        torch.testing.assert_close(samples.t_end[mine], edges[1:], atol=1e-5, rtol=0)
        middle = rays.origins[ray] + ((edges[:-1] + edges[1:]) / 2)[:, None] * rays.directions[ray]
        torch.testing.assert_close(samples.positions[mine], middle, atol=1e-5, rtol=0)


def test_samples_are_sorted_by_ray_then_distance():
    samples = OccupancyGrid(4).march(orbit_views(2, 20.0, 3.0, 40.0).cameras(6, 6).rays(), 8)
    order = samples.ray_index.double() * 100 + samples.t_start.double()
    assert (order.diff() > 0).all()


def test_jitter_stays_in_its_interval_and_repeats():
    rays = orbit_views(1, 20.0, 3.0, 40.0).cameras(8, 8).rays()
    grid = OccupancyGrid(4)
    first = grid.march(rays, 8, torch.Generator().manual_seed(3))
    again = grid.march(rays, 8, torch.Generator().manual_seed(3))
    torch.testing.assert_close(first.positions, again.positions, rtol=0, atol=0)
    t = (first.positions - rays.origins[first.ray_index]).norm(dim=-1)
    place = (t - first.t_start) / (first.t_end - first.t_start)
    assert place.min() > -1e-3
    assert place.max() < 1.001
    assert place.std() > 0.2


def test_never_skips_what_is_dense():
    torch.manual_seed(0)
    centers = torch.rand(5, 3) - 0.5

    def density(x):
        return 20 * torch.exp(-(((x[:, None] - centers).norm(dim=-1) / 0.15) ** 2)).sum(1)

    grid = OccupancyGrid(16)
    generator = torch.Generator().manual_seed(0)
    for step in range(SETTLED, SETTLED + 4 * UPDATE_EVERY, UPDATE_EVERY):
        grid.update(density, step, generator)
    rays = orbit_views(3, 10.0, 3.0, 40.0).cameras(16, 16).rays()
    everything = OccupancyGrid(16).march(rays, 32)
    assert grid.is_occupied(everything.positions[density(everything.positions) > THRESHOLD]).all()
    kept = grid.march(rays, 32)
    assert len(kept.t_start) < 0.7 * len(everything.t_start)


def test_all_is_occupied_while_warming_up():
    grid = OccupancyGrid(8)
    grid.update(ball_density, 0, torch.Generator())
    assert grid.occupied.all()
    assert grid.density.max() == 50
    grid.update(ball_density, SETTLED, torch.Generator())
    x = torch.linspace(-0.99, 0.99, 16)
    points = torch.cartesian_prod(x, x, x)
    distance = points.norm(dim=-1)
    assert grid.is_occupied(points[distance < 0.5]).all()
    assert not grid.is_occupied(points[distance > 0.5 + 2 * math.sqrt(3) * 0.25]).any()  # two cells further


def test_a_thin_scene_lowers_the_bar():
    grid = OccupancyGrid(8)
    grid.update(lambda x: ball_density(x) * 1e-4, SETTLED, torch.Generator())
    assert grid.occupied.any()


def test_forgets_what_has_gone():
    grid, generator = OccupancyGrid(8), torch.Generator()
    grid.update(ball_density, SETTLED, generator)
    for update in range(1, 20):
        grid.update(
            lambda x: torch.where(x[:, 0] > 0, ball_density(x), 0.0), SETTLED + update * UPDATE_EVERY, generator
        )
    assert not grid.is_occupied(torch.tensor([-0.4, 0.0, 0.0]))
    assert grid.is_occupied(torch.tensor([0.2, 0.0, 0.0]))


def test_between_updates_nothing_is_asked():
    grid = OccupancyGrid(4)
    grid.update(lambda _: pytest.fail("asked"), 1, torch.Generator())


def test_cells_are_where_their_points_are():
    grid = OccupancyGrid(5)
    grid.update(
        lambda x: torch.where((x[:, 0] > 0.6) & (x[:, 1] < -0.6) & (x[:, 2].abs() < 0.2), 9.0, 0.0),
        SETTLED,
        torch.Generator(),
    )
    assert grid.is_occupied(torch.tensor([[0.9, -0.9, 0.0], [0.3, -0.3, 0.5]])).all()
    assert not grid.is_occupied(torch.tensor([[-0.9, 0.9, 0.0], [0.0, 0.0, 0.0], [0.9, -0.9, 0.9]])).any()


def test_state_is_saved():
    grid, other = OccupancyGrid(8), OccupancyGrid(8)
    grid.update(ball_density, SETTLED, torch.Generator())
    other.load_state_dict(grid.state_dict())
    torch.testing.assert_close(other.occupied, grid.occupied)
    torch.testing.assert_close(other.density, grid.density)
