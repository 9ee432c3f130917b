"""Job folders as the trainer leaves them."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # for Blender's Python

from core.config import EPOCH, preset, to_json
from tests.addon.double_trainer import write_mesh, write_png


def make_job(
    folder, state, *, prompt="a mug", seed=4, checkpoint=True, mesh=False, created=1000.0, request=None, **times
):
    """A folder that ended in `state`; `times` are further ones of job.json, in seconds after `created`.

    One that is done took 90 seconds.
    """
    for name in ("checkpoints", "mesh"):
        (folder / name).mkdir(parents=True)
    record = {
        "config": {**to_json(preset("draft", prompt)), "seed": seed},
        "versions": {"dreamfusion": "0.9"},
        "state": state,
        "error": "It went wrong." if state == "failed" else "",
        "times": {"queued": created, **{name: created + seconds for name, seconds in times.items()}},
        "progress": {"stage": "training", "step": EPOCH, "steps": 2 * EPOCH, "fraction": 0.5},
    }
    if state == "done":
        record["seconds"] = 90.0
    (folder / "job.json").write_text(json.dumps(record))
    if checkpoint:
        (folder / "checkpoints" / "00000100.json").write_text("{}")
    if mesh:
        (folder / "mesh" / "mesh.npz").touch()
    if request:
        (folder / "request.json").write_text(json.dumps(request))
    return folder


def finished_job(folder):
    """The folder of a job that brought a red cube with a flat normal map."""
    make_job(folder, "done", prompt="a red cube", seed=5)
    write_mesh(folder / "mesh")
    write_png(folder / "mesh" / "normal.png", np.full((8, 8, 3), (128, 128, 255), np.uint8))
    return folder
