import json
import random
import subprocess
import sys

import pytest

from core.protocol import (
    MAX_LINE,
    Cancel,
    Done,
    Error,
    Generate,
    Grow,
    Heartbeat,
    Hello,
    LineReader,
    Log,
    Pause,
    Preview,
    Progress,
    ProtocolError,
    Resume,
    Sketch,
    decode,
    encode,
)

MESSAGES = [
    Hello("secret"),
    Progress("training", 3, 500, 0.25, -1.0),
    Preview("/tmp/a b/\udcff.png"),  # a file name that is no UTF-8
    Sketch("/w/sketch.npz"),
    Log("a\nline, ünïcode, \u2028, \0"),
    Done("/w", "/w/mesh/mesh.npz", "/w/mesh/albedo.png", 12.5),
    Error("why", "failed"),
    Generate("ein Käse", "/w", {"epochs": 5, "fp16": True, "hf_key": None, "share": 0.5}),
    Resume("/w"),
    Cancel(),
    Pause(),
    Grow(True),
    Heartbeat(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_way(message):
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_the_wire_format_is_stable():
    assert json.loads(encode(Resume("/w"))) == {"type": "resume", "workspace": "/w", "epochs": 0}
    assert decode(b'{"type": "progress", "step": 1, "steps": 2, "stage": "x", "fraction": 1, "seconds_left": 0}') == (
        Progress("x", 1, 2, 1.0, 0.0)
    )


PROGRESS = '{"type":"progress","stage":"x","step":%s,"steps":2,"fraction":%s,"seconds_left":0}'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"42",
        b'"hello"',
        b"{}",
        b'{"type":"hello"}',
        b'{"type":"unknown"}',
        b'{"type":["hello"],"token":"x"}',
        b'{"type":"_kinds"}',
        b'{"type":"hello","token":5}',
        b'{"type":"hello","token":"x","version":true}',
        b'{"type":"hello","token":"x","version":1.0}',
        b'{"type":"hello","token":"x","version":9223372036854775808}',
        b'{"type":"hello","token":"x","extra":1}',
        b'{"type":"generate","prompt":"x","workspace":"/w","options":[]}',
        b'{"type":"generate","prompt":"x","workspace":"/w","options":{"a":{"b":1}}}',
        b'{"type":"generate","prompt":"x","workspace":"/w","options":{"a":NaN}}',
        b'{"type":"generate","prompt":null,"workspace":"/w","options":{}}',
        (PROGRESS % (1, "NaN")).encode(),
        (PROGRESS % (1, "-Infinity")).encode(),
        (PROGRESS % (1, "1e999")).encode(),
        (PROGRESS % (1, '"1"')).encode(),
        (PROGRESS % (1, "null")).encode(),
        (PROGRESS % ("9" * 5000, 1)).encode(),
        (PROGRESS % (1, "9" * 5000)).encode(),
        b'{"type":"log","text":"\xff\xfe"}',
        '{"type":"cancel"}'.encode("utf-16"),
        b'{"type":"cancel"}' + b" " * MAX_LINE,
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"type":"generate","prompt":"x","workspace":"/w","options":' + b'{"a":' * 500 + b"1" + b"}" * 501,
    ],
    ids=lambda line: repr(line[:60]),
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ProtocolError):
        decode(line)


@pytest.mark.parametrize(
    "message",
    [
        Progress("x", 1, 2, float("nan"), 0.0),
        Log("x" * MAX_LINE),
        Generate("x", "/w", {"a": object()}),
        Generate("x", "/w", {"a": {"b": 1}}),
        Generate("x", "/w", {"seed": 2**63}),
        Progress("x", True, 2, 0.5, 0.0),
    ],
    ids=["nan", "long", "object", "nested", "beyond 64 bits", "another type"],
)
def test_what_could_not_be_read_is_not_sent(message):
    with pytest.raises(ProtocolError):
        encode(message)


def test_ten_thousand_garbled_lines_raise_nothing_but_protocol_errors():
    draw = random.Random(0)
    valid = [encode(message) for message in MESSAGES]
    refused = 0
    for index in range(10_000):
        if index % 2:
            line = draw.randbytes(draw.randrange(200))
        else:
            broken = bytearray(draw.choice(valid))
            for _ in range(draw.randrange(1, 4)):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            line = bytes(broken)
        try:
            again = decode(line)
        except ProtocolError:
            refused += 1
        else:
            assert decode(encode(again)) == again
    assert refused > 5_000


def test_lines_are_cut_the_same_wherever_the_stream_is_split():
    stream = b"".join(encode(message) for message in MESSAGES) + b"\n\r\n" + encode(Cancel())
    whole = LineReader().feed(stream)
    assert [decode(line) for line in whole] == [*MESSAGES, Cancel()]
    for position in range(len(stream) + 1):
        reader = LineReader()
        assert reader.feed(stream[:position]) + reader.feed(stream[position:]) == whole
    reader = LineReader()
    assert [line for byte in stream for line in reader.feed(bytes([byte]))] == whole


@pytest.mark.parametrize("piece", [1000, MAX_LINE, 10 * MAX_LINE])
def test_an_endless_line_is_dropped_and_the_stream_goes_on(piece):
    reader = LineReader()
    stream = b"x" * (3 * MAX_LINE) + b"\n" + encode(Cancel())
    lines = [line for start in range(0, len(stream), piece) for line in reader.feed(stream[start : start + piece])]
    assert [decode(line) for line in lines] == [Cancel()]
    assert reader.dropped == 1
    assert len(reader._rest) < MAX_LINE


def test_the_longest_line_passes():
    room = MAX_LINE - len(encode(Log("")))
    line = encode(Log("x" * room))
    assert len(line) == MAX_LINE
    assert LineReader().feed(line) == [line[:-1]]


def test_front_ends_import_no_torch():
    code = (
        "import sys, core.protocol, core.config, core.job, core.control, core.options, core.launch, core.worker\n"
        "import core.__main__\n"
        "print(sorted({'torch', 'numpy', 'diffusers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
