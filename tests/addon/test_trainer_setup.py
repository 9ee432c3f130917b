"""The set-up as Blender starts and follows it: a process of its own, for a copy of the add-on with a small trainer."""

import os
import sys
import threading
import time

import pytest

from blender_dreamfusion import setup_process, trainer_setup
from blender_dreamfusion.environment import events
from blender_dreamfusion.environment.folder import Environment, State
from tests.addon.doubles import script
from tests.addon.environment.small_trainer import make_addon, make_wheels, require


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The add-on's copy, the folder of wheels."""
    folder = tmp_path_factory.mktemp("small")
    return make_addon(folder), make_wheels(folder / "wheels")


@pytest.fixture
def setup(small, monkeypatch):
    """A TrainerSetup that runs the copy; closed at the end."""
    monkeypatch.setattr(setup_process, "_ADDON", small[0])
    made = trainer_setup.TrainerSetup()
    yield made
    made.close()
    assert made._process is None or made._process._process.poll() is not None


def follow(setup, until=lambda: False, seconds=120.0):
    end = time.monotonic() + seconds
    while setup.action and not until():
        assert time.monotonic() < end, f"still at {setup.progress} after {seconds} s"
        setup.pump()
        time.sleep(0.02)


def start(setup, small, folder, version="1.0"):
    require(small[0], version)
    setup.start("install", trainer_setup.install_arguments(folder, sys.executable, "cpu", str(small[1])))


def test_survey_install_cancel_remove(setup, small, tmp_path):
    before = threading.enumerate()
    setup.look()
    assert threading.enumerate() == before, "Blender may crash beside a second thread of Python: see link.py"
    follow(setup)
    assert setup.survey.problem == ""
    assert setup.survey.pythons
    process = setup._process._process
    assert (process.returncode, process.stdin.closed, process.stdout.closed) == (0, True, True), "nothing is left of it"
    environment = Environment(tmp_path / "trainer")

    start(setup, small, environment.folder)
    assert setup.running
    follow(setup)
    assert setup.failed is None
    assert trainer_setup.environment_state(environment, small[0]) is State.READY
    assert trainer_setup.state_text(State.READY, environment).startswith("Ready: CPU, Python 3.")
    assert os.access(environment.usable_python(), os.X_OK)

    start(setup, small, environment.folder, "2.2")
    follow(setup, lambda: "torch 2.2" in setup.log)
    setup.cancel()
    follow(setup, seconds=20)
    assert setup.failed.kind == "cancelled"
    assert trainer_setup.environment_state(environment, small[0]) is State.INCOMPLETE

    setup.start("remove", ["--folder", str(environment.folder)])
    follow(setup)
    assert setup.failed is None
    assert not environment.folder.exists()


def test_closing_ends_the_programs_too(setup, tmp_path):
    answer = f"""'["{tmp_path}/python", [3, 11, 9], true, true]'"""
    python = script(tmp_path, f'[ "$2" = -c ] && echo {answer} && exit\nexec sleep 612.5')
    setup.start("install", trainer_setup.install_arguments(tmp_path / "trainer", python, "cpu", ""))
    follow(setup, lambda: "sleep\x00612.5\x00" in _command_lines())
    assert setup.running
    begun = time.monotonic()
    setup.close()
    assert time.monotonic() - begun < 10
    assert "sleep\x00612.5\x00" not in _command_lines()


def _command_lines():
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline") as file:
                yield file.read()
        except OSError:
            continue


def test_closing_a_survey_does_not_wait(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", script(tmp_path, "sleep 613.5"))
    setup.look()
    assert setup.action == "survey"
    begun = time.monotonic()
    setup.close()
    assert time.monotonic() - begun < 2
    assert "sleep\x00613.5\x00" not in _command_lines()


def test_errors_reach_the_user(setup, tmp_path):
    arguments = trainer_setup.install_arguments(tmp_path / "trainer", str(tmp_path / "no_python"), "", "")
    setup.start("install", arguments)
    follow(setup)
    assert setup.failed.kind == "python"
    assert "no_python is no Python" in setup.failed.text


def test_a_set_up_that_dies_is_told(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(setup_process, "_ADDON", tmp_path / "nowhere")
    setup.start("survey", [])
    follow(setup)
    assert setup.failed.kind == "other"
    assert "ended without a word" in setup.failed.text
    assert "nowhere" in setup.failed.text


def test_without_a_python(setup, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setenv("PATH", "")
    setup.start("survey", [])
    assert not setup.action
    assert setup.failed.kind == "python"


@pytest.mark.parametrize(
    "event",
    [
        events.Progress("download", 3, 10),
        events.Log('"quoted"\tand 汉堡'),
        events.Surveyed([["/usr/bin/python3", "3.12.1"]], "cu130", "a GPU"),
        events.Done("Ready"),
        events.Failed("disk", "full"),
    ],
)
def test_events_survive_the_channel(event):
    line = events.encode(event)
    assert line.count("\n") == 1
    assert events.decode(line) == event


@pytest.mark.parametrize(
    "line", ["", "pip 26.3", "{}", "[]", "1", '{"event": "done"}', '{"event": "other", "text": ""}']
)
def test_other_lines_are_no_events(line):
    with pytest.raises(ValueError, match=r"no event|Expecting"):
        events.decode(line)


def test_what_mends_a_failure():
    mends = {kind: trainer_setup.remedy(events.Failed(kind, ""), "") for kind in events.KINDS}
    assert {kind: mend for kind, mend in mends.items() if mend} == {"python": "python", "test": "cpu"}
    assert trainer_setup.remedy(events.Failed("test", ""), "cpu") == ""


def test_what_a_set_up_costs(tmp_path):
    online = trainer_setup.cost_text("cpu", tmp_path / "trainer", 73 * 10**9, "")
    start = "For CPU: downloads about 0.4 GB and takes 1.6 GB of 73.0 GB free in "
    assert online == f"{start}{tmp_path / 'trainer'}"
    (tmp_path / "torch-2-py3-none-any.whl").touch()
    offline = trainer_setup.cost_text("cpu", tmp_path, 10**10, str(tmp_path))
    assert "downloads nothing and takes 1.6 GB of 10.0 GB free" in offline
    os.truncate(tmp_path / "torch-2-py3-none-any.whl", 2 * 10**9)
    assert "takes 5.0 GB" in trainer_setup.cost_text("cpu", tmp_path, 10**10, str(tmp_path))


def test_texts():
    assert trainer_setup.size_text(1_575_891_808) == "1.6 GB"
    assert trainer_setup.size_text(21_000_000) == "21 MB"
    progress = events.Progress("download", 105_059_340, 400_000_000)
    assert trainer_setup.progress_text(progress) == "Downloading: 0.1 GB of about 0.4 GB"
    for stage in events.STAGES:
        assert trainer_setup.progress_text(events.Progress(stage))[0].isupper()
    for state in State:
        assert trainer_setup.button_text(state)
