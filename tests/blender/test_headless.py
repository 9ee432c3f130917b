"""Batches with ``blender -b --python headless.py``: from the checkout and from the installed add-on."""

import json
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from blenders import VERSIONS, blender_program
from window import isolated_environment

from tests.addon.doubles import double_python, script
from tests.foreground import in_foreground

pytestmark = pytest.mark.blender
HEADLESS = Path(__file__).parents[2] / "blender_dreamfusion" / "headless.py"
RIG = Path(__file__).with_name("rig")
INSPECT = Path(__file__).with_name("scenarios") / "inspect_blend.py"


@pytest.fixture
def run(blender, tmp_path):
    """Runs headless.py in Blender; returns the finished process."""

    def call(*arguments, headless=HEADLESS, scripts=(), cwd=None):
        command = [blender, "-b", "--factory-startup"]
        for path in [*scripts, headless]:
            command += ["--python", str(path)]
        env = isolated_environment(tmp_path / "home")
        return subprocess.run(
            [*command, "--", *map(str, arguments)], env=env, capture_output=True, text=True, timeout=120, cwd=cwd
        )

    return call


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("# two of a kind\na red cube\n\n  a red cube! \n", encoding="utf-8")
    return path


def test_a_blend_and_a_glb_for_each_prompt(run, prompts, tmp_path):
    python = double_python(tmp_path, "--steps", "3")
    done = run("--prompts", prompts, "--out", tmp_path / "out", "--python", python, "--seed", 7)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[2/2] a red cube!" in done.stdout
    assert "%  Training" in done.stdout
    assert done.stdout.count("  A remark on the prompt.\n") == 2, "one a prompt"
    assert done.stdout.count("  A remark of the trainer.\n") == 2
    assert "2 of 2 prompts worked." in done.stdout
    assert (tmp_path / "out" / "a_red_cube.glb").read_bytes() == b"glTF of the double"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [Path(row["blend"]).name for row in summary] == ["a_red_cube.blend", "a_red_cube_2.blend"]
    assert inspected(run, summary[1]["blend"]) == {
        "objects": ["a red cube!"],
        "polygons": 12,
        "packed": True,
        "seed": 7,
        "height": 1.0,
        "asset": False,
    }


def inspected(run, blend):
    """What Blender finds in a .blend."""
    return json.loads(run(blend, headless=INSPECT).stdout.partition("INSPECTED ")[2].splitlines()[0])


def test_objects_are_as_high_as_asked_and_assets(run, tmp_path):
    prompts, out = tmp_path / "one.txt", tmp_path / "out"
    prompts.write_text("a red cube", encoding="utf-8")
    arguments = ["--prompts", prompts, "--out", out, "--python", double_python(tmp_path, "--steps", "1")]
    arguments += ["--faces", 900, "--texture_size", 256, "--normal_map"]
    done = run(*arguments, "--height", 0.25, "--mark_asset")
    assert done.returncode == 0, done.stdout + done.stderr
    mesh = json.loads((out / "jobs" / "a_red_cube" / "job.json").read_text())["config"]["mesh"]
    assert (mesh["faces"], mesh["texture_size"], mesh["normal_map"]) == (900, 256, True)
    found = inspected(run, out / "a_red_cube.blend")
    assert (found["height"], found["asset"]) == (0.25, True)
    for height in (0.5, 0.5):
        done = run(*arguments, "--height", height)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Training" not in done.stdout, "the job itself was done before"
        found = inspected(run, out / "a_red_cube.blend")
        assert (found["height"], found["asset"]) == (0.5, False)
    assert "was done before" in done.stdout


def test_a_failing_prompt_does_not_stop_the_others(run, prompts, tmp_path):
    good = double_python(tmp_path, "--steps", "1")
    flag = tmp_path / "second"
    (tmp_path / "mixed").mkdir()
    python = script(
        tmp_path / "mixed", f'[ -e "{flag}" ] && exec "{good}"; touch "{flag}"; echo "RuntimeError: no luck"; exit 1'
    )
    done = run("--prompts", prompts, "--out", tmp_path / "out", "--python", python)
    assert done.returncode == 1
    assert "failed: The trainer ended before it was ready: RuntimeError: no luck" in done.stdout
    assert "1 of 2 prompts worked." in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [bool(row["error"]) for row in summary] == [True, False]


def test_a_second_run_passes_over_what_is_done(run, prompts, tmp_path):
    double_python(tmp_path, "--steps", "1")
    arguments = ["--prompts", prompts, "--out", "out", "--python", "./python"]
    first = run(*arguments, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    blends = sorted((tmp_path / "out").glob("*.blend"))
    times = [path.stat().st_mtime_ns for path in blends]
    job = tmp_path / "out" / "jobs" / "a_red_cube_2" / "job.json"
    job.write_text(job.read_text().replace('"state": "done"', '"state": "cancelled"'))
    again = run(*arguments, cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("was done before") == 1
    assert [path.stat().st_mtime_ns == old for path, old in zip(blends, times, strict=True)] == [True, False]
    assert job.with_name("checkpoints").exists()
    other = run(*arguments, "--seed", 9, cwd=tmp_path)
    assert other.returncode == 1
    assert other.stdout.count("--overwrite") >= 2, "other settings delete nothing"
    assert run(*arguments, "--seed", 9, "--overwrite", cwd=tmp_path).returncode == 0


def test_an_unexpected_exception_gives_exit_code_1(run, prompts, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import json\njson.dumps = None\n")
    done = run("--prompts", prompts, "--out", tmp_path / "out", "--python", double_python(tmp_path), scripts=[broken])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" in done.stderr


def test_ctrl_c_ends_the_batch_with_130_and_its_trainer(prompts, tmp_path):
    python = double_python(tmp_path, "--steps", "100000")
    command = [blender_program(VERSIONS[0]), "-b", "--factory-startup", "--python", HEADLESS, "--"]
    command += ["--prompts", prompts, "--out", tmp_path / "out", "--python", python]
    env = isolated_environment(tmp_path / "home")
    job = tmp_path / "out" / "jobs" / "a_red_cube"
    with in_foreground(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        end = time.monotonic() + 60
        while not list(job.glob("checkpoints/*.json")) and time.monotonic() < end:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 130, output
    assert json.loads((job / "job.json").read_text())["state"] == "cancelled"


def test_bad_arguments_give_one_line_and_exit_code_2(run, prompts, tmp_path):
    out = ["--out", tmp_path / "out"]
    for arguments in (
        [],
        ["--prompts", tmp_path / "none.txt", *out],
        ["--prompts", prompts, *out, "--preset", "huge"],
        ["--prompts", prompts, *out, "--height", "0"],
        ["--prompts", prompts, *out, "--python", tmp_path / "none"],
        ["--prompts", prompts, "--out", prompts / "out", "--python", double_python(tmp_path)],
    ):
        done = run(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        complaints = [line for line in done.stderr.splitlines() if line.startswith("headless.py: ")]
        assert len(complaints) == 1
        assert "Traceback" not in done.stderr


def test_from_the_installed_add_on_with_the_python_in_its_preferences(run, addon_zip, prompts, tmp_path):
    python = double_python(tmp_path, "--steps", "1")
    install = tmp_path / "install.py"
    install.write_text(f"""
import sys, bpy
sys.path.append({str(RIG)!r})
from install import install_addon
module = install_addon({str(addon_zip)!r})
bpy.context.preferences.addons[module].preferences.trainer_python = {python!r}
""")
    with zipfile.ZipFile(addon_zip) as archive:
        archive.extractall(tmp_path / "copy")
    installed = tmp_path / "copy" / "blender_dreamfusion" / "headless.py"
    done = run("--prompts", prompts, "--out", tmp_path / "out", headless=installed, scripts=[install])
    assert done.returncode == 0, done.stdout + done.stderr
