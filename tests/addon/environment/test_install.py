"""Real environments with real pip, for a trainer that needs one small package."""

import dataclasses
import errno
import os
import shutil
import threading
import time

import pytest

from blender_dreamfusion.environment import backends, install, pythons
from blender_dreamfusion.environment.child import Runner
from blender_dreamfusion.environment.events import Log, Progress, SetupError
from blender_dreamfusion.environment.folder import Environment, State, fingerprint
from tests.addon.environment.small_trainer import make_addon, make_wheels, require

SMALL = backends.BackEnd("cpu", "CPU", "cpu", 1000, 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An environment, made once, and what it was made of: order and events."""
    folder = tmp_path_factory.mktemp("made")
    wheels = make_wheels(folder / "wheels")
    python = pythons.find()[0]
    order = install.Order(folder / "trainer", python, SMALL, make_addon(folder), wheels)
    events = []
    install.Installation(order, Runner(), events.append).run()
    return order, events


@pytest.fixture
def order(made, tmp_path):
    """An order for a copy of that environment."""
    first = made[0]
    shutil.copytree(first.folder, tmp_path / "trainer", symlinks=True)
    return install.Order(tmp_path / "trainer", first.python, SMALL, make_addon(tmp_path), first.wheels)


def run(order, runner=None, emit=lambda _: None):
    return install.Installation(order, runner or Runner(), emit).run()


def state(order):
    return Environment(order.folder).state(fingerprint(order.requirements))


def test_from_nothing_to_ready(made):
    order, events = made
    environment = Environment(order.folder)
    record = environment.read()
    assert state(order) is State.READY
    assert (record.device, record.back_end, record.python_version) == ("cpu", "cpu", order.python.version_text)
    assert record.size > 10**6
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert list(dict.fromkeys(stages)) == ["environment", "install", "test"]
    logged = [event.text for event in events if isinstance(event, Log)]
    assert "torch 1.0" in logged
    assert environment.log.read_text().splitlines() == logged
    assert not environment.cache.exists()


def test_an_upgraded_add_on_updates_what_is_there(order):
    require(order.root, "2.0")
    assert state(order) is State.OUTDATED
    mark = Environment(order.folder).venv / "kept"
    mark.touch()
    run(order)
    assert state(order) is State.READY
    assert mark.exists(), "the environment itself was kept"
    assert "torch 2.0" in Environment(order.folder).log.read_text()


def test_a_half_finished_set_up_is_made_anew(order):
    environment = Environment(order.folder)
    environment.write(dataclasses.replace(environment.read(), complete=False))
    next(environment.venv.rglob("torch.py")).unlink()  # as of a pip that was killed
    (environment.cache / "tmp" / "left").mkdir(parents=True)
    run(order)
    assert state(order) is State.READY
    assert next(environment.venv.rglob("torch.py")).exists()
    assert not environment.cache.exists()


def test_a_device_that_fails_its_test_leaves_nothing_that_looks_ready(order):
    require(order.root, "2.1")
    with pytest.raises(SetupError, match=r"does not run: The cuda device fails \(no kernel image\): take") as caught:
        run(order)
    assert caught.value.kind == "test"
    assert state(order) is State.INCOMPLETE


def test_a_gpu_that_torch_does_not_see_is_told(order):
    require(order.root, "2.0")
    cuda = dataclasses.replace(SMALL, device="cuda", label="CUDA 13.0")
    with pytest.raises(SetupError, match=r"sees no GPU that works with CUDA 13.0: set up for the CPU") as caught:
        run(dataclasses.replace(order, back_end=cuda))
    assert caught.value.kind == "test"
    assert Environment(order.folder).usable_python() == ""


def test_cancel_ends_what_runs_and_says_how_to_go_on(order):
    require(order.root, "2.2")
    runner = Runner()

    def cancel_at_the_test(event):
        if isinstance(event, Log) and event.text == "torch 2.2":
            threading.Thread(target=runner.cancel).start()

    start = time.monotonic()
    with pytest.raises(SetupError, match="Cancelled: resume the set-up to go on") as caught:
        run(order, runner, cancel_at_the_test)
    assert caught.value.kind == "cancelled"
    assert time.monotonic() - start < 60
    assert runner._process.poll() is not None
    assert state(order) is State.INCOMPLETE
    with pytest.raises(SetupError, match="Cancelled"):
        run(order, runner)


def test_without_a_network(order, monkeypatch):
    for name, value in {"CONFIG_FILE": os.devnull, "INDEX_URL": "http://127.0.0.1:9/", "RETRIES": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    require(order.root, "2.0")
    with pytest.raises(SetupError, match="check the network and try again") as caught:
        run(dataclasses.replace(order, wheels=None))
    assert caught.value.kind == "network"


def test_packages_that_are_not_there(order, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # constraints would make another error of it
    require(order.root, "2.9")
    with pytest.raises(SetupError, match=r"There is no torch==2.9 for this computer and Python") as caught:
        run(order)
    assert caught.value.kind == "pip"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SetupError, match="choose the folder that holds all wheels") as caught:
        run(dataclasses.replace(order, wheels=tmp_path / "empty"))
    assert caught.value.kind == "wheels"


def test_what_is_known_to_fail_fails_before_anything_is_written(order, tmp_path):
    folder = tmp_path / "new"
    new = dataclasses.replace(order, folder=folder)
    wrong = pythons.Python("/usr/bin/python3.9", (3, 9, 1), "is Python 3.9.1: choose a Python 3.11.")
    huge = dataclasses.replace(SMALL, disk=10**18)
    for broken, kind in (
        (dataclasses.replace(new, python=wrong), "python"),
        (dataclasses.replace(new, back_end=huge), "disk"),
    ):
        with pytest.raises(SetupError) as caught:
            run(broken)
        assert caught.value.kind == kind
        assert not folder.exists()
    (order.root / "requirements.txt").unlink()
    with pytest.raises(SetupError, match="install the whole zip again"):
        run(new)


def test_the_disk_of_a_folder_that_does_not_exist_yet(tmp_path):
    free = install.free_space(tmp_path / "not" / "there")
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    install.check_space(tmp_path / "new", free // 2)
    with pytest.raises(SetupError, match=r"needs 1000000.0 GB, and [\d.]+ GB are free: free some space"):
        install.check_space(tmp_path / "new", 10**15)


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, "disk"), (errno.EDQUOT, "disk"), (errno.EACCES, "folder")])
def test_errors_of_the_disk_become_one_sentence(number, kind):
    told = install.explain_os_error(OSError(number, os.strerror(number), "/trainer/file"))
    assert told.kind == kind
    assert "choose" in str(told)
