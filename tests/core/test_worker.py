"""The worker against a real loopback socket, with small job bodies in place of the training."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.job import Job
from core.protocol import (
    ENV_PORT,
    ENV_TOKEN,
    MAX_LINE,
    SILENCE_SECONDS,
    VERSION,
    Cancel,
    Done,
    Error,
    Generate,
    Heartbeat,
    Hello,
    LineReader,
    Log,
    Pause,
    Preview,
    Progress,
    Resume,
    decode,
    encode,
)

BODIES = Path(__file__).with_name("job_bodies.py")
PATIENCE = 60.0  # seconds; a busy machine starts Python slowly
GONE_WITHIN = 10.0  # seconds from the loss of the front end to the end of the trainer


class FrontEnd:
    """Starts a worker, accepts its connection and talks to it."""

    def __init__(self, body, **environment):
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)
        port = self._server.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, BODIES, "worker", body],
            env={**os.environ, ENV_PORT: str(port), ENV_TOKEN: "secret", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.socket, _ = self._server.accept()
        self.socket.settimeout(PATIENCE)
        self._reader = LineReader()
        self._inbox = []
        assert self.receive() == Hello("secret", VERSION, self.process.pid)

    def send(self, *messages):
        for message in messages:
            self.socket.sendall(encode(message))

    def receive(self):
        """The next message, or None at the end of the stream."""
        while not self._inbox:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._inbox += map(decode, self._reader.feed(data))
        return self._inbox.pop(0)

    def receive_until(self, *kinds):
        """All messages up to and with the first of these kinds."""
        messages = []
        while not messages or not isinstance(messages[-1], kinds):
            message = self.receive()
            assert message is not None, f"the worker left after {messages[-5:]}"
            messages.append(message)
        return messages

    def end(self):
        """Hang up after the last message; the exit code."""
        self.socket.close()
        return self.process.wait(PATIENCE)

    def close(self):
        self.socket.close()
        self._server.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def start():
    front_ends = []

    def start_one(body, **environment):
        front_ends.append(FrontEnd(body, **environment))
        return front_ends[-1]

    yield start_one
    for front_end in front_ends:
        front_end.close()


def order(folder, **options):
    return Generate("a hamburger", str(folder), options)


def without_heartbeats(messages):
    return [message for message in messages if message != Heartbeat()]


def test_a_job_runs_and_is_reported(start, tmp_path):
    front_end = start("quick")
    front_end.send(order(tmp_path, epochs=2, preset="draft", negative="--rough", fp16=True, hf_key=None))
    messages = without_heartbeats(front_end.receive_until(Done, Error))
    assert messages == [
        Log("hello from the job"),
        Progress("training", 1, 2, 0.5, 1.0),
        Preview(str(tmp_path / "preview.png")),
        Progress("training", 2, 2, 1.0, 0.0),
        Done(str(tmp_path), str(tmp_path / "mesh/mesh.npz"), str(tmp_path / "mesh/albedo.png"), 1.5),
    ]
    assert front_end.receive() is None
    assert front_end.end() == 0
    job = Job.open(tmp_path)
    assert job.state == "done"
    assert job.config.prompt == "a hamburger"
    assert (job.config.training.epochs, job.config.mesh.resolution) == (2, 96)
    assert (job.config.negative, job.config.guidance.fp16) == ("--rough", True)
    assert "hello from the job" in job.log.read_text()


def test_the_token_is_taken_out_of_the_environment(start, tmp_path):
    front_end = start("token")
    front_end.send(order(tmp_path))
    assert Log("") in front_end.receive_until(Done)


def test_progress_is_sent_five_times_a_second_at_most(start, tmp_path):
    front_end = start("chatty")
    front_end.send(order(tmp_path))
    messages = front_end.receive_until(Done)
    progress = [message for message in messages if isinstance(message, Progress)]
    seconds = next(float(message.text) for message in messages if isinstance(message, Log))
    assert 2 <= len(progress) <= 5 * seconds + 3
    assert progress[-1].step == 1000


def test_stray_prints_go_to_the_log(start, tmp_path):
    front_end = start("printing")
    front_end.send(order(tmp_path))
    assert len(without_heartbeats(front_end.receive_until(Done))) == 1
    log = Job.open(tmp_path).log.read_text()
    for kind in ("print", "complaint", "write", "child"):
        assert f"a stray {kind}\n" in log


def test_cancel_keeps_a_checkpoint_and_resume_goes_on(start, tmp_path):
    front_end = start("train_for_ever")
    front_end.send(order(tmp_path))
    front_end.receive_until(Progress)
    front_end.send(Cancel())
    last = front_end.receive_until(Done, Error)[-1]
    assert (last.kind, last.resumable) == ("cancelled", True)
    assert front_end.end() == 130
    job = Job.open(tmp_path)
    assert job.state == "cancelled"
    step = int((job.checkpoints / "newest.json").read_text())

    front_end = start("train_for_ever")
    front_end.send(Resume(str(tmp_path)))
    assert front_end.receive_until(Progress)[-1].step == step + 1


def test_cancel_before_the_order_ends_the_worker(start):
    front_end = start("train_for_ever")
    front_end.send(Cancel())
    assert front_end.process.wait(PATIENCE) != 0


def test_a_pause_holds_the_job_while_heartbeats_go_on(start, tmp_path):
    front_end = start("until_resumed")
    front_end.send(order(tmp_path))
    front_end.receive_until(Progress)
    front_end.send(Pause())
    front_end.receive_until(Heartbeat)  # sent only where there is nothing else for two seconds
    assert Job.open(tmp_path).state == "paused"
    front_end.send(Resume())
    assert isinstance(front_end.receive_until(Done, Error)[-1], Done)
    assert front_end.end() == 0


def test_cancel_ends_a_pause(start, tmp_path):
    front_end = start("train_for_ever")
    front_end.send(order(tmp_path), Pause())
    front_end.receive_until(Heartbeat)
    front_end.send(Cancel())
    assert front_end.receive_until(Error)[-1].kind == "cancelled"
    assert Job.open(tmp_path).state == "cancelled"


def test_garbage_is_dropped_and_the_job_goes_on(start, tmp_path):
    draw = random.Random(0)
    front_end = start("until_resumed")
    front_end.socket.sendall(b"GET / HTTP/1.1\r\n\r\n" + b'{"type":"generate"}\n' + b"x" * (2 * MAX_LINE) + b"\n")
    front_end.send(order(tmp_path))
    front_end.receive_until(Progress)
    for _ in range(200):
        front_end.socket.sendall(draw.randbytes(draw.randrange(500)) + b"\n")
    front_end.send(order(tmp_path / "other"), Hello("for me?"))
    front_end.receive_until(Progress)
    front_end.send(Pause())
    front_end.receive_until(Heartbeat)
    front_end.send(Resume())
    assert isinstance(front_end.receive_until(Done, Error)[-1], Done)
    log = Job.open(tmp_path).log.read_text()
    assert "was dropped" in log
    assert "A second job was refused" in log
    assert log.count("\n") < 50
    assert not (tmp_path / "other").exists()


def assert_gone(process):
    start = time.monotonic()
    assert process.wait(PATIENCE) != 0
    assert time.monotonic() - start < GONE_WITHIN


def test_a_lost_front_end_ends_the_job_with_a_checkpoint(start, tmp_path):
    front_end = start("train_for_ever")
    front_end.send(order(tmp_path))
    front_end.receive_until(Progress)
    front_end.socket.close()
    assert_gone(front_end.process)
    job = Job.open(tmp_path)
    assert job.state == "cancelled"
    assert "front end" in job.record["error"]
    assert job.resumable


def test_a_lost_front_end_ends_a_paused_job(start, tmp_path):
    front_end = start("train_for_ever")
    front_end.send(order(tmp_path), Pause())
    front_end.receive_until(Heartbeat)
    front_end.socket.close()
    assert_gone(front_end.process)


def test_a_lost_front_end_ends_a_job_that_does_not_listen(start, tmp_path):
    front_end = start("deaf")
    front_end.send(order(tmp_path))
    front_end.receive_until(Log)
    front_end.socket.close()
    assert_gone(front_end.process)


def test_a_lost_front_end_ends_a_worker_without_order(start):
    front_end = start("quick")
    front_end.socket.close()
    assert_gone(front_end.process)


def test_a_silent_front_end_is_taken_for_dead(start, tmp_path):
    front_end = start("train_for_ever", TEST_SILENCE="2.5")
    front_end.send(order(tmp_path))
    for _ in range(8):  # heartbeats keep it alive beyond the limit
        time.sleep(0.5)
        front_end.send(Heartbeat())
    assert front_end.process.poll() is None
    assert SILENCE_SECONDS > 2.5
    assert_gone(front_end.process)


DYING_FRONT_END = """
import os, socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 0))
environment = {**os.environ, sys.argv[1]: str(server.getsockname()[1]), sys.argv[2]: "secret"}
child = subprocess.Popen([sys.executable, sys.argv[3], "worker", "train_for_ever"], env=environment)
connection, _ = server.accept()
connection.sendall(sys.argv[4].encode())
while b"progress" not in connection.recv(65536):
    pass
print(child.pid, flush=True)
while True:
    connection.recv(65536)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks /proc or ps by signal 0")
def test_a_killed_front_end_leaves_no_trainer(tmp_path):
    command = [sys.executable, "-c", DYING_FRONT_END, ENV_PORT, ENV_TOKEN, BODIES, encode(order(tmp_path)).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as front_end:
        trainer = int(front_end.stdout.readline())
        front_end.kill()
        front_end.wait()
    deadline = time.monotonic() + GONE_WITHIN
    while is_alive(trainer):
        assert time.monotonic() < deadline, "the trainer outlives its front end"
        time.sleep(0.1)
    assert Job.open(tmp_path).state == "cancelled"


def is_alive(pid):
    """Whether the process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or ") Z" not in status.read_text()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Generate(" ", "{folder}", {}), "prompt is empty"),
        (Generate("a mug", "", {}), "no folder's name"),
        (Generate("a mug", "{folder}", {"epochs": "many"}), "--epochs"),
        (Generate("a mug", "{folder}", {"colour": "red"}), "colour"),
        (Generate("a mug", "{folder}", {"help": True}), "help"),
        (Generate("a mug", "{folder}", {"": True}), "nrecognized"),
        (Resume("{folder}"), "There is no job"),
        (Resume(), "no folder's name"),
    ],
)
def test_bad_orders_are_answered_with_one_line(start, tmp_path, message, words):
    front_end = start("quick")
    body = json.loads(encode(message))
    body["workspace"] = body["workspace"].format(folder=tmp_path / "job")
    front_end.socket.sendall(json.dumps(body).encode() + b"\n")
    last = front_end.receive_until(Done, Error)[-1]
    assert (last.kind, last.resumable) == ("input", False)
    assert words in last.text
    assert "\n" not in last.text
    assert front_end.end() == 2
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("failing", "failed", "It went wrong: try again."),
        ("memory", "memory", "Out of memory: take --preset draft."),
        ("unexpected", "failed", "Unexpected RuntimeError: the sky fell."),
    ],
)
def test_failures_are_told_and_kept(start, tmp_path, body, kind, words):
    front_end = start(body)
    front_end.send(order(tmp_path))
    last = front_end.receive_until(Done, Error)[-1]
    assert last.kind == kind
    assert last.text.startswith(words)
    assert front_end.end() == 1
    job = Job.open(tmp_path)
    assert (job.state, job.record["error"]) == ("failed", last.text)
    assert (body == "unexpected") == (job.log.exists() and "Traceback" in job.log.read_text())


def test_a_worker_started_by_hand_says_so():
    result = subprocess.run([sys.executable, "-m", "core.worker"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "python -m core" in result.stderr


def test_no_front_end_at_the_port_is_a_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = {**os.environ, ENV_PORT: str(port), ENV_TOKEN: "secret"}
    command = [sys.executable, "-m", "core.worker"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert f"port {port}" in result.stderr
