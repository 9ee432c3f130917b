import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core import checkpoint as checkpoint_module
from core.checkpoint import Checkpoint, load_newest, save
from core.errors import DreamFusionError

KILL_ROUNDS = 20


def make_state():
    """A network after two Adam steps, a generator in mid-stream, and values that are easily bent."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7), torch.nn.Linear(7, 2))
    optimizer = torch.optim.Adam(
        [{"params": network[0].parameters(), "lr": 0.1}, {"params": network[2].parameters()}], lr=1e-3
    )
    generator = torch.Generator().manual_seed(4)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.randn(8, 5, generator=generator)).square().sum().backward()
        optimizer.step()
    return network, optimizer, generator


def assert_same(one, other):
    assert type(one) is type(other) or (isinstance(one, dict) and isinstance(other, dict))
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        plain_one, plain_other = one.detach().contiguous().reshape(-1), other.contiguous().reshape(-1)
        assert torch.equal(plain_one.view(torch.uint8), plain_other.view(torch.uint8))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_same(*pair)
    else:
        assert one == other


def test_every_bit_comes_back(tmp_path):
    network, optimizer, generator = make_state()
    odd = torch.tensor([float("nan"), -0.0, float("inf"), 1e-45])
    state = {
        "network": dict(network.state_dict()),
        "optimizer": optimizer.state_dict(),
        "generator": generator.get_state(),
        "odd": [odd, odd.half(), torch.arange(6).reshape(2, 3).T, torch.empty(0, 3), torch.tensor(True), odd[1:]],
        "numbers": {"third": 1 / 3, "big": 2**62, "none": None, "text": "ü", "pair": (1, 2.5), 0: "zero", "0": "text"},
        "clash": {0: torch.zeros(1), "0": torch.ones(1)},
    }
    save(tmp_path, Checkpoint.from_state(12, state))
    loaded = load_newest(tmp_path)
    assert loaded.step == 12
    assert_same(state, loaded.state())


def test_a_restored_run_goes_on_bit_for_bit(tmp_path):
    def advance(network, optimizer, generator):
        for _ in range(3):
            optimizer.zero_grad()
            network(torch.randn(8, 5, generator=generator)).square().sum().backward()
            optimizer.step()
        return dict(network.state_dict())

    network, optimizer, generator = make_state()
    parts = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "generator": generator.get_state()}
    save(tmp_path, Checkpoint.from_state(2, parts))
    expected = advance(network, optimizer, generator)

    network, optimizer, generator = make_state()
    advance(network, optimizer, generator)  # somewhere else entirely
    state = load_newest(tmp_path).state()
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    assert_same(expected, advance(network, optimizer, generator))


def test_what_cannot_be_stored_is_a_mistake():
    with pytest.raises(TypeError, match="cannot hold a/0: object"):
        Checkpoint.from_state(1, {"a": [object()]})


def number(step):
    return Checkpoint.from_state(step, {"x": torch.full((1000,), float(step))})


def test_the_newest_two_are_kept_and_nothing_else(tmp_path):
    (tmp_path / ".00000001.json.tmp").write_bytes(b"left by a killed write")
    for step in (9, 10, 100):
        save(tmp_path, number(step))
    assert sorted(path.name[:8] for path in tmp_path.iterdir()) == ["00000010", "00000010", "00000100", "00000100"]
    assert load_newest(tmp_path).step == 100


def test_the_same_step_can_be_saved_again(tmp_path):
    save(tmp_path, number(1))
    save(tmp_path, Checkpoint.from_state(1, {"x": torch.zeros(3)}))
    assert torch.equal(load_newest(tmp_path).tensors["x"], torch.zeros(3))
    assert len(list(tmp_path.iterdir())) == 2


def test_no_checkpoint_is_none(tmp_path):
    assert load_newest(tmp_path) is None
    assert load_newest(tmp_path / "nowhere") is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def leave_out(key):
    def edit(path):
        index = json.loads(path.read_bytes())
        del index[key]
        path.write_text(json.dumps(index))

    return edit


def change(key, value):
    def edit(path):
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))

    return edit


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("00000002-*.safetensors", cut),
        ("00000002-*.safetensors", flip),
        ("00000002-*.safetensors", empty),
        ("00000002-*.safetensors", Path.unlink),
        ("00000002.json", cut),
        ("00000002.json", empty),
        ("00000002.json", leave_out("sha256")),
        ("00000002.json", leave_out("meta")),
        ("00000002.json", change("meta", {"x": 5})),
        ("00000002.json", change("step", 3)),
    ],
)
def test_a_broken_checkpoint_is_passed_over_and_named(tmp_path, pattern, damage):
    save(tmp_path, number(1))
    save(tmp_path, number(2))
    damage(next(tmp_path.glob(pattern)))
    warnings = []
    loaded = load_newest(tmp_path, warnings.append)
    assert loaded.step == 1
    assert torch.equal(loaded.tensors["x"], torch.full((1000,), 1.0))
    assert len(warnings) == 1
    assert "00000002 is broken" in warnings[0]


def test_all_broken_is_none(tmp_path):
    save(tmp_path, number(1))
    cut(next(tmp_path.glob("*.safetensors")))
    warnings = []
    assert load_newest(tmp_path, warnings.append) is None
    assert warnings[0].endswith("starting from the beginning.")


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    save(tmp_path, number(1))

    def full(path, _data):
        raise DreamFusionError(f"No space left on the disk for {path}.")

    monkeypatch.setattr(checkpoint_module, "write_atomic", full)
    with pytest.raises(DreamFusionError, match="No space left"):
        save(tmp_path, number(2))
    assert load_newest(tmp_path).step == 1


KILLED_SAVER = """
import json, os, pathlib, random, signal, sys, time
import torch
from core.checkpoint import Checkpoint, load_newest, save

torch.set_num_threads(1)  # threads do not survive fork()
folder, rounds, draw = pathlib.Path(sys.argv[1]), int(sys.argv[2]), random.Random(1)

def save_for_ever(step, announce):
    while True:
        step += 1
        save(folder, Checkpoint.from_state(step, {"x": torch.full((200_000,), float(step))}))
        os.write(announce, step.to_bytes(4, "big"))

step = 0
for _ in range(rounds):
    hear, announce = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(step, announce)
    os.close(announce)
    saved = int.from_bytes(os.read(hear, 4), "big")
    time.sleep(draw.uniform(0, 0.15))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(hear, 4):
        saved = int.from_bytes(data, "big")
    os.close(hear)
    warnings = []
    loaded = load_newest(folder, warnings.append)
    whole = torch.equal(loaded.tensors["x"], torch.full((200_000,), float(loaded.step)))
    print(json.dumps([saved, loaded.step, whole, warnings]))
    step = loaded.step
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_trainer_killed_at_any_moment_leaves_a_whole_checkpoint(tmp_path):
    command = [sys.executable, "-c", KILLED_SAVER, tmp_path, str(KILL_ROUNDS)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    rounds = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rounds) == KILL_ROUNDS
    for saved, loaded, whole, warnings in rounds:
        assert whole
        assert loaded in (saved, saved + 1)  # the kill may fall between the save and its announcement
        assert warnings == []


def test_a_job_whose_folder_is_gone_is_not_made_again(tmp_path):
    with pytest.raises(DreamFusionError, match="is gone"):
        save(tmp_path / "job" / "checkpoints", number(1))
    assert not (tmp_path / "job").exists()
    save(tmp_path / "checkpoints", number(1))
    assert load_newest(tmp_path / "checkpoints").step == 1


def test_random_damage_never_raises(tmp_path):
    draw = random.Random(0)
    for _ in range(30):
        save(tmp_path, number(1))
        for path in tmp_path.iterdir():
            data = bytearray(path.read_bytes())
            data[draw.randrange(len(data))] = draw.randrange(256)
            path.write_bytes(data)
        checkpoint = load_newest(tmp_path)
        assert checkpoint is None or torch.equal(checkpoint.state()["x"], torch.full((1000,), 1.0))
