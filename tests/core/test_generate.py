"""The real thing: the starter model, the command line, files on disk, SIGKILL. Minutes on two cores."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch
import trimesh

from core import config as settings
from core.checkpoint import load_newest
from core.export import load_npz
from core.guidance.text_guidance import TextGuidance
from core.job import Job
from core.pictures import evaluation_views
from core.render import render
from core.train import Trainer, trained_field
from tests.core.claims import claims
from tests.raster import psnr, rasterise

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


def core_command(*arguments):
    return [sys.executable, "-m", "core", *map(str, arguments)]


@pytest.fixture(scope="module")
def burger(tmp_path_factory):
    """A finished draft of a hamburger."""
    folder = tmp_path_factory.mktemp("jobs") / "burger"
    command = core_command("generate", "a hamburger", "--preset", "draft", "--workspace", folder)
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    return Job.open(folder)


@pytest.fixture(scope="module")
def mesh(burger):
    return load_npz(burger.mesh / "mesh.npz")


def test_the_job_is_done_and_its_files_are_there(burger):
    assert burger.state == "done"
    files = ["mesh/mesh.npz", "mesh/mesh.glb", "mesh/mesh.obj", "mesh/mesh.mtl", "mesh/albedo.png", "preview.png"]
    files += ["validation/df_ep0001_0001_rgb.png", "validation/df_ep0002_0008_depth.png", "validation/sheet_rgb.png"]
    for name in files:
        assert (burger.folder / name).stat().st_size > 50, name
    frames, _ = imageio_ffmpeg.count_frames_and_secs(burger.results / "df_ep0002_rgb.mp4")
    assert frames == burger.config.training.turntable_frames


def test_the_mesh_is_sound(mesh):
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0
    assert 2_000 <= len(mesh.faces) <= 50_000
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    assert (claims(mesh.uv, 1024) > 1).sum() == 0


def test_the_textured_mesh_looks_like_the_field(burger, mesh):
    field, occupancy = trained_field(burger.config, load_newest(burger.checkpoints))
    views = evaluation_views(burger.config, 8)
    with torch.no_grad():
        rendering = render(field, occupancy, views.cameras(128, 128), samples=192, background=torch.ones(3))
    truth = torch.nn.functional.avg_pool2d(rendering.image(), 2)
    score = psnr(rasterise(mesh, views.cameras(64, 64)), truth)
    print(f"mesh against field: {score:.1f} dB")
    assert score >= 25


def test_a_hamburger_has_a_bun_above_lettuce_and_meat(mesh):
    """Colours by height, in the middle of the side: the order of a hamburger, told without any network."""
    low, high = mesh.vertices[:, 2].min(), mesh.vertices[:, 2].max()
    height = (mesh.vertices[:, 2] - low) / (high - low)
    wide = np.linalg.norm(mesh.vertices[:, :2], axis=1) > 0.35
    red, green, blue = mesh.colors.T
    lettuce, meat, bun = (green > 1.1 * red) & wide, (mesh.colors.max(axis=1) < 0.5) & wide, red > 1.6 * blue
    assert lettuce.sum() > 20
    assert meat.sum() > 20
    assert height[lettuce].mean() > height[meat].mean() + 0.03
    assert bun[height > 0.8].mean() > 0.8


def test_killed_twenty_times_the_job_resumes_from_a_whole_checkpoint(tmp_path):
    """SIGKILL at random moments; at most one checkpoint interval is lost, and in the end the job is done."""
    folder, rng = tmp_path / "job", random.Random(0)
    config = settings.override(
        settings.preset("draft", "a red mug"),
        field={"levels": 6},
        render={"resolution": 16, "samples": 24, "occupancy_resolution": 24},
        training={"epochs": 12, "checkpoint_every": 10, "turntable_frames": 4, "validation_resolution": 16},
        mesh={"resolution": 48, "faces": 4_000, "texture_size": 256},
    )
    job, reached = Job.create(folder, config), 0
    for _ in range(20):
        kill_while_training(folder, job, reached, rng.uniform(0.0, 0.7))
        newest = load_newest(job.checkpoints)
        assert newest is not None
        assert newest.step >= reached, "a checkpoint was lost"
        assert last_step(job) - newest.step <= config.training.checkpoint_every, "more than one interval was lost"
        reached = newest.step
    subprocess.run(core_command("resume", folder), cwd=ROOT, timeout=600, check=True)
    assert Job.open(folder).state == "done"


def kill_while_training(folder, job, reached, seconds):
    """Resume the job, wait for its next checkpoint, then a while more, then SIGKILL."""
    trainer = subprocess.Popen(core_command("resume", folder), cwd=ROOT, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end and newest_step(job) <= reached:
        time.sleep(0.02)
    time.sleep(seconds)
    trainer.send_signal(signal.SIGKILL)
    assert trainer.wait() == -signal.SIGKILL, "the job was done too early to be killed"


def newest_step(job):
    return max((int(file.stem) for file in job.checkpoints.glob("*.json")), default=0)


def last_step(job):
    """The training step that job.json last told of; it may lag by two seconds."""
    progress = json.loads(job.state_file.read_bytes()).get("progress") or {}
    return progress.get("step", 0) if progress.get("stage") == "training" else 0


def test_the_starter_model_resumes_bit_for_bit():
    config = settings.override(settings.preset("draft", "a blue chair"), render={"resolution": 16})
    guidance = TextGuidance.from_config(config, CPU, print)
    whole, first, second = (Trainer(config, guidance, CPU) for _ in range(3))
    for _ in range(24):
        whole.iterate()
    for _ in range(13):
        first.iterate()
    second.restore(first.checkpoint())
    for _ in range(11):
        second.iterate()
    for (name, one), other in zip(
        whole.checkpoint().tensors.items(), second.checkpoint().tensors.values(), strict=True
    ):
        assert torch.equal(one, other), name
