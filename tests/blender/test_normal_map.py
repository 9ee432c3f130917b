"""The normals that Blender shows of an imported object with a normal map, against those of the shape itself."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from window import isolated_environment

from core.config import CameraConfig, MeshConfig, preset, to_json
from core.export import save_mesh
from core.mesh import extract_mesh
from core.texture import paint
from tests.core.bumpy_ball import bumps, degrees, true_normals
from tests.core.fields import AnalyticField

pytestmark = pytest.mark.blender
SCENARIO = Path(__file__).with_name("scenarios") / "render_normals.py"


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A finished job: a bumpy ball in too few faces, with its normal map."""
    folder, field = tmp_path_factory.mktemp("job"), AnalyticField(bumps, width=0.01)
    config = MeshConfig(resolution=112, faces=800, texture_size=512, normal_map=True)
    save_mesh(paint(field, extract_mesh(field, config), 512, CameraConfig()), folder / "mesh")
    (folder / "job.json").write_text(json.dumps({"config": to_json(preset("draft", "a ball")), "state": "done"}))
    return folder


def test_cycles_shows_the_normals_of_the_bumps(blender, addon_zip, job, tmp_path):
    command = [blender, "-b", "--factory-startup", "--python-exit-code", "1", "--python", SCENARIO]
    env = isolated_environment(tmp_path / "home")
    arguments = [addon_zip, job, tmp_path / "out.npz"]
    done = subprocess.run([*command, "--", *arguments], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(tmp_path / "out.npz") as read:
        seen = read["seen"]
        truth = true_normals(read["place"][seen].astype(np.float64))
        plain, mapped = (degrees(read[name][seen], truth) for name in ("plain", "mapped"))
    assert seen.mean() > 0.4
    assert plain.mean() > 5
    assert mapped.mean() < 2.6
    assert np.quantile(mapped, 0.95) < 6
