"""Deleting a job's folder."""

import core.lock
from blender_dreamfusion.deletion import delete_job
from core.config import preset
from core.job import Job
from tests.addon.job_folders import make_job


def test_a_job_goes_with_its_folder(tmp_path):
    Job.create(tmp_path / "job", preset("draft", "a mug")).append_log("a line")
    for name in ("preview.png", "preview_depth.png", "preview_normal.png", "sketch.npz", "trainer.log", "request.json"):
        (tmp_path / "job" / name).touch()
    assert delete_job(tmp_path / "job")
    assert not (tmp_path / "job").exists()
    assert delete_job(tmp_path / "job"), "gone already"


def test_what_is_not_the_jobs_own_stays(tmp_path):
    folder = make_job(tmp_path / "job", "done", mesh=True)
    (folder / "my_scene.blend").write_text("mine")
    assert delete_job(folder)
    assert [path.name for path in folder.iterdir()] == ["my_scene.blend"]


def test_a_linked_folder_loses_the_link_alone(tmp_path):
    folder = make_job(tmp_path / "job", "done")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "video.mp4").touch()
    (folder / "results").symlink_to(tmp_path / "elsewhere")
    assert delete_job(folder)
    assert (tmp_path / "elsewhere" / "video.mp4").exists()


def test_a_job_at_work_is_never_deleted(tmp_path):
    folder = make_job(tmp_path / "job", "running")
    before = sorted(folder.rglob("*"))
    with core.lock.exclusive(folder):
        assert not delete_job(folder)
        assert sorted(path for path in folder.rglob("*") if path.name != "job.lock") == before
    assert delete_job(folder)
