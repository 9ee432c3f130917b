"""How much memory a computation takes, found without running it; and how much a device has free.

Tensors on the meta device have shapes but no numbers. Work on them costs next to nothing, and allocates and frees in
the same order as on a real device, so that its peak can be counted before a weight is read.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are made in the block and are still alive, on any device.

    Memory that no tensor owns (of libraries and kernels) is not seen. Tensors from outside are not counted.

    Attributes:
        bytes: of the living tensors, now
        peak: the most that `bytes` has been
    """

    def __init__(self) -> None:
        """Nothing yet."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = self.peak = 0
        self._alive: dict[int, weakref.ref[Any]] = {}  # storages by identity; the reference hears when one is freed

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called for every operation: its result is new unless it shares the storage of an argument."""
        result = func(*args, **(kwargs or {}))
        known = {id(storage) for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            if id(storage) not in known and id(storage) not in self._alive:
                self._count(storage)
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()

        def forget(_reference: object) -> None:
            del self._alive[key]
            self.bytes -= size

        self._alive[key] = weakref.ref(storage, forget)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)


@contextlib.contextmanager
def fused_attention() -> Iterator[None]:
    """Let attention allocate its result alone, as the kernels of real devices do; the meta device has none of them.

    A function of torch is replaced in the block, for all threads.
    """
    real = F.scaled_dot_product_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, *_options: Any, **_more: Any) -> Tensor:
        result: Tensor = _Attention.apply(query, key, value)  # type: ignore[no-untyped-call]
        return result

    F.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        F.scaled_dot_product_attention = real


class _Attention(torch.autograd.Function):
    """The shapes of attention, and what its backward() keeps."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        result = query.new_empty(*query.shape[:-1], value.shape[-1])
        ctx.save_for_backward(query, key, value, result)
        return result

    @staticmethod
    def backward(ctx: Any, *_gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, _ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def size_of(module: nn.Module) -> int:
    """Bytes of a module's parameters and buffers."""
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def free_memory(device: torch.device) -> int:
    """Bytes that a device has free, or the computer where the device shares its memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return int(psutil.virtual_memory().available)


def _storages(values: Any) -> list[torch.UntypedStorage]:
    return [value.untyped_storage() for value in tree_leaves(values) if isinstance(value, Tensor)]
