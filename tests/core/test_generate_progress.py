"""What a front end hears while a job runs, without the training."""

import pytest

from core import config as settings
from core import generate
from core.control import Control
from core.job import Job
from core.protocol import Progress


def test_the_time_left_of_training_includes_what_comes_after():
    heard = []
    emit = generate._in_training(heard.append)
    for step in (100, 250, 499, 500):
        emit(Progress("training", step, 500, step / 500, 0.2 * (500 - step)))
    per_share = 0.2 * 500 / (0.88 - 0.03)  # seconds that the whole bar takes
    for message in heard[:-1]:
        assert message.seconds_left == pytest.approx(per_share * (1 - message.fraction))
    assert heard[-1].fraction == pytest.approx(0.88)
    assert heard[-1].seconds_left < 0, "unknown, not nothing"


def test_the_bar_ends_full(tmp_path, monkeypatch):
    config = settings.override(settings.Config("a ball"), training={"turntable_frames": 3})
    heard, written = [], []
    monkeypatch.setattr(generate, "_frame", lambda _trainer, _config, view: float(view.azimuth_deg))
    monkeypatch.setattr(generate.pictures, "write_turntable", lambda _job, frames: written.extend(frames))
    generate._film(Job.create(tmp_path / "job", config), None, heard.append, Control())
    assert written == [0, 120, 240]
    assert heard[-1] == Progress("turntable", 3, 3, 1.0, 0.0)
    assert [message.fraction for message in heard] == sorted(message.fraction for message in heard)
