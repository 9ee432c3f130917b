"""Which build of PyTorch a computer gets, from what nvidia-smi and the AMD driver print."""

import pytest

from blender_dreamfusion.environment import backends
from blender_dreamfusion.environment.backends import CPU, CUDA_12, CUDA_13, MPS, ROCM, choose

PROCESSOR = "cpu_cores_count 16\ngfx_target_version 0\nvendor_id 4098\n"


@pytest.mark.parametrize(
    ("printed", "back_end"),
    [
        ("NVIDIA GeForce RTX 4090, 581.15, 8.9\n", CUDA_13),
        ("NVIDIA GeForce RTX 2060, 580.65.06, 7.5\n", CUDA_13),
        ("NVIDIA GeForce RTX 5090, 590.44.01, 12.0\n", CUDA_13),
        ("NVIDIA H100 80GB HBM3, 550.54.15, 9.0\n", CUDA_12),
        ("NVIDIA GeForce GTX 1080, 581.15, 6.1\n", CUDA_12),  # too old for CUDA 13, whatever its driver
        ("Tesla V100-SXM2-16GB, 525.60.13, 7.0\n", CUDA_12),
        ("NVIDIA GeForce RTX 5090, 570.86.16, 12.0\n", CPU),  # too new for CUDA 12
        ("NVIDIA GeForce RTX 3090, 470.256.02, 8.6\n", CPU),
        ("NVIDIA GeForce GTX 1050, 581.15, 6.1\nNVIDIA GeForce RTX 4090, 581.15, 8.9\n", CUDA_13),  # the better one
        ('Field "compute_cap" is not a valid field to query.\n', CPU),
        ("", CPU),
    ],
)
def test_cuda_by_driver_and_gpu(printed, back_end):
    for system in ("linux", "win32"):
        assert choose(system, "x86_64", printed, []).back_end is back_end


def test_a_driver_that_is_too_old_is_named_with_what_to_do():
    reason = choose("win32", "AMD64", "NVIDIA GeForce RTX 3090, 470.256.02, 8.6\n", []).reason
    assert reason == "NVIDIA GeForce RTX 3090, driver 470.256 is too old; update it to 580 or newer to use the GPU"
    assert "update" in choose("linux", "x86_64", "", []).reason


@pytest.mark.parametrize(
    ("version", "back_end", "name"),
    [(110000, ROCM, "gfx1100"), (90010, ROCM, "gfx90a"), (90402, ROCM, "gfx942"), (100306, CPU, "gfx1036")],
)
def test_amd_by_its_name(version, back_end, name):
    found = choose("linux", "x86_64", None, [PROCESSOR, PROCESSOR.replace("version 0", f"version {version}")])
    assert found.back_end is back_end
    assert name in found.reason


def test_macs():
    assert choose("darwin", "arm64", None, []).back_end is MPS
    assert "Intel" in choose("darwin", "x86_64", None, []).problem


def test_without_a_gpu():
    found = choose("linux", "x86_64", None, [PROCESSOR])
    assert found.back_end is CPU
    assert not found.problem


def test_builds_are_marked_where_pytorch_marks_them():
    assert CUDA_13.local_version("linux") == "+cu130"
    assert CUDA_13.index_url("win32") == "https://download.pytorch.org/whl/cu130"
    assert CPU.local_version("linux") == "+cpu"
    assert MPS.local_version("darwin") == MPS.index_url("darwin") == ""


def test_what_is_offered_can_be_asked_for():
    for system, last in (("linux", "cpu"), ("win32", "cpu"), ("darwin", "mps")):
        names = [build.name for build in backends.offered(system)]
        assert names[-1] == last
        assert all(backends.BACK_ENDS[name].disk > backends.BACK_ENDS[name].download for name in names)
    assert ROCM not in backends.offered("win32")


def test_this_computer_is_asked_without_an_error():
    assert backends.detect().back_end in backends.BACK_ENDS.values()
