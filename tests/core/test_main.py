"""The command line from argv to exit code, with small job bodies in place of the training."""

import importlib.metadata
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import job_bodies

from core.__main__ import main
from core.console import duration
from core.job import Job
from core.lock import exclusive
from tests.foreground import in_foreground

BODIES = Path(job_bodies.__file__)


def generate(folder, *options, body=job_bodies.quick):
    return main(["generate", "a hamburger", "--workspace", str(folder), *options], run=body)


def one_error_line(capsys):
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_job_is_run_and_its_mesh_named(tmp_path, capsys):
    assert generate(tmp_path, "--epochs", "2") == 0
    output = capsys.readouterr()
    assert output.out == f"Done in 0:02: {tmp_path / 'mesh'}\n"
    assert "hello from the job\n" in output.err
    assert "training 2/2, 100%, 0:00 left\n" in output.err
    job = Job.open(tmp_path)
    assert (job.state, job.config.training.epochs) == ("done", 2)
    assert "hello from the job" in job.log.read_text()
    assert job.record["progress"]["stage"] == "training"


def test_a_taken_workspace_needs_overwrite(tmp_path, capsys):
    assert generate(tmp_path) == 0
    capsys.readouterr()
    command = ["generate", "a mug", "--workspace", str(tmp_path)]
    assert main(command, run=job_bodies.quick) == 2
    assert "another prompt" in one_error_line(capsys)
    assert Job.open(tmp_path).config.prompt == "a hamburger"
    assert main([*command, "--overwrite"], run=job_bodies.quick) == 0
    assert Job.open(tmp_path).config.prompt == "a mug"


@pytest.mark.parametrize("body", [job_bodies.fails_while_it_loads, job_bodies.unexpected])
def test_overwrite_keeps_the_old_job_until_the_new_one_has_started(tmp_path, body):
    assert generate(tmp_path) == 0
    mesh = (tmp_path / "mesh/mesh.npz").read_bytes()
    command = ["generate", "a mug", "--workspace", str(tmp_path), "--overwrite"]
    assert main(command, run=body) in (1, 2)
    job = Job.open(tmp_path)
    assert (job.config.prompt, job.state) == ("a hamburger", "done")
    assert (job.mesh / "mesh.npz").read_bytes() == mesh
    assert ("Traceback" in job.log.read_text()) == (body is job_bodies.unexpected)
    assert main(command, run=job_bodies.fails_in_training) == 1
    assert (Job.open(tmp_path).config.prompt, Job.open(tmp_path).resumable) == ("a mug", True)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_first_try_that_failed_is_in_nobodys_way(tmp_path):
    assert generate(tmp_path, "--device", "cuda", body=job_bodies.failing) == 1
    assert generate(tmp_path) == 0


def test_resume_takes_another_device_for_its_run(tmp_path):
    generate(tmp_path, "--device", "cuda", body=job_bodies.failing)
    devices = []

    def note_device(job, emit, control):
        devices.append(job.config.device)
        return job_bodies.quick(job, emit, control)

    assert main(["resume", str(tmp_path), "--device", "cpu"], run=note_device) == 0
    assert (devices, Job.open(tmp_path).config.device) == (["cpu"], "cuda")


def test_bad_input_touches_nothing(tmp_path, capsys):
    folder = tmp_path / "job"
    for command in (
        ["generate", " ", "--workspace", str(folder)],
        ["generate", "a", "--workspace", str(folder), "--epochs", "x"],
        ["resume", str(folder)],
        ["export", str(folder), "--format", "glb", "--out", str(tmp_path / "x.glb")],
        ["image", "a", "--out", str(tmp_path / "x.txt")],
        ["image", "a", "--out", str(folder / "x.png")],
        ["image", "a", "--out", str(tmp_path)],
    ):
        assert main(command, run=job_bodies.quick) == 2
        one_error_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused(tmp_path, capsys):
    with exclusive(tmp_path):
        assert generate(tmp_path) == 2
    assert "Another trainer" in one_error_line(capsys)


def test_resume_runs_an_unfinished_job_only(tmp_path, capsys):
    assert generate(tmp_path, body=job_bodies.fails_in_training) == 1
    assert one_error_line(capsys) == "error: It went wrong: try again."
    assert Job.open(tmp_path).state == "failed"
    assert generate(tmp_path) == 2
    assert "resume" in one_error_line(capsys)
    assert main(["resume", str(tmp_path)], run=job_bodies.quick) == 0
    assert Job.open(tmp_path).record["error"] == ""
    capsys.readouterr()
    assert main(["resume", str(tmp_path)], run=job_bodies.quick) == 2
    assert "is done" in one_error_line(capsys)


@pytest.mark.parametrize("data", [None, b"no mesh"])
def test_a_done_job_whose_mesh_was_lost_can_be_resumed(tmp_path, capsys, data):
    generate(tmp_path)
    mesh = tmp_path / "mesh/mesh.npz"
    mesh.unlink() if data is None else mesh.write_bytes(data)
    capsys.readouterr()
    assert main(["export", str(tmp_path), "--format", "glb", "--out", str(tmp_path / "x.glb")]) == 2
    assert "resume" in one_error_line(capsys)
    assert main(["resume", str(tmp_path)], run=job_bodies.quick) == 0
    assert main(["export", str(tmp_path), "--format", "glb", "--out", str(tmp_path / "x.glb")]) == 0


def test_an_unexpected_error_is_one_line_and_a_traceback_in_the_log(tmp_path, capsys):
    assert generate(tmp_path, body=job_bodies.unexpected) == 1
    line = one_error_line(capsys)
    assert "Unexpected RuntimeError: the sky fell." in line
    assert str(tmp_path / "log.txt") in line
    assert "Traceback" in Job.open(tmp_path).log.read_text()


def test_a_job_without_a_mesh_cannot_be_exported(tmp_path, capsys):
    generate(tmp_path, body=job_bodies.failing)
    capsys.readouterr()
    assert main(["export", str(tmp_path), "--format", "glb", "--out", str(tmp_path / "x.glb")]) == 2
    assert "no mesh yet (failed): go on with resume" in one_error_line(capsys)
    with exclusive(tmp_path):
        assert main(["export", str(tmp_path), "--format", "glb", "--out", str(tmp_path / "x.glb")]) == 2
    assert "wait until its trainer is done" in one_error_line(capsys)


@pytest.mark.parametrize(("kind", "start"), [("glb", b"glTF"), ("obj", b"# DreamFusion"), ("ply", b"ply\n")])
def test_a_mesh_is_exported(tmp_path, capsys, kind, start):
    generate(tmp_path / "job")
    capsys.readouterr()
    out = tmp_path / f"tetrahedron.{kind}"
    assert main(["export", str(tmp_path / "job"), "--format", kind, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize(("kind", "name"), [("glb", "mesh.obj"), ("obj", "mesh.mtl"), ("ply", "mesh")])
def test_a_mesh_is_not_exported_under_another_formats_name(tmp_path, capsys, kind, name):
    generate(tmp_path / "job")
    capsys.readouterr()
    assert main(["export", str(tmp_path / "job"), "--format", kind, "--out", str(tmp_path / name)]) == 2
    assert f"end in .{kind}" in one_error_line(capsys)
    assert not (tmp_path / name).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_cancels_at_the_next_step_and_resume_goes_on(tmp_path, number):
    command = [sys.executable, BODIES, "cli", "train_for_ever"]
    for arguments in (["generate", "a hamburger", "--workspace", tmp_path], ["resume", tmp_path]):
        with in_foreground([*command, *arguments], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr.readline().startswith("training ")
            process.send_signal(getattr(signal, number))
            rest = process.stderr.read()
        assert process.returncode == 130
        assert "Traceback" not in rest
        advice = f"Go on with: python -m core resume {tmp_path}"
        assert rest.splitlines()[-1] == f"Cancelled. The checkpoint is kept. {advice}"
        job = Job.open(tmp_path)
        assert (job.state, job.resumable) == ("cancelled", True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_lost_terminal_cancels(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, BODIES, "cli", "train_for_ever", "generate", "a hamburger", "--workspace", tmp_path]
    with in_foreground(command, stderr=theirs, stdout=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"training" not in shown:
            shown += os.read(ours, 65536)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
    assert process.returncode == 130
    assert (Job.open(tmp_path).state, Job.open(tmp_path).resumable) == ("cancelled", True)


def test_a_reader_that_leaves_stops_nothing(tmp_path):
    command = [sys.executable, BODIES, "cli", "chatty", "generate", "a hamburger", "--workspace", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        process.stdout.close()
    assert process.returncode == 0
    assert Job.open(tmp_path).state == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_before_the_first_step_stops_at_once(tmp_path):
    command = [sys.executable, BODIES, "cli", "deaf", "generate", "a hamburger", "--workspace", tmp_path]
    with in_foreground(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "deaf\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "Cancelled.\n"
    assert process.returncode == 130
    assert Job.open(tmp_path).state == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_bar_with_the_time_left(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, BODIES, "cli", "chatty", "generate", "a hamburger", "--workspace", tmp_path]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:  # how Linux ends a pseudo-terminal
            pass
        os.close(ours)
    assert process.returncode == 0
    assert b"training " in shown
    assert b"%|" in shown
    assert b"0:01 left" in shown


def test_help_needs_no_torch():
    code = (
        "import sys, core.__main__\n"
        "try: core.__main__.main(['generate', '--help'])\n"
        "finally: print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("False\n")
    for option in ("--sd_version", "--hf_key", "--vram_O", "--overwrite", "--negative", "--epochs"):
        assert option in result.stdout


def test_doctor_names_device_versions_memory_and_models(capsys):
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    for words in ("torch", "memory", "device", "starter", "Stable Diffusion 2.1"):
        assert words in output


@pytest.mark.parametrize("lost", ["torch", "xatlas"])
def test_doctor_names_what_is_missing(monkeypatch, capsys, lost):
    real = importlib.metadata.version

    def version(package):
        if package == lost:
            raise importlib.metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor"]) == 1
    output = capsys.readouterr()
    assert f"{lost:<22} missing\n" in output.out
    assert "-m pip install" in output.err


def test_doctor_fails_without_the_starter_model(monkeypatch, capsys, tmp_path):
    from core.guidance import sources

    monkeypatch.setattr(sources, "STARTER_FOLDER", tmp_path)
    assert main(["doctor"]) == 1
    assert "starter model is not whole" in one_error_line(capsys)


def test_a_missing_package_is_named_with_the_line_that_installs_it(tmp_path, capsys):
    def without_torch(_job, _emit, _control):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    assert generate(tmp_path, body=without_torch) == 1
    line = one_error_line(capsys)
    assert line.startswith("error: The Python package torch is missing: install it with ")
    assert line.endswith(f"-m pip install {Path(__file__).parents[2]}")


def test_image_writes_the_models_picture(tmp_path, monkeypatch, capsys):
    from core.guidance import text_guidance

    asked = []

    class Model:
        def prompt_to_img(self, *arguments, **options):
            asked.append((arguments, options["guidance_scale"], options["seed"]))
            options["on_step"](3)
            return np.full((1, 4, 6, 3), 200, np.uint8)

    monkeypatch.setattr(text_guidance, "load_model", lambda *_: Model())
    out = tmp_path / "burger.png"
    command = ["image", "a hamburger", "--out", str(out), "--negative", "blur", "--H", "4", "--W", "6", "--steps", "3"]
    assert main([*command, "--seed", "5", "--device", "cpu"]) == 0
    assert asked == [(("a hamburger", "blur", 4, 6, 3), 2.5, 5)]
    output = capsys.readouterr()
    assert output.out == f"{out}\n"
    remark = 'The starter model does not know "blur" in the negative prompt: leave that out.'
    assert output.err == f"{remark}\npicture 3/3, 100%, 0:00 left\n"

    import imageio.v3

    assert imageio.v3.imread(out).tolist() == np.full((4, 6, 3), 200).tolist()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.4, "1:05"), (7200, "2:00:00"), (3599.6, "1:00:00")])
def test_durations(seconds, text):
    assert duration(seconds) == text
