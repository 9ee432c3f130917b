"""The front end's half of a job, against the real worker around a fake body."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

import core
from blender_dreamfusion import link, mesh_file, trainer_job, workspaces
from blender_dreamfusion.core_files import protocol
from blender_dreamfusion.job_record import State
from blender_dreamfusion.trainer_job import TrainerJob
from blender_dreamfusion.trainer_process import StartError
from tests.addon.doubles import double_python, script


@pytest.fixture
def start(tmp_path):
    """Starts jobs and ends what is left of them."""
    jobs = []

    def begin(python, order=None):
        order = order or protocol.Generate("a red cube", str(tmp_path / "job"), {"preset": "draft", "seed": 3})
        jobs.append(TrainerJob(python, order))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.close()
        assert job._process.exit_code() is not None


def pump_until(job, condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition(job):
        assert time.monotonic() < end, f"still {job.state} after {seconds} s: {job.error}"
        job.pump()
        time.sleep(0.01)


def ended(job):
    return job.ended


def running(job):
    return job.progress is not None


def test_a_job_grows_on_demand(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "1000", "--pause", "0.02"))
    pump_until(job, lambda job: job.previews >= 2)
    assert job.sketches == 0
    job.grow(True)
    pump_until(job, lambda job: job.sketches >= 3)
    assert mesh_file.read_sketch(tmp_path / "job" / "sketch.npz").slots.max() == 1
    job.grow(False)
    before = job.previews
    pump_until(job, lambda job: job.previews >= before + 2)
    grown = job.sketches
    pump_until(job, lambda job: job.previews >= before + 6)
    assert job.sketches == grown


def test_a_job_reports_progress_and_ends_with_a_mesh(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "5", "--pause", "0.25"))
    pump_until(job, running)
    assert job.state is State.RUNNING
    assert 0 < job.progress.fraction < 1
    pump_until(job, ended)
    assert job.state is State.DONE
    assert job.remarks == ["A remark on the prompt.", "A remark of the trainer."]
    assert job.previews >= 2
    assert job.preview == str(tmp_path / "job" / "preview.png")
    assert job.done.mesh == str(tmp_path / "job" / "mesh" / "mesh.npz")
    pump_until(job, lambda job: job.gone)
    assert workspaces.read_details(job.workspace) == workspaces.Details(
        "a red cube", 3, "starter", "done", core.__version__
    )


def test_cancel_keeps_a_checkpoint_and_resume_goes_on(start, tmp_path):
    python = double_python(tmp_path, "--steps", "40", "--pause", "0.05")
    job = start(python)
    pump_until(job, running)
    job.cancel()
    pump_until(job, lambda job: job.gone)
    assert job.state is State.CANCELLED
    assert workspaces.is_interrupted(job.workspace)
    again = start(python, protocol.Resume(str(job.workspace)))
    pump_until(again, ended)
    assert again.state is State.DONE


def test_cancel_before_the_trainer_answers(start, tmp_path):
    job = start(script(tmp_path, "exec sleep 60"))
    job.cancel()
    pump_until(job, lambda job: job.gone, 5)
    assert job.state is State.CANCELLED


def test_a_trainer_that_does_not_hear_cancel_is_ended_by_force(start, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_job, "CANCEL_SECONDS", 0.3)
    job = start(double_python(tmp_path, "--deaf", "--steps", "10000"))
    pump_until(job, running)
    job.cancel()
    pump_until(job, lambda job: job.gone, 10)
    assert job.state is State.CANCELLED


def test_a_killed_trainer_is_noticed_and_can_be_resumed(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "10000"))
    pump_until(job, running)
    os.kill(job.trainer_pid, signal.SIGKILL)
    pump_until(job, lambda job: job.gone, 5)
    assert job.state is State.FAILED
    reason = "The trainer was killed; the computer may have run out of memory."
    assert job.error == f"{reason} What it printed is in log.txt of the job's folder."
    assert (job.workspace / "log.txt").exists()
    assert not job.blames_setup
    assert workspaces.is_interrupted(job.workspace)


def test_a_silent_trainer_is_taken_for_dead(start, tmp_path, monkeypatch):
    job = start(double_python(tmp_path, "--steps", "10000"))
    pump_until(job, running)
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(trainer_job, "END_SECONDS", 0.3)
    os.kill(job.trainer_pid, signal.SIGSTOP)
    pump_until(job, lambda job: job.gone, 10)
    assert job.state is State.FAILED
    assert "no sign of life" in job.error


def test_a_trainer_may_be_silent_for_longer_before_its_first_progress(start, tmp_path, monkeypatch):
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(link, "LOADING_SILENCE_SECONDS", 3.0)
    job = start(double_python(tmp_path, "--steps", "1", "--pause", "1"))
    pump_until(job, ended)
    assert job.state is State.DONE, job.error


def test_time_in_which_the_computer_slept_is_no_silence(start, tmp_path, monkeypatch):
    job = start(double_python(tmp_path, "--steps", "10", "--pause", "0.2"))
    pump_until(job, running)
    clock = time.monotonic
    monkeypatch.setattr(link.time, "monotonic", lambda: clock() + 3600)
    pump_until(job, lambda job: ended(job) or job.progress.step == 10)
    monkeypatch.undo()
    pump_until(job, ended)
    assert job.state is State.DONE, job.error


def test_time_in_which_blender_was_busy_is_no_silence(start, tmp_path, monkeypatch):
    job = start(double_python(tmp_path, "--steps", "60", "--pause", "0.05"))
    pump_until(job, running)
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 0.5)
    time.sleep(2.0)
    pump_until(job, ended)
    assert job.state is State.DONE, job.error


@pytest.mark.parametrize("pauses", [0, 3], ids=["unheard", "spoken to"])
def test_a_job_that_ended_while_blender_was_busy_is_done(start, tmp_path, pauses):
    """What is said to a trainer that has left costs nothing of what it said."""
    job = start(double_python(tmp_path, "--steps", "2"))
    pump_until(job, running)
    job._process.wait(20)
    for _ in range(pauses):
        job.pause()
        job.go_on()
        time.sleep(0.1)
    pump_until(job, ended)
    assert job.state is State.DONE, job.error


def test_no_second_thread_of_python(start, tmp_path):
    """Blender may crash beside one: see link.py."""
    before = threading.enumerate()
    job = start(double_python(tmp_path, "--steps", "10000"))
    pump_until(job, running)
    assert threading.enumerate() == before


def test_an_exception_in_the_trainer_becomes_one_sentence(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "1", "--fail", "no_luck"))
    pump_until(job, ended)
    assert job.state is State.FAILED
    assert "no_luck" in job.error
    assert "\n" not in job.error


def test_a_bad_option_is_reported_by_the_trainer(start, tmp_path):
    order = protocol.Generate("a red cube", str(tmp_path / "job"), {"preset": "huge"})
    job = start(double_python(tmp_path), order)
    pump_until(job, ended)
    assert job.state is State.FAILED
    assert "preset" in job.error
    assert not job.blames_setup


def test_missing_packages_are_named(start, tmp_path):
    job = start(script(tmp_path, f'exec "{sys.executable}" -S "$@"'))
    pump_until(job, ended)
    assert "package" in job.error
    assert "missing" in job.error
    assert job.blames_setup


def test_a_program_that_is_no_trainer(start):
    job = start("/bin/false")
    pump_until(job, ended)
    assert job.error == "The trainer ended before it was ready."
    assert job.blames_setup
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", job._link.port))


@pytest.mark.parametrize("python", ["", "  ", "/no/such/python", "/tmp", __file__])
def test_a_wrong_python_is_refused_at_once(start, tmp_path, python):
    with pytest.raises(StartError, match=r"(?i)set the trainer's Python"):
        start(python)
    assert not (tmp_path / "job").exists()


def test_a_folder_that_cannot_be_made(start, tmp_path):
    (tmp_path / "file").write_text("")
    order = protocol.Generate("a red cube", str(tmp_path / "file" / "job"), {})
    with pytest.raises(StartError, match="file"):
        start(double_python(tmp_path), order)


def test_strangers_on_the_port_change_nothing(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "20"))
    port = job._link.port
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
    strangers[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
    strangers[1].sendall(protocol.encode(protocol.Hello("0" * 64)))
    strangers[2].sendall(b"\xff" * 100_000)
    strangers[3].sendall(protocol.encode(protocol.Done("/", "/etc/passwd", "", 0.0)))
    pump_until(job, ended)
    assert job.state is State.DONE
    assert job.done.workspace == str(tmp_path / "job")
    for stranger in strangers:
        stranger.close()


def test_the_secret_is_not_in_the_command_line_and_the_environment_is_clean(start, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    job = start(script(tmp_path, f'echo "$@" > {tmp_path}/argv; env > {tmp_path}/env; exit 1'))
    pump_until(job, ended)
    assert (tmp_path / "argv").read_text() == "-m core.worker\n"
    env = (tmp_path / "env").read_text()
    assert "PYTHONPATH" not in env
    assert "PYTHONSAFEPATH" not in env
    assert "PYTHONUTF8=1" in env
    assert f"{protocol.ENV_TOKEN}={job._link.token}" in env


def test_close_leaves_no_process(start, tmp_path):
    job = start(double_python(tmp_path, "--steps", "10000"))
    pump_until(job, running)
    job.close()
    with pytest.raises(ProcessLookupError):
        os.kill(job.trainer_pid, 0)
