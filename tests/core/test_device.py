"""The choice of a device, and what is said when its memory runs out."""

from __future__ import annotations

import pytest
import torch

from core.config import Config, override, preset
from core.device import device_facts, is_out_of_memory, memory_errors, pick_device, what_to_lower
from core.errors import InputError, OutOfMemory

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == expected
    assert pick_device("cpu") == CPU


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"no cuda device.*--device auto"):
        pick_device("cuda")
    with pytest.raises(InputError, match="Unknown device 'tpu'"):
        pick_device("tpu")


def test_facts_are_lines_of_text():
    facts = device_facts(CPU)
    assert facts["torch"] == torch.__version__.split("+")[0] or facts["torch"] == torch.__version__
    assert "GiB free" in facts["memory"]
    assert all(isinstance(line, str) and line for line in facts.values())


def test_an_allocation_beyond_the_memory_becomes_out_of_memory():
    with (
        pytest.raises(
            OutOfMemory, match=r"computer's memory is full: .*--preset draft.*resolution \(now 40\)"
        ) as caught,
        memory_errors(override(Config("a mug"), render={"resolution": 40}), CPU),
    ):
        torch.empty(2**58, dtype=torch.uint8)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_errors_of_other_devices(error):
    with pytest.raises(OutOfMemory, match=r"memory of the cuda device.*--vram_O and --fp16"):
        _raise_within(error, preset("standard", "a mug", "sd"), CUDA)


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="shape mismatch"):
        _raise_within(RuntimeError("shape mismatch"), Config("a mug"), CPU)
    assert not is_out_of_memory(ValueError("out of memory"))


def _raise_within(error: Exception, config: Config, device: torch.device) -> None:
    with memory_errors(config, device):
        raise error


def test_the_advice_names_what_is_not_in_use_yet():
    config = preset("standard", "a mug", "sd")
    assert what_to_lower(config, CUDA) == "add --vram_O and --fp16"
    assert what_to_lower(config, CPU) == "add --vram_O"
    config = override(config, guidance={"vram_O": True})
    assert what_to_lower(config, CUDA) == "add --fp16"
    config = override(config, guidance={"fp16": True}, training={"batch": 4})
    assert what_to_lower(config, CUDA) == "lower training.batch (now 4)"
    config = override(config, training={"batch": 1})
    assert "render.resolution (now 64)" in what_to_lower(config, CUDA)
