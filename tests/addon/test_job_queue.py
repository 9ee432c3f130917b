"""The list of jobs, with the real worker around a fake body."""

import os
import signal
import time

import pytest

import core.lock
from blender_dreamfusion.job_queue import JobQueue
from blender_dreamfusion.job_record import State
from blender_dreamfusion.trainer_job import TrainerJob
from blender_dreamfusion.trainer_process import StartError, TrainerProcess
from tests.addon.doubles import double_python, script
from tests.addon.job_folders import make_job

OPTIONS = {"preset": "draft", "seed": 3}


def pump_until(queue, condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, [(job.state, job.error) for job in queue.jobs]
        queue.pump()
        time.sleep(0.01)


def add(queue, name, **options):
    return queue.add(queue.folder / name, f"a {name}", {**OPTIONS, **options})


def read_back(queue, folder):
    """The list as another program finds it, read to the end."""
    again = JobQueue(lambda order: TrainerJob(queue.python, order))
    again.scan(folder)
    pump_until(again, lambda: not again.busy)
    return again


def test_jobs_run_one_after_the_other_in_the_order_of_asking(queue):
    jobs = [add(queue, name) for name in ("mug", "hat", "bus")]
    assert queue.jobs == jobs[::-1], "the newest is on top"
    order = []
    while queue.busy:
        queue.pump()
        at_work = [job for job in jobs if job.at_work]
        assert len(at_work) <= 1
        order += [job for job in at_work if job not in order]
        time.sleep(0.005)
    assert order == jobs
    assert [job.state for job in jobs] == [State.DONE] * 3
    assert all(job.record.has_mesh for job in jobs)


def test_what_a_done_job_brought_is_known_before_its_trainer_has_left(queue, monkeypatch):
    job = add(queue, "mug")
    with monkeypatch.context() as patch:
        patch.setattr(TrainerProcess, "exit_code", lambda _: None)
        pump_until(queue, lambda: job.state is State.DONE)
        assert queue.active is job
        assert job.record.has_mesh
        assert job.can_train_longer


def test_a_waiting_job_gives_up_its_turn_and_gets_another(queue):
    first, second, third = (add(queue, name) for name in ("mug", "hat", "bus"))
    queue.cancel(second)
    assert (second.state, third.state) == (State.INTERRUPTED, State.WAITING)
    assert second.can_resume
    pump_until(queue, lambda: third.state is State.DONE)
    queue.resume(second)
    assert second.state is State.WAITING
    pump_until(queue, lambda: second.state is State.DONE)
    assert second.record.seed == 3
    assert first.state is State.DONE


def test_pause_holds_the_job_and_go_on_ends_it(queue, tmp_path):
    queue.python = double_python(tmp_path / "slow", "--steps", "60", "--pause", "0.05")
    job = add(queue, "mug")
    pump_until(queue, lambda: job.fraction > 0)
    job.trainer.pause()
    assert job.state is State.PAUSED
    assert job.at_work
    pump_until(queue, lambda: '"paused"' in (job.folder / "job.json").read_text())
    time.sleep(0.5)
    queue.pump()
    step = job.trainer.progress.step
    time.sleep(0.5)
    queue.pump()
    assert job.trainer.progress.step == step
    job.trainer.go_on()
    pump_until(queue, lambda: job.trainer.progress.step > step)
    assert job.state is State.RUNNING
    job.trainer.pause()
    queue.cancel(job)
    pump_until(queue, lambda: not queue.busy)
    assert job.state is State.CANCELLED, "a paused job can be cancelled"
    assert job.can_resume


def test_after_a_crash_the_list_is_read_back(queue, tmp_path):
    done = add(queue, "mug")
    pump_until(queue, lambda: not queue.busy)
    queue.python = double_python(tmp_path / "slow", "--steps", "10000")
    at_work, waits = add(queue, "hat"), add(queue, "bus", seed=9)
    pump_until(queue, lambda: at_work.fraction > 0)
    others_list = read_back(queue, queue.folder)
    assert others_list.find(at_work.folder).state is State.ELSEWHERE
    assert not others_list.find(at_work.folder).can_delete

    os.kill(at_work.trainer.trainer_pid, signal.SIGKILL)
    pump_until(queue, lambda: not at_work.at_work)
    queue.close()
    others_list.look_again()
    pump_until(others_list, lambda: not others_list.busy)
    assert others_list.find(at_work.folder).state in (State.INTERRUPTED, State.FAILED)

    again = read_back(queue, queue.folder)
    states = {job.folder: job.state for job in again.jobs}
    assert states == {done.folder: State.DONE, at_work.folder: State.INTERRUPTED, waits.folder: State.INTERRUPTED}
    queue.python = double_python(tmp_path / "quick", "--steps", "2")
    for folder in (at_work.folder, waits.folder):
        again.resume(again.find(folder))
    pump_until(again, lambda: not again.busy)
    assert {job.state for job in again.jobs} == {State.DONE}
    assert again.find(waits.folder).record.seed == 9


def test_retry_asks_for_the_same_with_another_seed(queue):
    job = add(queue, "mug", negative="blue")
    pump_until(queue, lambda: not queue.busy)
    other = queue.retry(job, 11)
    pump_until(queue, lambda: not queue.busy)
    assert other.folder != job.folder
    assert other.record.request == {"prompt": "a mug", **OPTIONS, "negative": "blue", "seed": 11}
    assert (other.state, other.record.seed, job.record.seed) == (State.DONE, 11, 3)


def test_a_done_job_is_trained_longer(queue):
    job = add(queue, "mug", epochs=2)
    pump_until(queue, lambda: not queue.busy)
    assert job.can_train_longer
    queue.resume(job, epochs=5)
    pump_until(queue, lambda: not queue.busy)
    assert (job.state, job.record.epochs) == (State.DONE, 5)


def test_a_done_job_that_gives_up_its_turn_tells_it(queue):
    """Its object in the scene is as it was: nothing newer is there to be brought in."""
    done = add(queue, "mug", epochs=2)
    pump_until(queue, lambda: not queue.busy)
    add(queue, "hat")
    queue.resume(done, epochs=5)
    queue.cancel(done)
    assert (done.state, done.gave_up) == (State.DONE, True)
    queue.resume(done, epochs=5)
    assert not done.gave_up


def test_without_a_trainer_no_job_waits_in_vain(queue, tmp_path):
    queue.python = ""
    jobs = [add(queue, name) for name in ("mug", "hat")]
    pump_until(queue, lambda: not queue.busy)
    assert jobs[0].state is State.FAILED
    assert "Press Set Up Trainer" in jobs[0].error
    assert jobs[0].blames_setup
    assert jobs[1].state is State.INTERRUPTED
    queue.python = script(tmp_path / "broken", "exit 1")
    for job in jobs:
        queue.resume(job)
        assert (job.state, job.error) == (State.WAITING, "")
    pump_until(queue, lambda: not queue.busy)
    assert jobs[0].error == "The trainer ended before it was ready."
    assert jobs[1].state is State.INTERRUPTED


def test_a_job_that_fails_does_not_stop_the_next(queue, tmp_path):
    queue.python = double_python(tmp_path / "unlucky", "--steps", "1", "--fail", "no_luck")
    jobs = [add(queue, name) for name in ("mug", "hat")]
    pump_until(queue, lambda: not queue.busy)
    assert all(job.state is State.FAILED and "no_luck" in job.error for job in jobs)
    again = read_back(queue, queue.folder)
    assert ["no_luck" in job.error for job in again.jobs] == [True, True]


def test_a_folder_that_cannot_be_written(queue):
    queue.folder.write_text("")
    with pytest.raises(StartError, match="in the preferences"):
        add(queue, "mug")
    assert queue.jobs == []


def test_delete(queue, tmp_path):
    queue.python = double_python(tmp_path / "slow", "--steps", "10000")
    at_work, waits = add(queue, "mug"), add(queue, "hat")
    pump_until(queue, lambda: at_work.fraction > 0)
    assert not queue.delete(at_work)
    assert at_work.folder.exists()
    assert queue.delete(waits)
    assert not waits.folder.exists()
    queue.cancel(at_work)
    pump_until(queue, lambda: not queue.busy)
    assert queue.delete(at_work)
    assert queue.jobs == []
    assert not list(queue.folder.iterdir())


def test_a_job_whose_lock_another_program_holds_is_not_deleted(queue):
    folder = make_job(queue.folder / "job", "failed")
    again = read_back(queue, queue.folder)
    with core.lock.exclusive(folder):
        assert not again.delete(again.jobs[0])
    assert again.jobs


def test_scan_follows_the_folder(queue):
    older = make_job(queue.folder / "older", "done", created=1000)
    make_job(queue.folder / "newer", "failed", created=2000)
    (queue.folder / "no_job").mkdir()
    queue.scan(queue.folder)
    pump_until(queue, lambda: not queue.busy)
    assert [job.folder.name for job in queue.jobs] == ["newer", "older"]
    for path in (older / "job.json", older / "checkpoints" / "00000100.json"):
        path.unlink()
    queue.scan(queue.folder)
    pump_until(queue, lambda: not queue.busy)
    assert [job.folder.name for job in queue.jobs] == ["newer"]
    make_job(queue.folder / "newest", "done", created=3000)
    (queue.folder / "newer" / "job.json").write_text("damaged meanwhile")
    queue.scan(queue.folder, again=False)
    pump_until(queue, lambda: not queue.busy)
    assert [job.folder.name for job in queue.jobs] == ["newest", "newer"], "the new one alone is read"
    queue.scan(queue.folder / "nowhere")
    assert queue.jobs == []


def test_many_jobs_are_read_in_many_short_turns(queue):
    for number in range(200):
        make_job(queue.folder / f"job{number}", "done", created=number)
    queue.scan(queue.folder)
    turns = 0
    while queue.busy:
        queue.pump(0.001)
        turns += 1
    assert len(queue.jobs) == 200
    assert turns > 5
    assert [job.record.created for job in queue.jobs] == sorted(range(200), reverse=True)
