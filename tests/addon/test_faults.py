"""Whatever goes wrong ends in a clear state, with nothing lost: faults, where they are tested, what the artist sees.

==============================  ==================================================  ====================================
fault                           tested                                              the artist sees
==============================  ==================================================  ====================================
trainer killed                  test_trainer_job.py, blender/scenarios/interrupt.py  "The trainer was killed", Resume
trainer hung                    here                                                "no sign of life", Resume
out of memory                   here; core/test_device.py                           what needs less, Resume
garbage on the socket           here; core/test_worker.py, core/test_protocol.py    nothing; alone, it is a hung trainer
foreign client                  here; test_trainer_job.py                           nothing
disk full                       here; core/test_job.py, core/test_checkpoint.py     "No space left on the disk", Resume
job folder deleted or moved     here; blender/scenarios/open_files.py               "The folder is gone: put it back"
Blender killed while training   blender/scenarios/run_for_ever.py, read_back.py     the list read back, Resume
add-on disabled while training  blender/scenarios/interrupt.py                      the list read back, Resume
file loaded while importing     blender/scenarios/open_files.py                     the job done, Add to Scene
two Blenders, one job folder    here; core/test_lock.py                             "At work in another program"
system clock set                here; test_job_record.py                            nothing
==============================  ==================================================  ====================================
"""

import contextlib
import errno
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from blender_dreamfusion import job_record, trainer_job
from blender_dreamfusion.core_files import protocol
from blender_dreamfusion.job_record import JobGone, State
from blender_dreamfusion.trainer_process import StartError
from tests.addon.doubles import double_python, script
from tests.addon.test_job_queue import add, pump_until, read_back

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def stand_in(folder, name, *arguments):
    """A trainer's Python that is one of the programs beside this file."""
    return script(folder, f'exec "{sys.executable}" -X utf8 "{HERE / name}" {" ".join(arguments)}')


def start(queue, folder, *arguments):
    """A job at work, past its first step."""
    queue.python = double_python(folder, *arguments)
    job = add(queue, "mug")
    pump_until(queue, lambda: job.fraction > 0)
    return job


def resume_to_the_end(queue, job, folder):
    """The job goes on with a trainer that nothing is wrong with, and is done."""
    assert job.can_resume
    queue.python = double_python(folder / "well", "--steps", "2")
    queue.resume(job)
    pump_until(queue, lambda: not queue.busy)
    assert (job.state, job.error) == (State.DONE, "")
    assert job.record.has_mesh


def test_a_hung_trainer_is_ended_and_its_job_goes_on(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_job, "END_SECONDS", 0.3)
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 0.5)
    os.kill(job.trainer.trainer_pid, signal.SIGSTOP)
    pump_until(queue, lambda: job.state is State.FAILED)
    assert "no sign of life" in job.error
    monkeypatch.undo()
    resume_to_the_end(queue, job, tmp_path)  # at once: it waits for the hung one's end


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_out_of_memory(queue, tmp_path):
    queue.python = stand_in(tmp_path / "limited", "limited_trainer.py", "10")
    job = add(queue, "mug", preset="standard")
    pump_until(queue, lambda: not queue.busy, 120)
    assert job.state is State.FAILED
    advice = "close other programs, or start again with --preset draft."
    assert job.error == f"The computer's memory is full: {advice}"
    assert not job.blames_setup
    resume_to_the_end(queue, job, tmp_path)


def test_garbage_on_the_socket_changes_nothing(queue, tmp_path):
    queue.python = stand_in(tmp_path / "mad", "garbage_trainer.py")
    job = add(queue, "mug")
    pump_until(queue, lambda: job.state is State.DONE)
    assert job.trainer.previews == 100, "no message among the garbage is lost"
    assert job.fraction == 1


def test_a_trainer_that_sends_nothing_but_garbage_is_taken_for_dead(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 1.0)
    queue.python = stand_in(tmp_path / "mad", "garbage_trainer.py", "--alone")
    job = add(queue, "mug")
    pump_until(queue, lambda: job.state is State.FAILED)
    assert "no sign of life" in job.error


def test_ten_thousand_frames_of_foreign_clients_change_nothing(queue, tmp_path):
    late = double_python(tmp_path / "double", "--steps", "10")
    go = tmp_path / "go"
    queue.python = script(tmp_path / "late", f"while [ ! -e {go} ]; do sleep 0.1; done; exec {late}")
    job = add(queue, "mug")
    queue.pump()
    port = job.trainer._link.port
    clients = [ForeignClient(port, seed) for seed in range(4)]
    pump_until(queue, lambda: sum(client.frames for client in clients) >= 10_000)
    go.touch()  # the trainer finds its way in among them
    pump_until(queue, lambda: job.fraction > 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    for client in clients:
        client.join()
    pump_until(queue, lambda: not queue.busy)
    assert (job.state, job.error) == (State.DONE, "")
    assert job.trainer.preview == str(job.folder / "preview.png")
    assert job.trainer.remarks == ["A remark on the prompt.", "A remark of the trainer."]


class ForeignClient(threading.Thread):
    """Connects again and again and sends random frames, some of them almost right, until nobody listens any more."""

    def __init__(self, port, seed):
        super().__init__()
        self.frames = 0
        self._port, self._draw = port, random.Random(seed)
        self.start()

    def run(self):
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    self._talk()

    def _talk(self):
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            for _ in range(self._draw.randrange(1, 100)):
                connection.sendall(self._frame() + b"\n")
                self.frames += 1

    def _frame(self):
        draw = self._draw
        almost = (
            protocol.encode(protocol.Hello(f"{draw.getrandbits(256):064x}"))[:-1],
            protocol.encode(protocol.Done("/", "/etc/passwd", "", 0.0))[:-1],
            protocol.encode(protocol.Error("Ha!", "failed"))[:-1],
        )
        return draw.choice(almost) if draw.random() < 0.1 else draw.randbytes(draw.randrange(300))


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux")
def test_a_disk_that_is_full_for_the_trainer(queue, tmp_path):
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    nothing = (0, 0)  # bytes that a file may have: what is there can be read, nothing written
    resource.prlimit(job.trainer.trainer_pid, resource.RLIMIT_FSIZE, nothing)
    pump_until(queue, lambda: not queue.busy)
    check_the_full_disk(queue, job, tmp_path, lambda: None)


def test_a_full_disk(queue, tmp_path):
    """A real one of a megabyte, where the system lets us have it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a disk: the test above limits the trainer's files instead")
    try:
        queue.folder = disk / "jobs"
        job = start(queue, tmp_path / "slow", "--steps", "10000")
        fill(disk / "filler")
        pump_until(queue, lambda: not queue.busy)
        with pytest.raises(StartError, match=r"No space left.*choose another folder for jobs"):
            add(queue, "hat")
        assert read_back(queue, queue.folder).find(job.folder), "the list can be read"
        check_the_full_disk(queue, job, tmp_path, (disk / "filler").unlink)
    finally:
        queue.close()
        subprocess.run(["umount", "-l", disk], check=True)


def fill(path):
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))


def check_the_full_disk(queue, job, folder, free):
    assert job.state is State.FAILED
    assert job.error.startswith("No space left on the disk")
    assert "free some and resume" in job.error
    assert not job.blames_setup
    assert job.record.has_checkpoint, "what was saved before is there"
    free()
    resume_to_the_end(queue, job, folder)


def test_a_folder_that_is_moved_while_training_can_be_put_back(queue, tmp_path):
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    job.folder.rename(tmp_path / "elsewhere")
    pump_until(queue, lambda: not queue.busy)
    assert job.state is State.FAILED
    assert job.error == f"The folder {job.folder} is gone: put it back and resume, or generate again."
    assert not job.folder.exists(), "no part of it is made anew"
    with pytest.raises(JobGone, match="put it back"):
        queue.resume(job)
    (tmp_path / "elsewhere").rename(job.folder)
    resume_to_the_end(queue, job, tmp_path)


def test_a_folder_that_is_deleted_while_training(queue, tmp_path):
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    job.folder.rename(tmp_path / "trash")  # as file managers do
    shutil.rmtree(tmp_path / "trash")
    pump_until(queue, lambda: not queue.busy)
    assert (job.state, job.folder.exists()) == (State.FAILED, False)
    queue.python = double_python(tmp_path / "well", "--steps", "2")
    other = queue.retry(job, 4)
    pump_until(queue, lambda: not queue.busy)
    assert other.state is State.DONE, "what it was asked for is known"
    queue.scan(queue.folder)
    assert queue.jobs == [other], "the list forgets what is gone"


def test_a_folder_that_is_deleted_while_its_job_waits(queue, tmp_path):
    first = start(queue, tmp_path / "slow", "--steps", "10000")
    second = add(queue, "hat")
    shutil.rmtree(second.folder)
    queue.scan(queue.folder)
    assert queue.jobs == [first]
    queue.cancel(first)
    pump_until(queue, lambda: not queue.busy)
    assert not second.folder.exists(), "and it is not made again"


def test_two_blenders_with_the_same_folder(queue, tmp_path):
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    second = read_back(queue, queue.folder)
    seen = second.find(job.folder)
    assert seen.state is State.ELSEWHERE
    assert not any((seen.can_resume, seen.can_delete, seen.can_train_longer))
    assert not second.delete(seen)
    second.resume(seen)
    assert seen.state is State.ELSEWHERE, "it is not begun twice"

    queue.cancel(job)
    pump_until(queue, lambda: not queue.busy)
    look_again(second)
    assert seen.state is State.CANCELLED
    queue.resume(job)
    pump_until(queue, lambda: look_again(second) or seen.state is State.ELSEWHERE)  # it sees what the other starts
    queue.cancel(job)
    pump_until(queue, lambda: not queue.busy)

    resume_to_the_end(queue, job, tmp_path)
    second.resume(seen)  # before it has looked again
    assert (seen.state, second.busy) == (State.DONE, False), "and it is not begun again"


def test_two_blenders_that_start_a_job_at_once(queue, tmp_path):
    job = start(queue, tmp_path / "slow", "--steps", "10000")
    second = read_back(queue, queue.folder)
    queue.cancel(job)
    pump_until(queue, lambda: not queue.busy)
    look_again(second)
    seen = second.find(job.folder)
    for each, its in ((queue, job), (second, seen)):
        each.resume(its)
    end = time.monotonic() + 30
    while State.ELSEWHERE not in (job.state, seen.state) or State.RUNNING not in (job.state, seen.state):
        assert time.monotonic() < end, (job.state, job.error, seen.state, seen.error)
        queue.pump()
        second.pump()
        second.look_again()
        queue.look_again()
        time.sleep(0.01)
    at_work, at_rest = (queue, second) if job.at_work else (second, queue)
    assert not at_rest.find(job.folder).error
    at_work.cancel(at_work.find(job.folder))
    pump_until(at_work, lambda: not at_work.busy)
    look_again(at_rest)
    assert at_rest.find(job.folder).state is State.CANCELLED
    second.close()


def look_again(queue):
    queue.look_again()
    pump_until(queue, lambda: not queue.busy)


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_a_clock_that_is_set_while_training(queue, tmp_path, monkeypatch, seconds):
    clock = time.time
    job = start(queue, tmp_path / "double", "--steps", "20", f"--set-clock={seconds}")
    monkeypatch.setattr(time, "time", lambda: clock() + seconds)
    job.trainer.pause()
    pump_until(queue, lambda: '"paused"' in (job.folder / "job.json").read_text())
    job.trainer.go_on()
    pump_until(queue, lambda: not queue.busy)
    assert (job.state, job.error) == (State.DONE, "")
    other = add(queue, "hat")
    pump_until(queue, lambda: not queue.busy)
    assert 0 < other.record.seconds < 60, "how long it took is not told by that clock"
    assert {each.state for each in read_back(queue, queue.folder).jobs} == {State.DONE}


def test_the_clock_on_the_wall_dates_and_decides_nothing():
    """Only the stamps of job.json come from it; whatever waits or measures takes time.monotonic()."""
    files = [*(ROOT / "core").rglob("*.py"), *(ROOT / "blender_dreamfusion").rglob("*.py")]
    wall = re.compile(r"\btime\.time(_ns)?\(|\bfrom time import|\bimport datetime|\bfrom datetime\b")
    assert [path.name for path in files if wall.search(path.read_text())] == ["job.py"]


def test_a_request_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / f".{job_record.REQUEST}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        job_record.write_request(tmp_path, "a mug", {})
    assert not list(tmp_path.iterdir())
