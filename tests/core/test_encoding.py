import math

import pytest
import torch

from core.encoding import CHUNK, PRIMES, FrequencyEncoding, HashEncoding


def slow_lookup(encoding: HashEncoding, resolutions: list[int], x: torch.Tensor) -> torch.Tensor:
    """Corner by corner in Python integers, for one position; (levels, features)."""
    result = torch.zeros(len(resolutions), len(encoding.table), dtype=torch.float64)
    hashed = [r for r in resolutions if (r + 1) ** 3 > encoding.entries]
    for level, resolution in enumerate(resolutions):
        dense = resolution not in hashed
        if dense:
            start = len(hashed) * encoding.entries + sum((r + 1) ** 3 for r in resolutions[:level])
        else:
            start = hashed.index(resolution) * encoding.entries
        cell = [min(int(c * resolution), resolution - 1) for c in x.tolist()]
        for corner in range(8):
            bits = [corner >> axis & 1 for axis in range(3)]
            i, j, k = (c + b for c, b in zip(cell, bits, strict=True))
            if dense:
                index = (i * (resolution + 1) + j) * (resolution + 1) + k
            else:
                index = ((i * PRIMES[0]) ^ (j * PRIMES[1]) ^ (k * PRIMES[2])) % encoding.entries
            weight = 1.0
            for c, low, bit in zip(x.tolist(), cell, bits, strict=True):
                fraction = c * resolution - low
                weight *= fraction if bit else 1 - fraction
            result[level] += weight * encoding.table[:, start + index].double()
    return result


RESOLUTIONS = [4, 8, 16, 32, 64]


@pytest.fixture
def encoding() -> HashEncoding:
    torch.manual_seed(0)
    encoding = HashEncoding(5, 3, 10, 4, 64).double()
    torch.nn.init.normal_(encoding.table)
    return encoding


def test_against_slow_lookup(encoding):
    x = torch.rand(40, 3, dtype=torch.float64)
    x[:3] = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 1.0, 0.0]], dtype=torch.float64)
    assert encoding.dense_levels == 2
    assert encoding.resolutions.tolist() == RESOLUTIONS
    expected = torch.stack([slow_lookup(encoding, RESOLUTIONS, point) for point in x])  # (S, L, F)
    actual = encoding(x).view(40, 3, 5).transpose(1, 2)
    torch.testing.assert_close(actual, expected)


def test_wide_tables_use_64_bits_and_give_the_same():
    torch.manual_seed(0)
    small = HashEncoding(3, 1, 12, 16, 1024)
    wide = HashEncoding(3, 1, 12, 16, 1024)
    assert small.strides.dtype == torch.int32
    assert HashEncoding(1, 1, 20, 4096, 4096).strides.dtype == torch.int64
    for name in ("resolutions", "strides", "offsets"):
        setattr(wide, name, getattr(wide, name).long())
    wide.load_state_dict(small.state_dict())
    x = torch.rand(100, 3)
    torch.testing.assert_close(small(x), wide(x), rtol=0, atol=0)


def test_dense_level_reproduces_a_linear_function():
    encoding = HashEncoding(1, 1, 12, 8, 8).double()
    axis = torch.linspace(0, 1, 9, dtype=torch.float64)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    with torch.no_grad():
        encoding.table[0] = (2 * x - 3 * y + 0.5 * z + 1).flatten()
    points = torch.rand(200, 3, dtype=torch.float64)
    expected = points @ torch.tensor([2.0, -3.0, 0.5], dtype=torch.float64) + 1
    torch.testing.assert_close(encoding(points)[:, 0], expected)


def test_table_gradient_against_finite_differences(encoding):
    x = torch.rand(6, 3, dtype=torch.float64)
    direction = torch.randn_like(encoding.table)
    target = torch.randn(6, encoding.output_size, dtype=torch.float64)
    (encoding(x) * target).sum().backward()
    with torch.no_grad():
        encoding.table += direction
        difference = (encoding(x) * target).sum()
        encoding.table -= 2 * direction
        difference -= (encoding(x) * target).sum()
    torch.testing.assert_close((encoding.table.grad * direction).sum(), difference / 2)


def test_chunks_do_not_show():
    encoding = HashEncoding(2, 2, 8, 4, 16)
    x = torch.rand(CHUNK + 5, 3)
    whole = encoding(x)
    torch.testing.assert_close(whole[CHUNK:], encoding(x[CHUNK:]), rtol=0, atol=0)
    whole.sum().backward()
    assert encoding.table.grad.sum() == pytest.approx(len(x) * encoding.output_size, rel=1e-4)


def test_no_samples():
    encoding = HashEncoding(2, 2, 8, 4, 16)
    features = encoding(torch.zeros(0, 3))
    assert features.shape == (0, 4)
    features.sum().backward()
    assert not encoding.table.grad.any()


def test_outside_the_cube_is_finite():
    encoding = HashEncoding(3, 2, 8, 4, 64)
    assert encoding(torch.tensor([[-0.01, 1.01, 0.5], [1.02, -0.02, 1.0]])).isfinite().all()


def test_frequencies():
    features = FrequencyEncoding(2)(torch.tensor([[0.25, 0.5, 1.0]]))[0]
    half = math.sqrt(0.5)
    expected = [0.25, 0.5, 1.0, half, 1, 0, 1, 0, 0, half, 0, -1, 0, -1, 1]
    torch.testing.assert_close(features, torch.tensor(expected), atol=1e-6, rtol=0)
