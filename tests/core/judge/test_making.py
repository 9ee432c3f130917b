"""Making objects for the judge, with a small script in place of the trainer."""

import json
import sys
import textwrap

import psutil
import pytest

from core.errors import Cancelled, DreamFusionError, InputError
from core.job import Job
from core.judge import making
from core.judge.making import COST_FILE, Cost, make, read_cost, resident_bytes, workspaces
from core.options import build_parser, make_config
from tests.core import job_bodies

OPTIONS = {"preset": "draft", "seed": 3, "device": "cpu", "hf_key": None, "fp16": False}


@pytest.fixture
def trainer(monkeypatch):
    """Runs commands here instead of in a process of their own; remembers them, and what they shall end with."""

    class Trainer:
        def __init__(self):
            self.commands, self.body = [], job_bodies.quick

        def run(self, command, prompt, folder):
            assert command[:3] == [sys.executable, "-m", "core"]
            self.commands.append(command[3:])
            code = job_bodies.main(command[3:], run=self.body)
            making._check(code, prompt, folder)
            return Cost(12.5, 1 << 30)

    one = Trainer()
    monkeypatch.setattr(making, "_run", one.run)
    return one


def test_an_object_is_made_once_with_the_options_that_were_given(tmp_path, trainer):
    job, cost = make("a red mug", tmp_path / "mug", OPTIONS)
    assert (job.state, job.config.prompt, job.config.seed) == ("done", "a red mug", 3)
    expected = make_config(build_parser().parse_args(["generate", "a red mug", "--preset", "draft", "--seed", "3"]))
    assert job.config.training == expected.training
    assert cost == Cost(12.5, 1 << 30)
    assert json.loads((tmp_path / "mug" / COST_FILE).read_bytes())["seconds"] == 12.5
    again, same = make("a red mug", tmp_path / "mug", OPTIONS)
    assert (again.folder, same) == (job.folder, cost)
    assert len(trainer.commands) == 1


def test_a_finished_job_of_unknown_cost_is_taken_as_it_is(tmp_path, trainer):
    make("a mug", tmp_path, OPTIONS)
    (tmp_path / COST_FILE).unlink()
    assert make("a mug", tmp_path, OPTIONS)[1] is None
    (tmp_path / COST_FILE).write_text('{"seconds"')
    assert read_cost(tmp_path) is None
    assert len(trainer.commands) == 1


@pytest.mark.parametrize("what", ["cancelled", "no mesh"])
def test_a_job_that_was_broken_off_is_made_anew(tmp_path, trainer, what):
    job, _ = make("a mug", tmp_path, OPTIONS)
    if what == "no mesh":
        (job.mesh / "mesh.npz").write_bytes(b"half")
    else:
        job.set_state("cancelled")
    assert make("a mug", tmp_path, OPTIONS)[0].state == "done"
    assert ["--overwrite" in command for command in trainer.commands] == [False, True]


def test_another_job_in_the_folder_is_left_alone(tmp_path, trainer):
    make("a mug", tmp_path, OPTIONS)
    with pytest.raises(InputError, match="other settings"):
        make("a mug", tmp_path, {**OPTIONS, "seed": 4})
    assert len(trainer.commands) == 1


def test_a_failed_job_says_why(tmp_path, trainer):
    trainer.body = job_bodies.failing
    with pytest.raises(DreamFusionError) as caught:
        make("a mug", tmp_path, OPTIONS)
    assert type(caught.value) is DreamFusionError
    assert str(caught.value) == Job.open(tmp_path).record["error"] != ""
    assert not (tmp_path / COST_FILE).exists()


@pytest.mark.parametrize(("code", "kind"), [(2, InputError), (130, Cancelled), (-9, DreamFusionError)])
def test_exit_codes_mean_what_core_errors_says(tmp_path, code, kind):
    with pytest.raises(kind) as caught:
        making._check(code, "a mug", tmp_path)
    assert type(caught.value) is kind


def test_a_process_is_timed_and_weighed(tmp_path):
    """It holds 200 MB for half a second, in a child of its own."""
    script = tmp_path / "heavy.py"
    script.write_text(
        textwrap.dedent("""
            import subprocess, sys, time
            if len(sys.argv) > 1:
                data = bytearray(200_000_000)
                data[::4096] = b"x" * len(data[::4096])
                time.sleep(0.8)
            else:
                subprocess.run([sys.executable, __file__, "child"], check=True)
        """)
    )
    cost = making._run([sys.executable, str(script)], "a mug", tmp_path)
    assert cost.seconds > 0.8
    assert 200e6 < cost.peak_bytes < 400e6
    assert resident_bytes(2**22 + 1) == 0
    assert resident_bytes(psutil.Process().pid) > 1e6


def test_the_process_ends_with_the_evaluation(tmp_path, monkeypatch):
    started = []
    popen = making.subprocess.Popen

    def note(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    def interrupt(_pid):
        raise KeyboardInterrupt

    monkeypatch.setattr(making.subprocess, "Popen", note)
    monkeypatch.setattr(making, "resident_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        making._run([sys.executable, "-c", "import time; time.sleep(60)"], "a mug", tmp_path)
    assert started[0].poll() is not None


def test_folders_are_named_after_their_prompts(tmp_path):
    names = [path.name for path in workspaces(["a Red mug", "a red mug!", "漢字", "x" * 100], tmp_path)]
    assert names == ["a_red_mug", "a_red_mug_2", "object", "x" * 60]
