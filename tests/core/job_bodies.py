"""Small bodies of a job, in place of core.generate.generate. ``python job_bodies.py worker|cli BODY [ARGUMENTS]``."""

import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import worker
from core.__main__ import main
from core.errors import Cancelled, DreamFusionError, InputError, OutOfMemory
from core.protocol import ENV_PORT, ENV_TOKEN, Done, Log, Preview, Progress, Sketch


def done(job):
    return Done(str(job.folder), str(job.mesh / "mesh.npz"), str(job.mesh / "albedo.png"), 1.5)


def write_mesh(job):
    """A tetrahedron."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    uv = np.zeros((4, 3, 2), np.float32)
    np.savez(job.mesh / "mesh.npz", vertices=corners, faces=faces, uv=uv, colors=np.ones((4, 3), np.float32))


def quick(job, emit, _control):
    emit(Log("hello from the job"))
    write_mesh(job)
    emit(Progress("training", 1, 2, 0.5, 1.0))
    emit(Preview(str(job.preview)))
    emit(Progress("training", 2, 2, 1.0, 0.0))
    return done(job)


def train_for_ever(job, emit, control):
    """Counts steps from the newest checkpoint on; keeps one when it is cancelled."""
    newest = job.checkpoints / "newest.json"
    step = int(newest.read_text()) if newest.exists() else 0
    (job.folder / "began_at").write_text(str(step))
    while True:
        try:
            control.check()
        except Cancelled:
            newest.write_text(str(step))
            raise
        step += 1
        emit(Progress("training", step, 1_000_000, 0.5, 60.0))
        time.sleep(0.01)


def until_resumed(job, emit, control):
    """Ends in the step after a pause."""
    paused = []
    announce, control.on_pause = control.on_pause, lambda on: (announce(on), paused.append(on))
    step = 0
    while paused != [True, False]:
        control.check()
        step += 1
        emit(Progress("training", step, 1_000_000, 0.5, 60.0))
        time.sleep(0.01)
    return done(job)


def growing(job, emit, control):
    """Ends once somebody wants a sketch."""
    while not control.grow:
        control.check()
        time.sleep(0.01)
    emit(Sketch(str(job.sketch)))
    return done(job)


def deaf(_job, emit, _control):
    emit(Log("deaf"))
    time.sleep(60)


def fills_the_connection(job, emit, _control):
    """Says more than any system keeps for a front end that does not read: 20 MB."""
    for _ in range(400):
        emit(Log("long" + "." * 50_000))
    return done(job)


def chatty(job, emit, _control):
    start = time.monotonic()
    for step in range(1, 1001):
        emit(Progress("training", step, 1000, step / 1000, 1.0))
        time.sleep(0.001)
    emit(Log(f"{time.monotonic() - start}"))
    return done(job)


def printing(job, _emit, _control):
    print("a stray print")
    print("a stray complaint", file=sys.stderr)
    os.write(1, b"a stray write\n")
    os.system("echo a stray child")
    return done(job)


def token(job, emit, _control):
    emit(Log(" ".join({ENV_PORT, ENV_TOKEN} & set(os.environ))))
    return done(job)


def unexpected(_job, _emit, _control):
    raise RuntimeError("the sky fell\nin two lines")


def failing(_job, _emit, _control):
    raise DreamFusionError("It went wrong: try again.")


def full(_job, _emit, _control):
    with open("/dev/full", "w") as file:
        file.write("x")


def fails_while_it_loads(job, _emit, _control):
    (job.mesh / "mesh.npz").write_text("not yet")
    raise InputError("There is no such model.")


def fails_in_training(job, _emit, control):
    control.check()
    (job.checkpoints / "00000001.json").write_text("{}")
    raise DreamFusionError("It went wrong: try again.")


def memory(_job, _emit, _control):
    raise OutOfMemory("Out of memory: take --preset draft.")


if __name__ == "__main__":
    kind, body, *arguments = sys.argv[1:]
    if kind == "cli":
        sys.exit(main(arguments, run=globals()[body]))
    worker.main(run=globals()[body])
