"""Job folders as the trainer leaves them."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # for Blender's Python

from core.config import EPOCH, preset, to_json


def make_job(
    folder, state, *, prompt="a mug", seed=4, checkpoint=True, mesh=False, created=1000.0, request=None, **times
):
    """A folder that ended in `state`; `times` are further ones of job.json, in seconds after `created`."""
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
    (folder / "job.json").write_text(json.dumps(record))
    if checkpoint:
        (folder / "checkpoints" / "00000100.json").write_text("{}")
    if mesh:
        (folder / "mesh" / "mesh.npz").touch()
    if request:
        (folder / "request.json").write_text(json.dumps(request))
    return folder
