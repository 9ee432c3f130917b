"""Which device to compute on, what is known about it, and clear words when its memory runs out."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Callable, Iterator

import psutil
import torch

from core.config import DEVICES, Config, preset
from core.errors import DreamFusionError, InputError, OutOfMemory

GIB = 1024**3
_OLD_GLIBC_LIMIT = 32 * 1024**2  # bytes; before 2.35 a greater M_MMAP_THRESHOLD is refused
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
    """What `doctor` shows: the device and its memory, each as a line to print."""
    memory = psutil.virtual_memory()
    facts = {
        "processor": f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads",
        "memory": f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free",
    }
    facts["device"] = str(device)
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        facts["device"] = f"cuda ({torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda})"
        facts["device memory"] = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    return facts


def has_fast_bf16(device: torch.device) -> bool:
    """Whether it is a processor with instructions for bfloat16: AVX512-BF16 or AMX. On others bfloat16 is slow."""
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def pick_precision(fp16: bool, bf16: bool, device: torch.device, say: Callable[[str], None]) -> torch.dtype:
    """The type that weights are kept and networks computed in; `say` hears where a device does better in float32.

    Raises InputError where both are asked for, or a GPU has no bfloat16.
    """
    if fp16 and bf16:
        raise InputError("--fp16 and --bf16 are two precisions: choose one.")
    if bf16 and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(f"{torch.cuda.get_device_name(device)} cannot compute in bfloat16: take --fp16.")
    if device.type == "cpu" and (fp16 or (bf16 and not has_fast_bf16(device))):
        name = "fp16 is of no use on a CPU" if fp16 else "bf16 is of no use on this CPU"
        say(f"{name}: computing in float32.")
        return torch.float32
    return torch.float16 if fp16 else torch.bfloat16 if bf16 else torch.float32


def check_device(device: torch.device) -> None:
    """Multiply two small matrices there. Raises DreamFusionError where the device only seems to work."""
    try:
        total = (torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)).sum().item()
    except RuntimeError as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise DreamFusionError(f"The {device} device fails ({reason}): take --device cpu.") from error
    if total != 8**3:
        raise DreamFusionError(f"The {device} device computes wrong numbers: take --device cpu.")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python failed for lack of memory: CPU allocators raise a plain RuntimeError."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY_WORDS)


@contextlib.contextmanager
def memory_errors(config: Config, device: torch.device, smaller: str | None = None) -> Iterator[None]:
    """Turn a lack of memory in the block into OutOfMemory, which names options that need less.

    `smaller` is the one that makes the work itself smaller; None: the draft, where it is none already.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        options = what_needs_less(config, device, smaller)
        advice = f"close other programs, or start again with {options}" if options else "close other programs"
        raise OutOfMemory(f"The {_memory_name(device)} is full: {advice}.") from error


def what_needs_less(config: Config, device: torch.device, smaller: str | None = None) -> str:
    """The options to try for less memory: the gentlest that are not in use yet; empty where all are."""
    if smaller is None:
        draft = preset("draft", config.prompt, config.guidance.model)
        smaller = "" if config.mesh.resolution <= draft.mesh.resolution else "--preset draft"
    guidance = config.guidance
    halved = guidance.fp16 or guidance.bf16 or device.type == "cpu"
    if guidance.model == "sd" and not guidance.vram_O:
        return "--vram_O" + ("" if halved else " and --fp16")
    if guidance.model == "sd" and not halved:
        return "--fp16"
    return " or ".join(filter(None, (smaller, "" if device.type == "cpu" else "--device cpu")))


def _memory_name(device: torch.device) -> str:
    return "computer's memory" if device.type == "cpu" else f"memory of the {device.type} device"


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors instead of returning it to the system at once.

    With glibc's defaults every large tensor is mapped and zeroed anew: on a CPU that took half of the time of a
    training step. Other systems' allocators do not do this, and are left alone.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        if library.mallopt(_M_MMAP_THRESHOLD, GIB) or library.mallopt(_M_MMAP_THRESHOLD, _OLD_GLIBC_LIMIT):
            library.mallopt(_M_TRIM_THRESHOLD, GIB)  # alone it would fix the other at 128 KiB
