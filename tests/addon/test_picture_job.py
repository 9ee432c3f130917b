"""Flat pictures of a prompt."""

import sys
import time

import numpy as np
import pytest

from blender_dreamfusion.picture_job import COUNT, PictureJob
from blender_dreamfusion.trainer_process import StartError
from tests.addon.doubles import script

OPTIONS = {"preset": "high", "seed": 5, "model": "starter", "negative": "--blue", "epochs": 3, "fp16": False}


@pytest.fixture
def start(tmp_path):
    jobs = []

    def begin(python, prompt="a mug", options=OPTIONS):
        jobs.append(PictureJob(python, prompt, options, tmp_path / "pictures", {"COLOR": "blue"}))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.close()


def pump_until_done(job, seconds=30.0):
    end = time.monotonic() + seconds
    while not job.done:
        assert time.monotonic() < end
        job.pump()
        time.sleep(0.02)


def test_pictures_are_seen_one_after_the_other(start, tmp_path):
    log = 'echo "The starter model does not know it."; echo "picture 1/3, 33%, 0:02 left"; echo /tmp/1.png'
    log += '; echo "Downloaded 0.30 of 4.27 GB, 12.0 MB/s, 5:00 left."'
    body = f'{log}; echo "$@" > {tmp_path}/argv; cd {tmp_path}/pictures; touch 1.png; sleep 1; touch 1_2.png 1_3.png'
    job = start(script(tmp_path / "bin", body))
    end = time.monotonic() + 10
    while not job.pump():
        assert time.monotonic() < end
    assert [path.name for path in job.pictures] == ["1.png"]
    assert job.remarks == ["The starter model does not know it."]
    pump_until_done(job)
    assert (len(job.pictures), job.error) == (COUNT, "")
    assert (tmp_path / "argv").read_text() == (
        f"-m core image --out={tmp_path}/pictures/1.png --count=3 --steps=20"
        " --negative=--blue --seed=5 --model=starter -- a mug\n"
    )


def test_the_trainers_own_words_tell_what_is_wrong(start):
    job = start(sys.executable, prompt=" ")
    pump_until_done(job)
    assert job.error.startswith("The prompt is empty: describe one object")
    assert not job.blames_setup
    assert job.pictures == []


def test_a_program_that_says_nothing(start):
    job = start("/bin/false")
    pump_until_done(job)
    assert "exit code 1" in job.error
    assert job.blames_setup


def test_without_a_python_it_does_not_start(start):
    with pytest.raises(StartError, match="Press Set Up Trainer"):
        start("")


def test_a_folder_that_cannot_be_written(start, tmp_path):
    (tmp_path / "pictures").touch()
    with pytest.raises(StartError, match="Cannot write"):
        start("/bin/true")


def test_close_ends_it(start, tmp_path):
    job = start(script(tmp_path / "bin", "exec sleep 60"))
    job.close()
    assert job._process.exit_code() is not None


@pytest.mark.slow
def test_the_starter_model_draws_what_is_asked_for(start):
    import imageio.v3

    job = start(sys.executable, "a red ball", {"seed": 5, "model": "starter", "preset": "draft"})
    pump_until_done(job, 200)
    assert (len(job.pictures), job.error) == (COUNT, "")
    pictures = [imageio.v3.imread(path).astype(int) for path in job.pictures]
    for picture in pictures:
        middle = picture[len(picture) // 2, len(picture) // 2]
        assert middle[0] > middle[1] + 40 < middle[2] + 80, "red in the middle"
    assert np.abs(pictures[0] - pictures[1]).max() > 10, "each of a seed of its own"
