"""Which device to compute on, what is known about it, and clear words when its memory runs out."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator

import psutil
import torch

from core.config import Config
from core.errors import InputError, OutOfMemory

DEVICES = ("auto", "cpu", "cuda", "mps")
PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "scikit-image", "xatlas")
_GIB = 1024**3
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA and MPS; CPU; CPU on Windows


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" takes CUDA, then MPS, then the CPU.

    Raises InputError where the name is unknown or this computer has no such device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in DEVICES:
        raise InputError(f"Unknown device {name!r}: choose one of {', '.join(DEVICES)}.")
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    if not available[name]:
        raise InputError(f"There is no {name} device that torch {torch.__version__} can use: take --device auto.")
    return torch.device(name)


def device_facts(device: torch.device) -> dict[str, str]:
    """What `doctor` shows: versions, the device and its memory, each as a line to print."""
    facts = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    facts |= {package: importlib.metadata.version(package) for package in PACKAGES}
    memory = psutil.virtual_memory()
    facts["processor"] = f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads"
    facts["memory"] = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free"
    facts["device"] = str(device)
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        facts["device"] = f"cuda ({torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda})"
        facts["device memory"] = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    return facts


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python failed for lack of memory: CPU allocators raise a plain RuntimeError."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY_WORDS)


@contextlib.contextmanager
def memory_errors(config: Config, device: torch.device) -> Iterator[None]:
    """Turn a lack of memory in the block into OutOfMemory, which names the settings to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(f"The {_memory_name(device)} is full: {what_to_lower(config, device)}.") from error


def what_to_lower(config: Config, device: torch.device) -> str:
    """The next thing to try for less memory: the gentlest that is not in use yet."""
    guidance = config.guidance
    if guidance.model == "sd" and not guidance.vram_O:
        return "add --vram_O" + ("" if guidance.fp16 or device.type == "cpu" else " and --fp16")
    if guidance.model == "sd" and not guidance.fp16 and device.type != "cpu":
        return "add --fp16"
    if config.training.batch > 1:
        return f"lower training.batch (now {config.training.batch})"
    lower = f"take --preset draft, or lower render.resolution (now {config.render.resolution})"
    return f"{lower} and render.samples (now {config.render.samples})"


def _memory_name(device: torch.device) -> str:
    return "computer's memory" if device.type == "cpu" else f"memory of the {device.type} device"


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors instead of returning it to the system at once.

    With glibc's defaults every large tensor is mapped and zeroed anew: on a CPU that took half of the time of a
    training step. Other systems' allocators do not do this, and are left alone.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _GIB)
        library.mallopt(_M_TRIM_THRESHOLD, _GIB)
