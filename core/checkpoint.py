"""Checkpoints: everything a resumed run needs to go on, on a CPU bit for bit.

One checkpoint is two files. The tensors go first, into ``<step>-<digest>.safetensors``; then ``<step>.json``, which
names them and carries the rest (schedule position) with a SHA-256 of it all. Each is written whole
(job.write_atomic), and a checkpoint counts only if its digest holds, so a trainer killed at any moment leaves
the one before usable. No pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from core.files import write_atomic

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError)
_TENSOR, _TUPLE, _ITEMS = "__tensor__", "__tuple__", "__items__"


@dataclass(frozen=True)
class Checkpoint:
    """Training state after `step` iterations: tensors by name, and JSON data."""

    step: int
    tensors: dict[str, torch.Tensor]
    meta: Any

    @classmethod
    def from_state(cls, step: int, state: dict[str, Any]) -> Checkpoint:
        """Pack nested dictionaries, lists and tuples of tensors, numbers, strings and None.

        Takes state_dicts of modules and optimizers and ``generator.get_state()`` as they are::

            Checkpoint.from_state(300, {"field": field.state_dict(), "optimizer": optimizer.state_dict(),
                                        "generator": generator.get_state(), "skipped": 0})
        """
        tensors: dict[str, torch.Tensor] = {}
        return cls(step, tensors, _pack(state, "", tensors))

    def state(self) -> dict[str, Any]:
        """The inverse of :meth:`from_state`; tensors lie on the CPU."""
        state: dict[str, Any] = _unpack(self.meta, self.tensors)
        return state


def save(folder: Path, checkpoint: Checkpoint, keep: int = 2) -> None:
    """Write a checkpoint and delete all but the newest `keep`.

    Raises DreamFusionError where the disk is full or the job's folder gone; the checkpoints before stay whole.
    """
    with contextlib.suppress(FileNotFoundError):  # a job whose folder is gone is told so below, and not made again
        folder.mkdir(exist_ok=True)
    data = safetensors.torch.save({name: _plain(tensor) for name, tensor in checkpoint.tensors.items()})
    digest = _digest(checkpoint.step, checkpoint.meta, data)
    tensor_file = folder / f"{checkpoint.step:08d}-{digest[:12]}.safetensors"
    index = {
        "step": checkpoint.step,
        "tensors": tensor_file.name,
        "sha256": digest,
        "meta": checkpoint.meta,
    }
    write_atomic(tensor_file, data)
    write_atomic(folder / f"{checkpoint.step:08d}.json", json.dumps(index).encode())
    _prune(folder, keep)


def load_newest(folder: Path, warn: Callable[[str], None] | None = None) -> Checkpoint | None:
    """The newest whole checkpoint in `folder`, or None.

    A broken one is passed over, and so is one of another version; `warn` hears a line about it.
    """
    indices = _newest_first(folder)
    for index in indices:
        try:
            return _load(index)
        except _UNREADABLE as error:
            if warn is not None:
                instead = "starting from the beginning" if index == indices[-1] else "going back to the one before"
                warn(f"Checkpoint {index.stem} is broken or of another version ({error}): {instead}.")
    return None


def _load(index_file: Path) -> Checkpoint:
    index = json.loads(index_file.read_bytes())
    data = (index_file.parent / Path(index["tensors"]).name).read_bytes()
    if _digest(index["step"], index["meta"], data) != index["sha256"]:
        raise ValueError("it does not match its digest")
    checkpoint = Checkpoint(index["step"], safetensors.torch.load(data), index["meta"])
    checkpoint.state()  # must be whole too
    return checkpoint


def _digest(step: int, meta: Any, data: bytes) -> str:
    return hashlib.sha256(json.dumps([step, meta]).encode() + data).hexdigest()


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("*.json") if path.stem.isdigit()), reverse=True)


def _prune(folder: Path, keep: int) -> None:
    """Delete old indices first, then every tensor file that no index names, and leftovers of killed writes."""
    indices = _newest_first(folder)
    kept = set()
    for index in indices[:keep]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept.add(json.loads(index.read_bytes())["tensors"])
    unneeded = [path for path in folder.glob("*.safetensors") if path.name not in kept]
    for path in [*indices[keep:], *unneeded, *folder.glob(".*.tmp")]:
        with contextlib.suppress(OSError):
            path.unlink()


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy on the CPU that shares memory with no other tensor."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _pack(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Move tensors out of a tree into `tensors`, and leave JSON data that says where they were."""
    if isinstance(value, torch.Tensor):
        while name in tensors:  # such as the keys 0 and "0"
            name += "'"
        tensors[name] = value
        return {_TENSOR: name}
    if isinstance(value, dict):
        items = [(key, _pack(item, f"{name}/{key}" if name else str(key), tensors)) for key, item in value.items()]
        return dict(items) if all(isinstance(key, str) for key in value) else {_ITEMS: [list(item) for item in items]}
    if isinstance(value, (list, tuple)):
        packed = [_pack(item, f"{name}/{index}", tensors) for index, item in enumerate(value)]
        return {_TUPLE: packed} if isinstance(value, tuple) else packed
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a checkpoint cannot hold {name or 'this'}: {type(value).__name__}")


def _unpack(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(_unpack(item, tensors) for item in value[_TUPLE])
    if _ITEMS in value:
        return {key: _unpack(item, tensors) for key, item in value[_ITEMS]}
    return {key: _unpack(item, tensors) for key, item in value.items()}
