"""The measurement of speed, on a tiny model: what is counted, and what is written. Times themselves are no tests."""

from __future__ import annotations

import json

import pytest
import torch
from diffusers import DDIMScheduler

from core import bench
from core.__main__ import main
from core.bench import META, PARTS, RandomGuidance, Speed, count_flop, heading, matrix_rate, measure
from core.config import override, preset
from core.device import GIB
from core.guidance.families import TextParts, family_of
from core.guidance.full_size import random_parts, random_texts
from core.guidance.loading import Parts
from core.guidance.stable_diffusion import StableDiffusion
from tests.core.guidance.conftest import tiny_unet, tiny_vae

CPU = torch.device("cpu")


def tiny_parts(device: torch.device) -> Parts:
    with torch.device(device):
        unet, vae = (part.eval().requires_grad_(False) for part in (tiny_unet(camera=False), tiny_vae()))
    return Parts(family_of("StableDiffusionPipeline"), TextParts((), (), {}, unet.config), vae, unet, DDIMScheduler())


@pytest.fixture
def tiny(monkeypatch):
    """The family "tiny" beside the real ones, and a small field to render."""

    def parts(name, device, dtype):
        return tiny_parts(device) if name == "tiny" else random_parts(name, device, dtype)

    small = {"field": {"levels": 2, "log2_entries": 8}, "render": {"resolution": 8, "samples": 8}}
    config = override(preset("standard", "speed", "sd"), **small)
    monkeypatch.setattr(bench, "random_parts", parts)
    monkeypatch.setattr(bench.settings, "preset", lambda *_: config)
    monkeypatch.setitem(bench.MATRIX, "cpu", 32)
    return config


def test_a_step_is_timed_as_a_whole_and_in_parts(tiny):
    parts = tiny_parts(CPU)
    guidance = RandomGuidance(StableDiffusion.from_parts(parts, CPU), random_texts(parts, 2, CPU), 7.5)
    seconds, split, peak = measure(guidance, tiny, 2)
    assert seconds > 0
    assert tuple(split) == PARTS
    assert all(milliseconds > 0 for milliseconds in split.values())
    assert peak > 0


def test_the_arithmetic_of_a_step_of_stable_diffusion():
    """Counted elsewhere too: 1.61 TFLOP for the UNet with guidance, 1.12 to encode and 1.15 back; together 3.87."""
    assert count_flop(random_parts("sd15", META, torch.float16), 64) / 1e12 == pytest.approx(3.87, abs=0.02)


def test_the_rate_is_operations_a_second(monkeypatch):
    """Ten products of 100 x 100 matrices, two million operations each, on a clock that says two seconds: 10^7."""
    times = iter([5.0, 7.0])
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(times))
    assert matrix_rate(CPU, torch.float32, 100) == 1e7


def test_a_row_of_the_table():
    speed = Speed("sd15", "float16", "--compile", dict.fromkeys(PARTS, 4.0), 20.0, 5 * GIB, int(4e12), 400e12)
    assert speed.share == pytest.approx(0.2)
    assert speed.row() == ("| sd15 | float16 | --compile | 4.0 | 4.0 | 4.0 | 4.0 | 4.0 | 20.00 | 5.00 | 400.00 | 20% |")
    assert {line.count("|") for line in heading().splitlines()} == {speed.row().count("|")}


def test_the_command_prints_a_table_and_writes_it_with_the_numbers(tiny, tmp_path, capsys):  # noqa: ARG001
    arguments = ["--random-weights", "--family", "tiny,tiny", "--steps", "1", "--device", "cpu", "--vram_O"]
    assert main(["bench", "guidance", *arguments, "--out", str(tmp_path / "speed")]) == 0
    printed = capsys.readouterr().out
    assert printed.count("| tiny | ") == 2
    assert (tmp_path / "speed.md").read_text() == printed
    data = json.loads((tmp_path / "speed.json").read_text())
    assert data["device"]["device"] == "cpu"
    first = data["speeds"][0]
    assert first["flop"] == count_flop(tiny_parts(META), 8)
    assert first["share"] == pytest.approx(first["flop"] * first["iterations_per_second"] / first["rate"])
    assert first["options"] == "--vram_O"


def test_a_model_that_does_not_fit_is_said_and_the_others_are_measured(tiny, monkeypatch, capsys):  # noqa: ARG001
    make = bench.random_parts

    def parts(name, device, dtype):
        if name == "sdxl" and device != META:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return make(name, device, dtype)

    monkeypatch.setattr(bench, "random_parts", parts)
    arguments = ["--random-weights", "--family", "sdxl,tiny", "--steps", "1", "--device", "cpu"]
    assert main(["bench", "guidance", *arguments]) == 0
    heard = capsys.readouterr()
    assert "sdxl does not fit into the memory: try it with --vram_O, --fp16 or --bf16." in heard.err
    assert "| tiny |" in heard.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--random-weights", "--family", "dalle"], "Unknown family 'dalle': choose among sd15"),
        (["--family", "sd15"], "required: --random-weights"),
        (["--random-weights", "--fp16", "--bf16"], "not allowed with"),
        (["--random-weights", "--out", "/no/such/folder/x"], "no folder"),
    ],
)
def test_mistakes_are_one_line(arguments, says, capsys):
    assert main(["bench", "guidance", *arguments, "--device", "cpu"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
