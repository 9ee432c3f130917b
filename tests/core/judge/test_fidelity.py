import dataclasses
import math

import pytest
import torch

from core import config as settings
from core.control import Control
from core.job import Job
from core.judge.fidelity import psnr, texture_psnr
from core.mesh import extract_mesh
from core.texture import paint
from core.train import train
from tests.core.painters import BallPainter

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """A job whose field was drawn to a red ball, and the mesh made of it."""
    config = settings.override(
        settings.Config("a ball"),
        field={"levels": 4, "log2_entries": 10, "finest_resolution": 32, "hidden": 16},
        render={"resolution": 16, "samples": 32, "occupancy_resolution": 24},
        training={"epochs": 1, "validation_views": 2, "validation_resolution": 16, "opacity_weight": 1.0},
        mesh={"resolution": 48, "faces": 2000, "texture_size": 128},
    )
    job = Job.create(tmp_path_factory.mktemp("job") / "ball", config)
    trainer = train(config, BallPainter(), job, CPU, lambda _message: None, Control())
    mesh = extract_mesh(trainer.field, config.mesh, trainer.occupancy, lambda _text: None)
    return job, paint(trainer.field, mesh, config.mesh.texture_size, config.camera)


def test_a_mesh_shows_what_its_field_shows(painted):
    job, mesh = painted
    assert texture_psnr(job, mesh) > 20


def test_a_mesh_in_other_colours_does_not(painted):
    job, mesh = painted
    inverted = dataclasses.replace(mesh, texture=255 - mesh.texture)
    assert texture_psnr(job, inverted) < texture_psnr(job, mesh) - 6


def test_nothing_is_known_without_a_checkpoint(painted, tmp_path):
    job, mesh = painted
    assert texture_psnr(Job.create(tmp_path / "other", job.config), mesh) is None


def test_decibels():
    one = torch.full((1, 3, 4, 4), 0.5)
    assert psnr(one, one + 0.1) == pytest.approx(20, abs=1e-4)
    assert psnr(one, one) == pytest.approx(100, abs=1e-4)
    assert psnr(one, one - 0.05) == pytest.approx(-20 * math.log10(0.05), abs=1e-4)
