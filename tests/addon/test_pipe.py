"""What a program has printed is read without waiting for it."""

import os
import sys
import types

import pytest

from blender_dreamfusion import pipe
from blender_dreamfusion.pipe import Pipe


@pytest.fixture
def ends():
    """A pipe's two ends; the one to write to may be closed."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_reading_does_not_wait(ends):
    reading, writing = ends
    output = Pipe(reading)
    assert output.read() is None
    os.write(writing, b"one\ntw")
    assert output.read() == b"one\ntw"
    assert output.read() is None
    os.write(writing, b"o\n")
    os.close(writing)
    assert output.read() == b"o\n"
    assert output.read() == b""


def test_windows_is_asked_how_much_there_is(ends, monkeypatch):
    """Its pipes can be made non-blocking from Python 3.12 on only."""
    reading, writing = ends
    answers = iter([(0, 0), (3, 0), BrokenPipeError()])

    def peek(handle):
        assert handle == ("handle", reading)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(pipe, "_winapi", types.SimpleNamespace(PeekNamedPipe=peek), raising=False)
    handles = types.SimpleNamespace(get_osfhandle=lambda descriptor: ("handle", descriptor))
    monkeypatch.setattr(pipe, "msvcrt", handles, raising=False)
    output = Pipe(reading)
    os.write(writing, b"one")
    os.close(writing)
    assert [output.read() for _ in range(3)] == [None, b"one", b""]
