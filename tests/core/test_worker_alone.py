"""A worker whose front end is gone or dead ends by itself; one whose front end is busy waits for it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.job import Job
from core.protocol import (
    ENV_PORT,
    ENV_TOKEN,
    Done,
    Heartbeat,
    Log,
    Pause,
    Progress,
    encode,
)
from tests.core.front_end import BODIES, PATIENCE, order

GONE_WITHIN = 10.0  # seconds from the loss of the front end to the end of the trainer


def assert_gone(process):
    start = time.monotonic()
    assert process.wait(PATIENCE) != 0
    assert time.monotonic() - start < GONE_WITHIN


def lose(front_end, heard, *messages):
    """Send messages, wait until one of a kind is heard, and hang up."""
    front_end.send(*messages)
    front_end.receive_until(heard)
    front_end.socket.close()
    assert_gone(front_end.process)


def test_a_lost_front_end_ends_the_job_with_a_checkpoint(start, tmp_path):
    lose(start("train_for_ever"), Progress, order(tmp_path))
    job = Job.open(tmp_path)
    assert job.state == "cancelled"
    assert "front end" in job.record["error"]
    assert job.resumable


def test_a_lost_front_end_ends_a_paused_job(start, tmp_path):
    lose(start("train_for_ever"), Heartbeat, order(tmp_path), Pause())


def test_a_lost_front_end_ends_a_job_that_does_not_listen(start, tmp_path):
    lose(start("deaf"), Log, order(tmp_path))


def test_a_lost_front_end_ends_a_worker_without_order(start):
    front_end = start("quick")
    front_end.socket.close()
    assert_gone(front_end.process)


def test_a_busy_front_end_loses_nothing_that_counts(start, tmp_path):
    """It reads nothing while the job says more than the system keeps for it, and ends."""
    front_end = start("fills_the_connection")
    front_end.send(order(tmp_path))
    deadline = time.monotonic() + PATIENCE
    while not is_done(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(4.0)  # more than the worker takes to part from one that reads
    assert front_end.process.poll() is None
    messages = front_end.receive_until(Done)
    assert [message.text[:4] for message in messages if isinstance(message, Log)] == ["long"] * 400
    assert front_end.end() == 0


def is_done(folder):
    return (folder / "job.json").exists() and Job.open(folder).state == "done"


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
