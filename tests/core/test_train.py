import itertools
import time

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from core import config as settings
from core import pictures
from core.checkpoint import load_newest
from core.control import Control
from core.errors import Cancelled, DreamFusionError
from core.job import Job
from core.occupancy import OccupancyGrid
from core.protocol import Log, Preview, Progress, Sketch
from core.train import MAX_SKIPPED, SHOW_SECONDS, SHOW_SHARE, draw_shading, train
from tests.core.fields import AnalyticField, ball
from tests.core.painters import BallPainter

CPU = torch.device("cpu")


def small_config(epochs=1, **training):
    return settings.override(
        settings.Config("a ball"),
        field={"levels": 4, "log2_entries": 10, "finest_resolution": 32, "hidden": 16},
        render={"resolution": 12, "samples": 24, "occupancy_resolution": 16},
        training={
            "epochs": epochs,
            "checkpoint_every": 20,
            "validation_views": 2,
            "validation_resolution": 16,
            "opacity_weight": 1.0,
            **training,
        },
    )


def run(job, guidance, control=None, heard=None):
    heard = [] if heard is None else heard
    return train(job.config, guidance, job, CPU, heard.append, control or Control())


def assert_equal_state(a, b):
    for (name, x), (_, y) in zip(a.checkpoint().tensors.items(), b.checkpoint().tensors.items(), strict=True):
        assert torch.equal(x, y), name


class CancelAt(Control):
    """Cancels itself at the n-th check."""

    def __init__(self, number):
        super().__init__()
        self.left = number

    def check(self):
        self.left -= 1
        if self.left == 0:
            self.cancel()
        super().check()


def test_training_finds_the_ball_that_the_guidance_wants(tmp_path):
    job = Job.create(tmp_path / "job", small_config())
    trainer = run(job, BallPainter())
    angle = torch.linspace(0, 6.28, 16)
    ring = torch.stack([angle.cos(), angle.sin(), torch.zeros(16)], dim=1)
    inside, albedo = trainer.field.query(0.45 * ring)
    outside = trainer.field.density(0.85 * ring)
    assert inside.min() > 3 * outside.max()
    assert (albedo.mean(0) - torch.tensor([0.9, 0.2, 0.1])).abs().max() < 0.15


def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path):
    whole = run(Job.create(tmp_path / "whole", small_config()), BallPainter())
    job = Job.create(tmp_path / "parts", small_config())
    for stop in (38, 30):  # after 37 and after 66 iterations, between two checkpoints
        with pytest.raises(Cancelled):
            run(job, BallPainter(), CancelAt(stop))
    assert load_newest(job.checkpoints).step == 37 + 29
    assert_equal_state(run(job, BallPainter()), whole)


def test_a_step_that_is_not_finite_is_skipped(tmp_path):
    job = Job.create(tmp_path / "job", small_config())
    heard = []
    trainer = run(job, BallPainter(fail_at=[3, 50, 51]), heard=heard)
    assert trainer.step == 100
    assert Log("3 of 100 steps gave no finite number and were skipped.") in heard
    assert all(torch.isfinite(p).all() for p in trainer.field.parameters())


def test_many_steps_in_a_row_that_are_not_finite_end_the_job(tmp_path):
    job = Job.create(tmp_path / "job", small_config())
    with pytest.raises(DreamFusionError, match="no finite number"):
        run(job, BallPainter(fail_at=range(1000)))
    assert load_newest(job.checkpoints).step == MAX_SKIPPED
    resumed = run(job, BallPainter(fail_at=range(1, MAX_SKIPPED)))
    assert resumed.step == 100


def test_an_interrupt_within_a_step_leaves_no_half_done_checkpoint(tmp_path):
    whole = run(Job.create(tmp_path / "whole", small_config()), BallPainter())
    job = Job.create(tmp_path / "parts", small_config())
    with pytest.raises(KeyboardInterrupt):
        run(job, BallPainter(interrupt_at=28))
    assert load_newest(job.checkpoints).step == 20
    assert_equal_state(run(job, BallPainter()), whole)


def test_a_pause_does_not_count_in_the_time_left(tmp_path, monkeypatch):
    """On a clock that only pauses (1000 s) and guidance (2 s) move."""

    class Clock(Control, BallPainter):
        now = 0.0

        def __init__(self):
            Control.__init__(self)
            BallPainter.__init__(self)

        def check(self):
            self.now += 1000 if self.calls == 50 else 0

        def loss(self, *arguments):
            self.now += 2
            return super().loss(*arguments)

    clock, heard = Clock(), []
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    run(Job.create(tmp_path / "job", small_config(validation_resolution=4)), clock, clock, heard)
    left = [message.seconds_left for message in heard if isinstance(message, Progress)]
    assert left == [-1] * 4 + [2 * (100 - step) for step in range(5, 101)]


def test_a_sketch_is_made_only_where_somebody_wants_it_and_disturbs_nothing(tmp_path, monkeypatch):
    """On a clock of which every look takes an hour, so that what shows training is due every few steps."""
    monkeypatch.setattr(time, "monotonic", itertools.count(0, 3600).__next__)
    plain = Job.create(tmp_path / "plain", small_config())
    heard = []
    trainer = run(plain, BallPainter(), heard=heard)
    assert not plain.sketch.exists()
    assert not any(isinstance(message, Sketch) for message in heard)
    shown, control = Job.create(tmp_path / "shown", small_config()), Control()
    control.grow = True
    heard.clear()
    assert_equal_state(run(shown, BallPainter(), control, heard), trainer)
    assert heard.count(Sketch(str(shown.sketch))) > 10
    vertices = np.load(shown.sketch)["vertices"]
    assert 0.4 < np.linalg.norm(vertices, axis=1).mean() < 0.8, "of the ball that the guidance wants"


@pytest.mark.parametrize(("cost", "pause"), [(0.01, SHOW_SECONDS), (1.0, 1.0 / SHOW_SHARE - 1.0)])
def test_showing_takes_its_share_of_the_time_at_most(tmp_path, monkeypatch, cost, pause):
    """On a clock that only previews (`cost`) and guidance (0.1 s) move."""
    now, shown, painter = [0.0], [], BallPainter()
    wish = painter.loss

    def loss(*arguments):
        now[0] += 0.1
        return wish(*arguments)

    def preview(*_):
        shown.append(now[0])
        now[0] += cost

    painter.loss = loss
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pictures, "write_preview", preview)
    run(Job.create(tmp_path / "job", small_config(epochs=5, validation_resolution=4)), painter)
    *regular, _last = np.diff(shown)
    assert regular
    assert all(abs(gap - cost - pause) < 0.11 for gap in regular)


def test_the_preview_shows_colour_depth_and_normals_of_one_view(tmp_path):
    job = Job.create(tmp_path / "job", small_config(validation_resolution=33))
    field = AnalyticField(ball(0.6), color=lambda x: torch.tensor([0.9, 0.2, 0.1]).expand(len(x), 3))
    pictures.write_preview(job, field, OccupancyGrid(8))
    names = ("preview.png", "preview_depth.png", "preview_normal.png")
    color, depth, normal = (iio.imread(job.folder / name).astype(int) for name in names)
    assert color[16, 16, 0] > 3 * color[16, 16, 1]
    assert depth[16, 16] > depth[16, 8] > depth[0, 0] == 0
    expected = {
        (16, 16): (128, 128, 255),
        (16, 22): (220, 128, 220),
        (10, 16): (128, 220, 220),
        (0, 0): (255, 255, 255),
    }
    for place, value in expected.items():
        assert np.abs(normal[place] - value).max() < 30, (place, normal[place])


def test_an_epoch_leaves_the_pictures_that_the_seed_names(tmp_path):
    heard = []
    job = Job.create(tmp_path / "job", small_config())
    run(job, BallPainter(), heard=heard)
    names = {path.name for path in job.validation.iterdir()}
    pictures = {f"df_ep0001_000{view}_{kind}.png" for view in (1, 2) for kind in ("rgb", "depth")}
    assert names == pictures | {"sheet_rgb.png", "sheet_depth.png"}
    rgb, depth = (iio.imread(job.validation / f"df_ep0001_0001_{kind}.png") for kind in ("rgb", "depth"))
    assert rgb.shape == (16, 16, 3)
    assert depth.shape == (16, 16)
    red, green, _ = rgb[8, 8].tolist()
    assert red > 2 * green, "the ball's middle is red"
    assert depth[8, 8] > depth[0, 0], "the ball is nearer than the background"
    steps = [message.step for message in heard if isinstance(message, Progress)]
    assert steps == list(range(1, 101))
    assert any(isinstance(message, Preview) for message in heard)


def test_a_contact_sheet_shows_every_other_view_of_the_first_middle_and_last_whole_epoch(tmp_path):
    """Epoch 2 of 5 was interrupted: some of its pictures are missing."""
    job = Job.create(tmp_path / "job", small_config(epochs=5, validation_views=4))
    for epoch in (1, 2, 3, 4, 5):
        for view in (1, 2, 3, 4) if epoch != 2 else (1, 2):
            pictures.write_png(
                job.validation / f"df_ep{epoch:04d}_{view:04d}_rgb.png", np.full((2, 2, 3), 10 * epoch + view, np.uint8)
            )
    sheet = pictures.contact_sheet(job, "rgb")
    assert sheet[::2, ::2, 0].tolist() == [[11, 13], [41, 43], [51, 53]]


def test_a_resumed_job_says_where_it_goes_on(tmp_path):
    job = Job.create(tmp_path / "job", small_config())
    with pytest.raises(Cancelled):
        run(job, BallPainter(), CancelAt(31))
    heard = []
    run(job, BallPainter(), heard=heard)
    assert Log("Resuming at iteration 30.") in heard


def test_a_job_that_is_done_goes_on_for_longer(tmp_path):
    job = Job.create(tmp_path / "job", small_config(epochs=1))
    run(job, BallPainter())
    job.set_epochs(2)
    heard = []
    assert run(Job.open(job.folder), BallPainter(), heard=heard).step == 200
    assert Log("Resuming at iteration 100.") in heard


def test_shading_is_albedo_at_first_and_then_drawn_as_configured():
    config = settings.RenderConfig(albedo_until=0.2, lambertian_probability=0.5, textureless_probability=0.25)
    generator = torch.Generator().manual_seed(0)
    assert {draw_shading(config, 0.1, generator)[0] for _ in range(50)} == {"albedo"}
    drawn = [draw_shading(config, 0.5, generator)[0] for _ in range(2000)]
    for shading, share in (("lambertian", 0.5), ("textureless", 0.25), ("albedo", 0.25)):
        assert abs(drawn.count(shading) / 2000 - share) < 0.05
