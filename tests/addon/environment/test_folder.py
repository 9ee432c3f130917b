"""The environment's folder: states, removal, and folders of others, which are left alone."""

import sys
from pathlib import Path

import pytest

from blender_dreamfusion.environment.events import SetupError
from blender_dreamfusion.environment.folder import Environment, Record, State, default_parent, fingerprint, folder_size

RECORD = Record(complete=True, requirements="abc", back_end="cpu", python_version="3.11.7", device="cpu", size=10)


@pytest.fixture
def environment(tmp_path):
    """One whose Python and base are there."""
    made = Environment(tmp_path / "trainer")
    made.python.parent.mkdir(parents=True)
    made.python.touch()
    made.venv.joinpath("pyvenv.cfg").write_text(f"home = {tmp_path}\nversion = 3.11.7\n")
    made.write(RECORD)
    return made


def test_states(environment, tmp_path):
    assert Environment(tmp_path / "other").state("abc") is State.MISSING
    assert environment.state("abc") is State.READY
    assert environment.state("def") is State.OUTDATED
    assert environment.usable_python() == str(environment.python)
    environment.write(Record(complete=False, requirements="abc", back_end="cpu", python_version="3.11.7"))
    assert environment.state("abc") is State.INCOMPLETE
    assert environment.usable_python() == ""


@pytest.mark.parametrize("lost", ["python", "base", "pyvenv.cfg"])
def test_an_environment_whose_python_is_gone_is_broken(environment, lost):
    if lost == "python":
        environment.python.unlink()
    elif lost == "base":
        environment.venv.joinpath("pyvenv.cfg").write_text("home = /gone\n")
    else:
        environment.venv.joinpath("pyvenv.cfg").unlink()
    assert environment.state("abc") is State.BROKEN
    assert environment.usable_python() == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"complete": true', '{"other": 1}'])
def test_a_torn_record_is_none(environment, text):
    environment.folder.joinpath("environment.json").write_text(text)
    assert environment.read() is None
    assert environment.state("abc") is State.MISSING


def test_two_cannot_work_in_one_folder(tmp_path):
    with (
        Environment(tmp_path / "new").locked(),
        pytest.raises(SetupError, match="Another Blender"),
        Environment(tmp_path / "new").locked(),
    ):
        pass


def test_removal_takes_the_whole_folder_and_nothing_else(environment, tmp_path):
    (tmp_path / "jobs").mkdir()
    environment.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]
    (tmp_path / "trainer.removed" / "venv").mkdir(parents=True)  # as of a removal that was broken off
    environment.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]


def test_a_folder_of_something_else_is_neither_used_nor_removed(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for action in (Environment(tmp_path).locked().__enter__, Environment(tmp_path).remove):
        with pytest.raises(SetupError, match="something else: choose another folder"):
            action()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another folder"), Environment(tmp_path / "file" / "trainer").locked():
        pass


def test_where_it_lies_by_default(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert default_parent("linux", {}) == Path("/home/ann/.local/share")
    assert default_parent("linux", {"XDG_DATA_HOME": "/data"}) == Path("/data")
    assert default_parent("darwin", {}) == Path("/home/ann/Library/Application Support")
    assert default_parent("win32", {"LOCALAPPDATA": "/Users/ann/Local"}) == Path("/Users/ann/Local")


def test_fingerprints_tell_contents_not_line_ends():
    assert fingerprint("a==1\r\nb==2\r\n") == fingerprint("a==1\nb==2")
    assert fingerprint("a==1\nb==2") != fingerprint("a==1\nb==3")


def test_sizes(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"12345")
    assert folder_size(tmp_path) == 5
    assert folder_size(tmp_path / "none") == 0
    assert Environment(tmp_path).python.name == ("python.exe" if sys.platform == "win32" else "python")
