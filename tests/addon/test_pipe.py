"""What a program has printed is read without waiting for it."""

import os

from blender_dreamfusion.pipe import Pipe


def test_reading_does_not_wait():
    end, other = os.pipe()
    pipe = Pipe(end)
    assert pipe.read() is None
    os.write(other, b"one\ntw")
    assert pipe.read() == b"one\ntw"
    assert pipe.read() is None
    os.write(other, b"o\n")
    os.close(other)
    assert pipe.read() == b"o\n"
    assert pipe.read() == b""
    os.close(end)
