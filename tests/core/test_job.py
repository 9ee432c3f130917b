import errno
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest

from core import files, replaced
from core.config import Config, override
from core.errors import DreamFusionError, InputError
from core.files import write_atomic
from core.job import Job

BURGER = Config("a hamburger")


def test_a_job_can_be_opened_as_it_was_made(tmp_path):
    config = override(BURGER, seed=3, training={"epochs": 2}, camera={"radius": (2.0, 2.5)})
    made = Job.create(tmp_path / "deep" / "job", config)
    made.set_state("running")
    made.set_progress("training", 5, 100, 0.05)
    opened = Job.open(tmp_path / "deep" / "job")
    assert opened.config == config
    assert opened.state == "running"
    assert opened.record["seed"] == 3
    assert opened.record["progress"] == {"stage": "training", "step": 5, "steps": 100, "fraction": 0.05}
    assert opened.record["versions"]["python"].count(".") == 2
    assert opened.record["times"]["queued"] <= opened.record["times"]["running"] <= opened.record["times"]["updated"]
    for folder in (opened.validation, opened.checkpoints, opened.mesh, opened.results):
        assert folder.is_dir()


def test_a_failed_job_keeps_its_reason(tmp_path):
    Job.create(tmp_path, BURGER).set_state("failed", "The disk burned.")
    assert Job.open(tmp_path).record["error"] == "The disk burned."
    Job.open(tmp_path).set_state("running")
    assert Job.open(tmp_path).record["error"] == ""


def test_a_done_job_keeps_how_long_it_took(tmp_path):
    Job.create(tmp_path, BURGER).set_done(12.5)
    opened = Job.open(tmp_path)
    assert (opened.state, opened.record["seconds"]) == ("done", 12.5)


def test_an_unknown_state_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="unknown job state"):
        Job.create(tmp_path, BURGER).set_state("sleeping")


@pytest.mark.parametrize(
    ("state", "config", "words"),
    [
        ("running", Config("a mug"), "another prompt .'a hamburger'.*--overwrite"),
        ("running", override(BURGER, seed=1), "other settings.*--overwrite"),
        ("cancelled", BURGER, "unfinished.*resume"),
        ("done", BURGER, "done.*--overwrite"),
    ],
)
def test_a_taken_folder_is_refused_and_left_alone(tmp_path, state, config, words):
    Job.create(tmp_path, BURGER).set_state(state)
    (tmp_path / "checkpoints" / "1.json").write_text("{}")
    before = (tmp_path / "job.json").read_bytes()
    with pytest.raises(InputError, match=words):
        Job.create(tmp_path, config)
    assert (tmp_path / "job.json").read_bytes() == before
    assert (tmp_path / "checkpoints" / "1.json").exists()


def test_overwrite_deletes_the_old_job_and_nothing_else(tmp_path):
    old = Job.create(tmp_path, BURGER)
    (old.checkpoints / "1.json").write_text("{}")
    (tmp_path / "mine.txt").write_text("precious")
    new = Job.create(tmp_path, Config("a mug"), overwrite=True)
    assert Job.open(tmp_path).config.prompt == "a mug"
    assert not new.resumable
    new.start()
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert not [path for path in tmp_path.rglob("*") if path.name in ("1.json", ".replaced")]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_job_that_never_started_gives_its_place_back(tmp_path):
    old = Job.create(tmp_path, BURGER)
    (old.checkpoints / "1.json").write_text("{}")
    before = contents(tmp_path)
    new = Job.create(tmp_path, Config("a mug"), overwrite=True)
    new.preview.write_bytes(b"new")
    replaced.put_back(tmp_path)
    new.preview.unlink()
    assert contents(tmp_path) == before
    replaced.put_back(tmp_path)
    assert contents(tmp_path) == before


def test_a_job_that_cannot_be_set_aside_stays_whole(tmp_path, monkeypatch):
    old = Job.create(tmp_path, BURGER)
    (old.checkpoints / "1.json").write_text("{}")
    before, real = contents(tmp_path), os.replace

    def in_use(source, target):
        if source == tmp_path / "results":
            raise PermissionError(errno.EACCES, "in use")
        real(source, target)

    monkeypatch.setattr(os, "replace", in_use)
    with pytest.raises(InputError, match=r"Cannot delete the old job .*in use"):
        Job.create(tmp_path, Config("a mug"), overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("state", ["queued", "failed", "running"])
def test_a_job_that_came_to_nothing_is_replaced(tmp_path, state):
    Job.create(tmp_path, BURGER).set_state(state)
    assert Job.create(tmp_path, Config("a mug")).config.prompt == "a mug"


def test_a_file_system_that_cannot_flush_a_folder_will_do(tmp_path, monkeypatch):
    real = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_somebody_else_are_never_touched(tmp_path, overwrite):
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "mine.obj").write_text("precious")
    with pytest.raises(InputError, match="holds mesh but no job"):
        Job.create(tmp_path, BURGER, overwrite)
    assert (tmp_path / "mesh" / "mine.obj").read_text() == "precious"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff", b'{"config": {}, "state": "done"}'])
def test_a_damaged_job_is_named_and_can_be_overwritten(tmp_path, data):
    Job.create(tmp_path, BURGER)
    (tmp_path / "job.json").write_bytes(data)
    with pytest.raises(InputError):
        Job.open(tmp_path)
    with pytest.raises(InputError):
        Job.create(tmp_path, BURGER)
    assert Job.create(tmp_path, BURGER, overwrite=True).state == "queued"


def test_no_job_is_a_clear_error(tmp_path):
    with pytest.raises(InputError, match="There is no job"):
        Job.open(tmp_path)
    with pytest.raises(InputError, match="There is no job"):
        Job.open(tmp_path / "nowhere")


def test_a_file_in_the_way_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="Cannot make the folder"):
        Job.create(tmp_path / "file", BURGER)
    with pytest.raises(InputError, match="There is no job"):
        Job.open(tmp_path / "file")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere, so the answer is staged
    with pytest.raises(InputError, match="Cannot write to"):
        Job.create(tmp_path / "job", BURGER)


def test_resumable_needs_a_checkpoint_and_an_unfinished_job(tmp_path):
    job = Job.create(tmp_path, BURGER)
    assert not job.resumable
    (job.checkpoints / "00000100.json").write_text("{}")
    assert job.resumable
    job.set_state("done")
    assert not job.resumable


def test_a_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"long old content")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, call, full)
    with pytest.raises(DreamFusionError, match=r"No space left on the disk.*resume") as caught:
        write_atomic(path, b"new")
    assert not isinstance(caught.value, InputError)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_write_that_the_system_cuts_short_leaves_the_old_file(tmp_path):
    code = (
        "import pathlib, resource, sys\n"
        "from core.errors import DreamFusionError\n"
        "from core.files import write_atomic\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_atomic(path, b'old')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    write_atomic(path, bytes(1_000_000))\n"
        "except DreamFusionError as error:\n    print(error)\n"
    )
    path = tmp_path / "file"
    result = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("No space left")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_gone_is_named(tmp_path):
    job = Job.create(tmp_path / "job", BURGER)
    shutil.rmtree(job.folder)
    with pytest.raises(DreamFusionError, match=r"The folder .*job is gone: put it back"):
        job.set_progress("training", 1, 2, 0.5)
    assert not job.folder.exists()


def test_windows_waits_for_a_reader(tmp_path, monkeypatch):
    real, calls = os.replace, []

    def busy_twice(source, target):
        calls.append(source)
        if len(calls) < 3:
            raise PermissionError(errno.EACCES, "in use")
        real(source, target)

    monkeypatch.setattr(files.sys, "platform", "win32")
    monkeypatch.setattr(files.os, "replace", busy_twice)
    write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert len(calls) == 3


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    job = Job.create(tmp_path, BURGER)
    job.append_log("one")
    job.append_log("two\n")
    assert job.log.read_text() == "one\ntwo\n"
    job.log.unlink()
    job.log.mkdir()
    job.append_log("three")


def test_the_record_is_plain_json(tmp_path):
    Job.create(tmp_path, BURGER)
    record = json.loads((tmp_path / "job.json").read_text())
    assert set(record) == {"config", "versions", "seed", "state", "error", "times", "progress"}
