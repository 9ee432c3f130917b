"""The worker against a real loopback socket, with small job bodies in place of the training."""

import json
import os
import random
import socket
import subprocess
import sys

import pytest

from core.job import Job
from core.protocol import (
    ENV_PORT,
    ENV_TOKEN,
    MAX_LINE,
    Cancel,
    Done,
    Error,
    Generate,
    Grow,
    Heartbeat,
    Hello,
    Log,
    Pause,
    Preview,
    Progress,
    Resume,
    Sketch,
    encode,
)
from tests.core.front_end import PATIENCE, order


def without_heartbeats(messages):
    return [message for message in messages if message != Heartbeat()]


def test_a_job_runs_and_is_reported(start, tmp_path):
    front_end = start("quick")
    front_end.send(order(tmp_path, epochs=2, preset="draft", negative="--rough", fp16=True, hf_key=None))
    messages = without_heartbeats(front_end.receive_until(Done, Error))
    stale = Progress("training", 1, 2, 0.5, 1.0)  # not sent, unless the machine is slow
    assert [message for message in messages if message != stale] == [
        Log("hello from the job"),
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
    assert last.kind == "cancelled"
    assert front_end.end() == 130
    job = Job.open(tmp_path)
    assert (job.state, job.resumable) == ("cancelled", True)
    step = int((job.checkpoints / "newest.json").read_text())

    front_end = start("train_for_ever")
    front_end.send(Resume(str(tmp_path)))
    front_end.receive_until(Progress)
    assert int((tmp_path / "began_at").read_text()) == step > 0


def test_a_job_is_trained_longer_on_demand(start, tmp_path):
    front_end = start("train_for_ever")
    front_end.send(order(tmp_path))
    front_end.receive_until(Progress)
    front_end.send(Cancel())
    front_end.receive_until(Error)
    front_end.end()
    front_end = start("quick")
    front_end.send(Resume(str(tmp_path), 50))
    assert isinstance(front_end.receive_until(Done, Error)[-1], Done)
    assert Job.open(tmp_path).config.training.epochs == 50


def test_a_front_end_may_ask_for_sketches_at_any_time(start, tmp_path):
    front_end = start("growing")
    front_end.send(order(tmp_path), Grow(False), Grow(True))
    assert without_heartbeats(front_end.receive_until(Done))[0] == Sketch(str(tmp_path / "sketch.npz"))


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
    assert last.kind == "input"
    assert words in last.text
    assert "\n" not in last.text
    assert front_end.end() == 2
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("failing", "failed", "It went wrong: try again."),
        ("memory", "memory", "Out of memory: take --preset draft."),
        ("full", "failed", "No space left on the disk: free some and resume"),
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
