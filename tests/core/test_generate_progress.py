"""What a front end hears while a job runs, without the training."""

import pytest

from core import config as settings
from core import generate
from core.control import Control
from core.errors import Cancelled
from core.job import Job
from core.protocol import Log, Progress


def test_the_time_left_is_that_of_the_whole_job():
    heard = []
    bar = generate._Bar(heard.append)
    bar.enter("loading")
    bar.training(Progress("training", 1, 500, 1 / 500, -1.0))
    assert [message.seconds_left for message in heard] == [-1.0, -1.0], "unknown"
    heard.clear()
    for step in (100, 250, 499, 500):
        bar.training(Progress("training", step, 500, step / 500, 0.2 * (500 - step)))
    bar.enter("texture")
    assert heard[3].fraction == pytest.approx(0.88)
    whole = 0.2 * 500 / (0.88 - 0.03)  # seconds that the whole bar takes
    for message in heard:
        assert message.seconds_left == pytest.approx(whole * (1 - message.fraction))


def test_the_bar_ends_full(tmp_path, monkeypatch):
    config = settings.override(settings.Config("a ball"), training={"turntable_frames": 3})
    heard, written = [], []
    monkeypatch.setattr(generate, "_frame", lambda _trainer, _config, view: float(view.azimuth_deg))
    monkeypatch.setattr(generate.pictures, "write_turntable", lambda _job, frames: written.extend(frames))
    generate._film(Job.create(tmp_path / "job", config), None, generate._Bar(heard.append), Control())
    assert written == [0, 120, 240]
    assert heard[-1] == Progress("turntable", 3, 3, 1.0, 0.0)
    assert [message.fraction for message in heard] == sorted(message.fraction for message in heard)


def test_a_cancel_is_heard_while_a_model_is_downloaded(tmp_path, monkeypatch):
    control, heard = Control(), []

    def download(_config, _device, say):
        say("Downloaded 1.00 of 4.00 GB.")
        control.cancel("Enough.")
        say("Downloaded 2.00 of 4.00 GB.")
        raise AssertionError("goes on")

    monkeypatch.setattr(generate, "make_guidance", download)
    with pytest.raises(Cancelled, match="Enough"):
        generate.generate(Job.create(tmp_path / "job", settings.Config("a ball")), heard.append, control)
    assert heard[-1] == Log("Downloaded 2.00 of 4.00 GB.")
