"""The choice of a device, and what is said when its memory runs out."""

from __future__ import annotations

import pytest
import torch

from core import device as device_module
from core.config import Config, override, preset
from core.device import (
    check_device,
    device_facts,
    has_fast_bf16,
    is_out_of_memory,
    keep_freed_memory,
    memory_errors,
    pick_device,
    pick_precision,
    what_needs_less,
)
from core.errors import DreamFusionError, InputError, OutOfMemory

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
    assert "GiB free" in facts["memory"]
    assert all(isinstance(line, str) and line for line in facts.values())


def test_an_allocation_beyond_the_memory_becomes_out_of_memory():
    with (
        pytest.raises(OutOfMemory, match=r"computer's memory is full: .*start again with --preset draft\.$") as caught,
        memory_errors(Config("a mug"), CPU),
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
    assert what_needs_less(config, CUDA) == "--vram_O and --fp16"
    assert what_needs_less(config, CPU) == "--vram_O"
    config = override(config, guidance={"vram_O": True})
    assert what_needs_less(config, CUDA) == "--fp16"
    config = override(config, guidance={"fp16": True})
    assert what_needs_less(config, CUDA) == "--device cpu"  # a draft is shorter, not smaller
    assert what_needs_less(preset("draft", "a mug"), CPU) == ""
    assert what_needs_less(preset("draft", "a mug"), CUDA) == "--device cpu"
    assert what_needs_less(preset("standard", "a mug"), CPU) == "--preset draft"
    assert what_needs_less(preset("high", "a mug"), CUDA) == "--preset draft or --device cpu"
    assert what_needs_less(config, CPU, "a smaller --H and --W") == "a smaller --H and --W"


def test_bfloat16_is_as_small_as_half_precision():
    config = override(preset("standard", "a mug", "sd"), guidance={"bf16": True})
    assert what_needs_less(config, CUDA) == "--vram_O"


@pytest.mark.parametrize("fast", [True, False])
def test_precision_on_a_processor(monkeypatch, fast):
    monkeypatch.setattr(device_module, "has_fast_bf16", lambda _device: fast)
    said = []
    assert pick_precision(False, False, CPU, said.append) == torch.float32
    assert said == []
    assert pick_precision(True, False, CPU, said.append) == torch.float32
    assert said == ["fp16 is of no use on a CPU: computing in float32."]
    assert pick_precision(False, True, CPU, said.append) == (torch.bfloat16 if fast else torch.float32)
    assert said[1:] == ([] if fast else ["bf16 is of no use on this CPU: computing in float32."])


def test_precision_on_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "GeForce GTX 1080")
    assert pick_precision(True, False, CUDA, pytest.fail) == torch.float16
    with pytest.raises(InputError, match=r"GTX 1080 cannot compute in bfloat16: take --fp16\."):
        pick_precision(False, True, CUDA, pytest.fail)
    with pytest.raises(InputError, match="choose one"):
        pick_precision(True, True, CUDA, pytest.fail)


def test_a_device_that_works_passes():
    check_device(CPU)


@pytest.mark.parametrize("fault", [lambda *_: torch.zeros(1), pytest.param(None, id="raises")])
def test_a_device_that_only_seems_to_work_is_found(monkeypatch, fault):
    def fail(*_):
        raise RuntimeError("no kernel image is available\nfor this device")

    monkeypatch.setattr(torch.Tensor, "__matmul__", fault or fail)
    with pytest.raises(DreamFusionError, match=r"cpu device .*--device cpu") as caught:
        check_device(CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("greatest", "calls"),
    [
        (2**40, [(-3, 2**30), (-1, 2**30)]),
        (2**25, [(-3, 2**30), (-3, 2**25), (-1, 2**30)]),
        (0, [(-3, 2**30), (-3, 2**25)]),
    ],
)
def test_an_older_c_library_gets_the_limit_that_it_takes(monkeypatch, greatest, calls):
    made = []

    class Library:
        def mallopt(self, parameter, value):
            made.append((parameter, value))
            return int(parameter == -1 or value <= greatest)

    monkeypatch.setattr(device_module.sys, "platform", "linux")
    monkeypatch.setattr(device_module.platform, "libc_ver", lambda: ("glibc", "2.31"))
    monkeypatch.setattr(device_module.ctypes, "CDLL", lambda _: Library())
    keep_freed_memory()
    assert made == calls


def test_bfloat16_is_fast_only_on_processors_that_have_it(monkeypatch):
    for known, fast in (({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert has_fast_bf16(torch.device("cpu")) == fast
        assert not has_fast_bf16(torch.device("cuda"))
