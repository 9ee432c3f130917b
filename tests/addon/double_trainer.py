"""A trainer whose work is fake and quick, behind the real core.worker: a red cube in a few steps.

Run in place of ``python -m core.worker``, with --steps 10 --pause 0.05 [--until FILE] [--fail TEXT] [--deaf]
[--set-clock SECONDS] [--size PIXELS] [--split TIMES].
"""

import argparse
import os
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import worker
from core.protocol import Done, Log, Preview, Progress, Sketch

CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.25, 0.75)], np.float32)
FACES = np.array(
    [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3],
    np.int32,
).reshape(-1, 3)
COLOR = (0.8, 0.1, 0.05)  # sRGB


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 picture whole."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    part = path.with_suffix(".part")
    signature = b"\x89PNG\r\n\x1a\n"
    part.write_bytes(signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    os.replace(part, path)


def write_mesh(folder: Path) -> None:
    """The cube, as core.export would write it."""
    corner = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]], np.float32)
    uv = np.broadcast_to(corner, (len(FACES), 3, 2))
    np.savez(folder / "mesh.npz", vertices=CUBE, faces=FACES, uv=uv, colors=np.tile(np.float32(COLOR), (len(CUBE), 1)))
    write_png(folder / "albedo.png", np.full((8, 8, 3), np.round(np.array(COLOR) * 255), np.uint8))
    (folder / "mesh.glb").write_bytes(b"glTF of the double")


def split(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four faces of each."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    ends, middle = np.unique(edges, axis=0, return_inverse=True)
    a, b, c = faces.T
    ab, bc, ca = middle.reshape(-1, 3).T + len(vertices)
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    faces = np.concatenate([np.stack(part, axis=1) for part in parts]).astype(np.int32)
    return np.concatenate([vertices, vertices[ends].mean(axis=1)]), faces


def write_sketch(path: Path, fraction: float, cube: np.ndarray, faces: np.ndarray) -> None:
    """The cube while it is narrower, with a red upper and a dark lower half, as core.sketch would write it."""
    vertices = cube * np.float32([0.5 + 0.5 * fraction, 0.5 + 0.5 * fraction, 1])
    colors = np.where(cube[:, 2:] > 0, np.float32(COLOR), np.float32(0.05))
    slots = (vertices[faces].mean(axis=1)[:, 2] > 0.25).astype(np.uint8)
    part = path.with_name(f".{path.name}")  # ends in .npz, or numpy would add it
    np.savez(part, vertices=vertices, faces=faces, colors=colors, palette=np.float32([[0.05] * 3, COLOR]), slots=slots)
    os.replace(part, path)


def picture(fraction: float, size: int = 64) -> np.ndarray:
    """A disk that grows and turns from grey to red."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    disk = (x**2 + y**2 < 0.2 + 0.6 * fraction)[..., None]
    red = np.array([150 + 80 * fraction, 130 * (1 - fraction), 120 * (1 - fraction)])
    return np.where(disk, red, 230).astype(np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds a step")
    parser.add_argument("--until", type=Path, help="after the last step, wait for this file")
    parser.add_argument("--fail", help="end with this exception")
    parser.add_argument("--deaf", action="store_true", help="never look for a cancel")
    parser.add_argument("--set-clock", type=float, default=0.0, help="by so many seconds, after the first step")
    parser.add_argument("--size", type=int, default=64, help="of the pictures")
    parser.add_argument("--split", type=int, default=0, help="times that each face of what grows is split in four")
    args, _ = parser.parse_known_args()
    clock = time.time
    cube = CUBE, FACES
    for _ in range(args.split):
        cube = split(*cube)

    def run(job, emit, control):
        start = time.monotonic()

        def sketch(step):
            if control.grow:
                write_sketch(job.sketch, step / (step + args.steps), *cube)
                emit(Sketch(str(job.sketch)))

        for _ in range(2):
            emit(Log("A remark on the prompt."))
        for step in range(1, args.steps + 1):
            time.sleep(args.pause)
            if not args.deaf:
                control.check()
            (job.checkpoints / f"{step:08d}.json").write_text("{}")
            write_png(job.preview, picture(step / args.steps, args.size))
            for kind, color in (("depth", 128), ("normal", (128, 128, 255))):
                write_png(job.folder / f"preview_{kind}.png", np.full((args.size, args.size, 3), color, np.uint8))
            emit(Progress("training", step, args.steps, step / args.steps, args.pause * (args.steps - step)))
            emit(Preview(str(job.preview)))
            sketch(step)
            time.time = lambda: clock() + args.set_clock
        while args.until and not args.until.exists():
            time.sleep(args.pause)
            control.check()
            step += 1
            sketch(step)
        if args.fail:
            raise ValueError(args.fail)
        emit(Log("A remark of the trainer."))
        write_mesh(job.mesh)
        mesh, texture = job.mesh / "mesh.npz", job.mesh / "albedo.png"
        return Done(str(job.folder), str(mesh), str(texture), time.monotonic() - start)

    return worker.main(run)


if __name__ == "__main__":
    sys.exit(main())
