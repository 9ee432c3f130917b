"""What a job's folder tells of it."""

import pytest

import core.lock
from blender_dreamfusion import job_record, workspaces
from blender_dreamfusion.job_record import State
from core.config import preset
from core.job import Job
from tests.addon.job_folders import make_job


@pytest.mark.parametrize(
    ("state", "listed"),
    [
        ("queued", State.INTERRUPTED),
        ("running", State.INTERRUPTED),
        ("paused", State.INTERRUPTED),
        ("cancelled", State.CANCELLED),
        ("failed", State.FAILED),
        ("done", State.DONE),
    ],
)
def test_the_state_that_a_dead_trainer_left(tmp_path, state, listed):
    folder = make_job(tmp_path / "job", state)
    record = job_record.read(folder)
    assert record.state is listed
    assert (record.prompt, record.seed, record.epochs, record.fraction) == ("a mug", 4, 2, 0.5)
    assert record.error == ("It went wrong." if state == "failed" else "")
    assert record.has_checkpoint
    assert not record.has_mesh
    assert workspaces.is_interrupted(folder) == (state != "done")


def test_the_trainers_own_job_is_read(tmp_path):
    job = Job.create(tmp_path, preset("high", "a red mug"))
    job.set_progress("training", 300, 1500, 0.2)
    record = job_record.read(tmp_path)
    assert (record.prompt, record.epochs, record.fraction) == ("a red mug", 15, 0.2)
    assert (record.state, record.started, record.has_checkpoint) == (State.INTERRUPTED, True, False)
    assert record.created == pytest.approx(job.record["times"]["queued"])


def test_a_job_that_a_trainer_is_at_work_on(tmp_path):
    folder = make_job(tmp_path / "job", "running")
    with core.lock.exclusive(folder):
        assert job_record.read(folder).state is State.ELSEWHERE
        assert not workspaces.is_interrupted(folder)
    assert job_record.read(folder).state is State.INTERRUPTED


def test_a_job_that_never_came_to_its_turn(tmp_path):
    options = {"seed": 7, "preset": "draft", "negative": "café"}
    job_record.write_request(tmp_path / "job", "a mug", options)
    record = job_record.read(tmp_path / "job")
    assert (record.prompt, record.seed, record.state, record.started) == ("a mug", 7, State.INTERRUPTED, False)
    assert record.request == {"prompt": "a mug", **options}
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["request.json"]


@pytest.mark.parametrize("name", ["job.json", "request.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"prompt": 3, "seed": "x"}', '{"config": ', "\xff"])
def test_a_folder_without_a_readable_job(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    assert job_record.read(tmp_path) is None


def test_a_damaged_job_whose_request_is_left_can_be_asked_for_again(tmp_path):
    folder = make_job(tmp_path / "job", "running", request={"prompt": "a mug", "seed": 2})
    (folder / "job.json").write_text('{"config": ')
    record = job_record.read(folder)
    assert (record.seed, record.started) == (2, False)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ({"running": 5, "done": 95, "updated": 95}, 90),
        ({"running": 5, "done": -9000, "updated": -9000}, 90),  # the clock was set meanwhile
        ({"running": 5, "paused": 9, "done": 95, "updated": 95}, 0),
        ({"running": 50, "cancelled": 20, "done": 95, "updated": 95}, 0),
        ({"running": 5, "updated": 95}, 0),
    ],
)
def test_how_long_a_job_took_is_known_of_those_made_in_one_go(tmp_path, times, seconds):
    assert job_record.read(make_job(tmp_path / "job", "done", **times)).seconds == seconds
