"""The evaluate command from argv to report, with made-up objects and a judge that was never trained."""

import builtins
import json
import sys

import pytest
import torch

from core import evaluate
from core.__main__ import main
from core.errors import Cancelled, DreamFusionError, InputError
from core.export import save_mesh
from core.job import Job
from core.judge import making, network, shape
from core.judge.examination import Examination
from core.judge.making import Cost
from core.judge.network import JudgeNetwork, save_network
from core.judge.subject import default_prompts
from core.lock import exclusive
from core.options import build_parser, generate_argv, make_config
from tests.core.judge.shapes import painted_ball

OWN = Examination(45, 1.0, 1.0, 1.0)


@pytest.fixture(autouse=True)
def small_world(tmp_path, monkeypatch):
    """Weights that nobody trained, true shapes of few points, a judge that is taken to be good."""
    torch.manual_seed(0)
    path = tmp_path / "judge.safetensors"
    save_network(JudgeNetwork(), path, {})
    monkeypatch.setattr(evaluate, "WEIGHTS", path)
    monkeypatch.setattr(evaluate, "load_network", lambda: network.load_network(path))
    monkeypatch.setattr(evaluate, "examine", lambda *_arguments: OWN)
    monkeypatch.setattr(shape, "DRAWS", 1)
    monkeypatch.setattr(shape, "_RESOLUTION", 32)
    shape.truth_points.cache_clear()
    yield
    shape.truth_points.cache_clear()


@pytest.fixture
def made(monkeypatch):
    """Each object is a painted ball; what was asked for is noted."""
    asked = []

    def make(prompt, folder, options):
        asked.append((prompt, options))
        if "chair" in prompt:
            raise DreamFusionError("The field is empty.")
        config = make_config(build_parser().parse_args(generate_argv(prompt, str(folder), dict(options))))
        job = Job.create(folder, config)
        save_mesh(painted_ball(), job.mesh)
        return job, Cost(90, 1 << 30)

    monkeypatch.setattr(making, "make", make)
    return asked


def prompts(tmp_path, *lines):
    (tmp_path / "prompts.txt").write_text("\n".join(lines))
    return ["--prompts", str(tmp_path / "prompts.txt"), "--out", str(tmp_path / "out")]


def test_each_prompt_is_made_judged_and_reported(tmp_path, made, capsys):
    arguments = prompts(tmp_path, "a red mug", "a chair", "a blue duck")
    assert main(["evaluate", *arguments, "--preset", "draft", "--fp16", "--device", "cpu"]) == 0
    out = tmp_path / "out"
    assert capsys.readouterr().out == f"{out / 'results.md'}\n"
    assert [prompt for prompt, _ in made] == ["a red mug", "a chair", "a blue duck"]
    data = json.loads((out / "results.json").read_text())
    assert (data["summary"]["prompts"], data["summary"]["made"]) == (3, 2)
    assert data["made"] == "Made with preset draft, seed 0, field grid, fp16, device cpu."
    mug, chair, duck = data["prompts"]
    assert mug["cost"]["seconds"] == 90
    assert mug["measures"]["health"]["watertight"]
    assert mug["measures"]["verdict"]["sides"] is None
    assert len(duck["measures"]["verdict"]["sides"]) == 8
    assert duck["measures"]["psnr"] is None  # there was no checkpoint
    assert chair["error"] == "The field is empty."
    assert (out / "views.png").stat().st_size > 1000


def test_without_a_file_the_prompts_are_drawn_from_the_catalogue():
    args = build_parser().parse_args(["evaluate"])
    assert evaluate._prompts(args) == default_prompts()
    assert args.out == "trial_evaluation"


def test_one_evaluation_a_folder(tmp_path, made, capsys):
    with exclusive(tmp_path / "out"):
        assert main(["evaluate", *prompts(tmp_path, "a mug")]) == 2
    assert "at work" in capsys.readouterr().err
    assert not made
    assert main(["evaluate", *prompts(tmp_path, "a mug")]) == 0
    assert not (tmp_path / "out" / "job.lock").exists()


@pytest.mark.parametrize("error", [InputError("generate refused it"), Cancelled("Cancelled.")])
def test_what_would_fail_for_all_ends_the_evaluation(tmp_path, monkeypatch, error):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(making, "make", fail)
    assert main(["evaluate", *prompts(tmp_path, "a mug")]) == error.exit_code
    assert not (tmp_path / "out" / "results.md").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prompts", "{}/none.txt"], "none.txt"),
        (["--prompts", "{}/prompts.txt"], "'a corgi' is nothing that the judge knows"),
        (["--prompts", "{}/prompts.txt", "--pictures", "3"], "leave out --prompts"),
        (["--pictures", "0"], "too few"),
        (["--preset", "best"], "preset"),
        (["--model", "starter", "--sd_version", "2.1"], "leave out --model starter"),
    ],
)
def test_mistakes_are_one_clear_line_and_write_nothing(tmp_path, made, capsys, arguments, words):
    (tmp_path / "prompts.txt").write_text("a mug\na corgi\n")
    arguments = [argument.format(tmp_path) for argument in arguments]
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert not made
    assert not (tmp_path / "out").exists()


def test_missing_weights_are_one_clear_line(tmp_path, made, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "load_network", lambda: network.load_network(tmp_path / "none.safetensors"))
    assert main(["evaluate", *prompts(tmp_path, "a mug")]) == 2
    assert "core.judge.training" in capsys.readouterr().err
    assert not made


def test_the_zip_without_a_judge_says_so(monkeypatch, capsys):
    """As it is unpacked in Blender: core/evaluate.py is there, core/judge is not."""
    real = builtins.__import__

    def without_judge(name, *rest):
        if name.startswith("core.judge"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "core.evaluate")
    monkeypatch.setattr(builtins, "__import__", without_judge)
    assert main(["evaluate"]) == 2
    assert "holds no judge" in capsys.readouterr().err


def test_the_judge_is_examined_once_for_its_weights_and_questions(tmp_path, monkeypatch):
    examined = []
    monkeypatch.setattr(evaluate, "examine", lambda *_arguments: examined.append(1) or OWN)
    for _ in range(2):
        assert evaluate.examine_judge(None, tmp_path, print) == OWN
    assert len(examined) == 1
    evaluate.WEIGHTS.write_bytes(b"others")
    assert evaluate.examine_judge(None, tmp_path, print) == OWN
    for broken in ("{", "null"):
        (tmp_path / "judge.json").write_text(broken)
        assert evaluate.examine_judge(None, tmp_path, print) == OWN
    assert len(examined) == 4
    monkeypatch.setattr(evaluate, "facing_concepts", lambda: frozenset({1}))
    assert evaluate.examine_judge(None, tmp_path, print) == OWN
    assert len(examined) == 5


def test_flat_pictures_are_judged_in_place_of_objects(tmp_path, made, monkeypatch, capsys):
    class Painter:
        def prompt_to_img(self, _text, *, steps, guidance_scale, seed):
            return torch.full((1, 64, 64, 3), seed + steps + int(guidance_scale), dtype=torch.uint8).numpy()

    loaded = []
    monkeypatch.setattr(evaluate, "load_model", lambda config, *_rest: loaded.append(config) or Painter())
    out = tmp_path / "out"
    assert main(["evaluate", "--pictures", "12", "--seed", "3", "--device", "cpu", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'pictures.md'}\n"
    data = json.loads((out / "pictures.json").read_text())
    assert data["learnt"]["pictures"] == data["held_out"]["pictures"] == len(data["prompts"]) / 2 == 12
    assert loaded[0].model == "starter"
    assert not made
