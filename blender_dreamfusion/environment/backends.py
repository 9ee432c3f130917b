"""What PyTorch computes on: the builds there are, how big they are, and which of them fits this computer.

The builds are those of PyTorch 2.13 (RELEASE.md of pytorch/pytorch: CUDA 12.6 and 13.0, ROCm 7.2). A CUDA 12 build
runs on every driver since 525 (NVIDIA's "CUDA minor version compatibility"), a CUDA 13 build on 580 and newer. The
build for CUDA 12.6 has no code for Blackwell (compute capability 10 and 12), the one for 13.0 none for what is older
than Turing (7.5).
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..language import say
from ..trainer_process import NO_WINDOW

_GB = 10**9
_INDEX = "https://download.pytorch.org/whl/"
_QUERY = ("--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
_NVIDIA_SMI = ("/usr/lib/wsl/lib/nvidia-smi", r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe")
_AMD_NODES = "/sys/class/kfd/kfd/topology/nodes"
_ROCM = (
    *("gfx908", "gfx90a", "gfx942", "gfx950", "gfx1030", "gfx1100"),
    *("gfx1101", "gfx1102", "gfx1150", "gfx1151", "gfx1200", "gfx1201"),
)
_CUDA_13_DRIVER, _CUDA_12_DRIVER = 580.0, 525.0
_CUDA_13_LEAST, _CUDA_12_MOST = 7.5, 9.0  # compute capability


@dataclass(frozen=True)
class BackEnd:
    """A build of PyTorch. `device` is what torch calls it.

    `download` and `disk` are bytes with all other packages: measured for the CPU on Linux, estimated for the others.
    """

    name: str
    label: str
    device: str
    download: int
    disk: int

    def local_version(self, system: str = sys.platform) -> str:
        """What marks this build in PyTorch's version, such as "+cpu"; macOS has one build alone, without a mark."""
        return "" if system == "darwin" else f"+{self.name}"

    def index_url(self, system: str = sys.platform) -> str:
        """Where pip finds it beside PyPI; empty where PyPI has it."""
        return "" if system == "darwin" else _INDEX + self.name


CPU = BackEnd("cpu", "CPU", "cpu", int(0.4 * _GB), int(1.6 * _GB))
MPS = BackEnd("mps", "Metal (MPS)", "mps", int(0.3 * _GB), int(1.3 * _GB))
CUDA_13 = BackEnd("cu130", "CUDA 13.0", "cuda", int(2.7 * _GB), int(6.5 * _GB))
CUDA_12 = BackEnd("cu126", "CUDA 12.6", "cuda", int(3.3 * _GB), int(7.5 * _GB))
ROCM = BackEnd("rocm7.2", "ROCm 7.2", "cuda", int(5 * _GB), int(18 * _GB))
BACK_ENDS = {back_end.name: back_end for back_end in (CUDA_13, CUDA_12, ROCM, MPS, CPU)}


@dataclass(frozen=True)
class Detection:
    """The back end for a computer, and why. `problem` is empty, or says why PyTorch cannot run there at all."""

    back_end: BackEnd
    reason: str
    problem: str = ""


def offered(system: str = sys.platform) -> list[BackEnd]:
    """Those that PyTorch has for this operating system."""
    if system == "darwin":
        return [MPS]  # one build for GPU and processor
    return [CUDA_13, CUDA_12, CPU] if system == "win32" else [CUDA_13, CUDA_12, ROCM, CPU]


def detect() -> Detection:
    """The best back end for this computer."""
    return choose(sys.platform, platform.machine(), _ask_nvidia(), _read_amd_nodes())


def choose(system: str, machine: str, nvidia: str | None, amd: Iterable[str]) -> Detection:
    """The best back end, from what nvidia-smi printed (None: there is none) and the properties of AMD's nodes."""
    if system == "darwin":
        problem = "" if machine == "arm64" else say("PyTorch no longer comes for Macs with an Intel processor.")
        return Detection(MPS, "Apple GPU", problem)
    if nvidia is not None:
        return _choose_cuda(nvidia)
    names = [name for name in map(_amd_name, amd) if name]
    if system == "linux" and names:
        known = [name for name in names if name in _ROCM]
        if known:
            return Detection(ROCM, f"AMD GPU ({known[0]})")
        return Detection(CPU, say("PyTorch does not know this AMD GPU ({name})", name=names[0]))
    return Detection(CPU, say("no GPU that PyTorch knows was found"))


def _choose_cuda(printed: str) -> Detection:
    """From nvidia-smi's lines of name, driver and compute capability: for the most capable GPU."""
    gpus = [gpu for gpu in map(_parse_gpu, printed.splitlines()) if gpu]
    if not gpus:
        return Detection(CPU, say("the NVIDIA driver does not answer; update it to use the GPU"))
    capability, driver, name = max(gpus)
    found = say("{name}, driver {driver:g}", name=name, driver=driver)
    if driver >= _CUDA_13_DRIVER and capability >= _CUDA_13_LEAST:
        return Detection(CUDA_13, found)
    if driver >= _CUDA_12_DRIVER and capability <= _CUDA_12_MOST:
        return Detection(CUDA_12, found)
    sentence = "{found} is too old; update it to {driver:g} or newer to use the GPU"
    return Detection(CPU, say(sentence, found=found, driver=_CUDA_13_DRIVER))


def _parse_gpu(line: str) -> tuple[float, float, str] | None:
    """Compute capability, driver (its first two numbers) and name, or None."""
    fields = [field.strip() for field in line.rsplit(",", 2)]
    try:
        name, driver, capability = fields
        return float(capability), float(".".join(driver.split(".")[:2])), name
    except ValueError:
        return None


def _amd_name(properties: str) -> str:
    """A node's gfx name, such as gfx90a for 90010; empty for processors."""
    lines = dict(line.split(None, 1) for line in properties.splitlines() if " " in line.strip())
    version = int(lines.get("gfx_target_version", "0"))
    major, rest = divmod(version, 10000)
    minor, stepping = divmod(rest, 100)
    return f"gfx{major}{minor:x}{stepping:x}" if version else ""


def _ask_nvidia() -> str | None:
    program = shutil.which("nvidia-smi") or next((path for path in _NVIDIA_SMI if os.path.isfile(path)), None)
    if program is None:
        return None
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, timeout=30, check=False, creationflags=NO_WINDOW)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _read_amd_nodes() -> list[str]:
    texts = []
    for path in sorted(Path(_AMD_NODES).glob("*/properties")):
        with contextlib.suppress(OSError):
            texts.append(path.read_text())
    return texts
