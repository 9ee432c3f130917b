"""Suitable Pythons: real ones are asked, and scripts that answer as others would."""

import json
import os
import sys

import pytest

from blender_dreamfusion.environment import pythons
from tests.addon.doubles import script


def answer(folder, version=(3, 12, 1), is_64_bit=True, able=True):
    return script(folder, f"echo '{json.dumps(['/a/python', list(version), is_64_bit, able])}'")


def test_this_python_suits_and_is_found():
    asked = pythons.probe(sys.executable)
    assert asked.version == sys.version_info[:3]
    assert asked.problem == ""
    assert os.path.realpath(asked.program) == os.path.realpath(sys.executable)
    found = pythons.find()
    assert os.path.realpath(found[0].program) == os.path.realpath(sys.executable)
    assert len({os.path.realpath(python.program) for python in found}) == len(found)


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0), (2, 7, 18)])
def test_a_wrong_version_is_named_with_the_right_ones(tmp_path, version):
    problem = pythons.probe(answer(tmp_path, version)).problem
    assert ".".join(map(str, version)) in problem
    assert "3.11, 3.12 or 3.13" in problem


def test_what_else_does_not_suit(tmp_path):
    assert "64-bit" in pythons.probe(answer(tmp_path, is_64_bit=False)).problem
    assert "cannot make virtual environments" in pythons.probe(answer(tmp_path, able=False)).problem
    assert not pythons.probe(answer(tmp_path)).problem


def test_where_none_suits_the_nearest_says_what_it_lacks(tmp_path, monkeypatch):
    old, bare = tmp_path / "old", tmp_path / "bare"
    old.mkdir()
    bare.mkdir()
    programs = [answer(old, (3, 9, 1)), answer(bare, able=False)]
    monkeypatch.setattr(pythons, "_candidates", lambda: iter(programs))
    assert pythons.find() == []
    assert "cannot make virtual environments" in pythons.why_none()
    programs.pop()
    assert "No Python 3.11, 3.12 or 3.13 was found" in pythons.why_none()


@pytest.mark.parametrize("body", ["exit 3", "echo Hello", "echo '[1]'"])
def test_a_program_that_is_no_python(tmp_path, body):
    program = script(tmp_path, body)
    assert pythons.probe(program).problem == f"{program} is no Python that answers: choose a Python {pythons.wanted()}."
    assert "no Python" in pythons.probe(str(tmp_path / "missing")).problem
