import argparse

import pytest

from core.config import DistillationConfig, override, preset
from core.errors import InputError
from core.options import build_parser, generate_argv, make_config


def config_of(*arguments):
    return make_config(build_parser().parse_args(["generate", "a hamburger", *arguments]))


def with_prompt(args):
    """evaluate has none of its own."""
    return argparse.Namespace(**{"prompt": "-", "negative": "", **vars(args)})


def test_nothing_but_a_prompt_is_the_standard_preset_of_the_starter():
    assert config_of() == preset("standard", "a hamburger")
    assert build_parser().parse_args(["generate", "x"]).workspace == "trial"


@pytest.mark.parametrize(
    ("arguments", "path", "value"),
    [
        (["--negative", "ugly"], "negative", "ugly"),
        (["--seed", "7"], "seed", 7),
        (["--device", "cpu"], "device", "cpu"),
        (["--epochs", "3"], "training.epochs", 3),
        (["--preset", "high"], "training.epochs", 15),
        (["--preset", "high", "--epochs", "4"], "training.epochs", 4),
        (["--field", "mlp"], "field.kind", "mlp"),
        (["--faces", "3000"], "mesh.faces", 3_000),
        (["--preset", "draft", "--faces", "3000"], "mesh.texture_size", 512),
        (["--texture_size", "256"], "mesh.texture_size", 256),
        (["--preset", "high", "--texture-size", "256"], "mesh.faces", 50_000),
        (["--normal_map"], "mesh.normal_map", True),
        (["--faces", "500"], "mesh.normal_map", False),
        (["--sd_version", "mvdream"], "guidance.guidance_scale", 50.0),
        (["--sd_version", "mvdream"], "camera.elevation_deg", (0.0, 30.0)),
        (["--fp16"], "guidance.fp16", True),
        (["--bf16"], "guidance.bf16", True),
        (["--compile"], "guidance.compile", True),
        (["--fp16"], "guidance.compile", False),
        (["--vram_O"], "guidance.vram_O", True),
        (["--vram-O"], "guidance.vram_O", True),
        (["--model", "sd"], "guidance.model", "sd"),
        (["--model", "sd"], "training.epochs", 100),
        (["--sd_version", "1.5"], "guidance.sd_version", "1.5"),
        (["--sd-version", "1.5"], "guidance.model", "sd"),
        (["--sd_version=2.0"], "guidance.guidance_scale", 100.0),
        (["--sd_version", "2.1-v"], "guidance.sd_version", "2.1-v"),
        (["--sd_version", "xl"], "guidance.model", "sd"),
        (["--model", "sd"], "guidance.sd_version", "2.1"),
        (["--hf_key", "some/model"], "guidance.sd_version", None),
        (["--hf_key", "some/model", "--sd_version", "if"], "guidance.sd_version", "if"),
        (["--hf_key", "some/model"], "guidance.hf_key", "some/model"),
        (["--hf-key", "some/model"], "guidance.model", "sd"),
        (["--model", "starter"], "guidance.hf_key", None),
        (["--distillation", "vsd"], "distillation.method", "vsd"),
        (["--distillation", "vsd", "--lora_lr", "1e-3"], "distillation.lora_lr", 1e-3),
        (["--distillation", "sdi", "--inversion_steps", "9"], "distillation.inversion_steps", 9),
        (["--distillation", "ism"], "guidance.guidance_scale", 6.0),
        (["--distillation", "ism", "--model", "sd"], "guidance.guidance_scale", 7.5),
        (["--distillation", "ism", "--model", "sd", "--guidance_scale", "20"], "guidance.guidance_scale", 20.0),
        (["--guidance-scale", "20"], "guidance.guidance_scale", 20.0),
        (["--anneal", "dreamtime"], "guidance.anneal", "dreamtime"),
        (["--view_prompts", "interpolated"], "guidance.view_prompts", "interpolated"),
        (["--debias"], "guidance.debias", True),
        (["--draws", "4"], "distillation.draws", 4),
        (["--weighting", "x0"], "distillation.weighting", "x0"),
        (["--grad_scale", "3"], "distillation.grad_scale", 3.0),
        (["--perpneg"], "distillation.perpneg", True),
        (["--perpneg"], "distillation.negative_w", -2.0),
        (["--perpneg", "--negative_w=-1.5"], "distillation.negative_w", -1.5),
        (["--cfg_rescale", "0.5"], "distillation.cfg_rescale", 0.5),
        (["--grad_clip", "1"], "distillation.grad_clip", 1.0),
        (["--grad_clip_pixel", "0.1"], "distillation.grad_clip_pixel", 0.1),
        ([], "distillation", DistillationConfig()),
    ],
)
def test_an_option_reaches_its_setting(arguments, path, value):
    result = config_of(*arguments)
    for name in path.split("."):
        result = getattr(result, name)
    assert result == value


def test_the_place_of_a_model_holds_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "some" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert config_of("--hf_key", "some/model").guidance.hf_key == str(tmp_path / "some" / "model")
    (tmp_path / "one.safetensors").touch()
    assert config_of("--hf_key", "one.safetensors").guidance.hf_key == str(tmp_path / "one.safetensors")
    assert config_of("--hf_key", "other/model").guidance.hf_key == "other/model"


@pytest.mark.parametrize("command", [["generate", "a cat"], ["image", "a cat", "--out", "a.png"]])
def test_a_model_that_is_mvdream_gets_its_cameras_however_it_is_named(tmp_path, command):
    """The same settings as by --sd_version mvdream; only a mistaken version is left for the trainer to tell."""
    (tmp_path / "model_index.json").write_text('{"_class_name": "MVDreamPipeline"}')

    def config(*given):
        return make_config(build_parser().parse_args([*command, "--hf_key", str(tmp_path), *given]))

    named = make_config(build_parser().parse_args([*command, "--sd_version", "mvdream"]))
    assert config() == config("--sd_version", "mvdream")
    assert override(config(), guidance={"hf_key": None}) == named
    assert config("--sd_version", "2.1").camera == config_of("--sd_version", "2.1").camera != named.camera


def test_white_space_of_a_prompt_is_tidied():
    args = build_parser().parse_args(["generate", "  a \n hamburger\t"])
    assert make_config(args).prompt == "a hamburger"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["generate"],
        ["generate", ""],
        ["generate", " \n\t"],
        ["generate", "\udcff"],
        ["generate", "a", "b"],
        ["generate", "a", "--epochs", "0"],
        ["generate", "a", "--epochs", "-1"],
        ["generate", "a", "--epochs", "1.5"],
        ["generate", "a", "--epochs", "9" * 5000],
        ["generate", "a", "--seed", "-1"],
        ["generate", "a", "--seed", str(2**63)],
        ["generate", "a", "--seed", "²"],
        ["generate", "a", "--preset", "best"],
        ["generate", "a", "--model", "dalle"],
        ["generate", "a", "--sd_version", "3"],
        ["generate", "a", "--field", "voxels"],
        ["generate", "a", "--device", "tpu"],
        ["generate", "a", "--faces", "499"],
        ["generate", "a", "--faces", "500001"],
        ["generate", "a", "--texture_size", "0"],
        ["generate", "a", "--texture_size", "4097"],
        ["generate", "a", "--workspace", " "],
        ["generate", "a", "--work", "x"],
        ["generate", "a", "--model", "starter", "--hf_key", "some/model"],
        ["generate", "a", "--fp16", "--bf16"],
        ["generate", "a", "--hf_key", ""],
        ["generate", "a", "--hf_key", " "],
        ["generate", "a", "--distillation", "dds"],
        ["generate", "a", "--anneal", "cosine"],
        ["generate", "a", "--draws", "0"],
        ["generate", "a", "--guidance_scale", "-1"],
        ["generate", "a", "--guidance_scale", "nan"],
        ["generate", "a", "--cfg_rescale", "1.5"],
        ["generate", "a", "--grad_clip", "inf"],
        ["generate", "a", "--perpneg", "--negative_w", "2"],
        ["generate", "a", "--negative_w=-2"],
        ["generate", "a", "--inversion_steps", "5"],
        ["generate", "a", "--lora_lr", "0.1", "--distillation", "sdi"],
        ["evaluate", "--inversion_steps", "5"],
        ["image", "a"],
        ["image", "a", "--out", "x.png", "--H", "0"],
        ["image", "a", "--out", "x.png", "--steps", "none"],
        ["export", "x", "--out", "y"],
        ["export", "x", "--format", "stl", "--out", "y"],
        ["resume"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40].encode("ascii", "replace").decode(),
)
def test_mistakes_are_one_clear_line(arguments):
    with pytest.raises(InputError) as caught:
        make_config(with_prompt(build_parser().parse_args(arguments)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20


def test_evaluate_takes_what_generate_takes():
    given = ["--preset", "high", "--epochs", "3", "--seed", "4", "--hf_key", "some/model", "--fp16"]
    args = build_parser().parse_args(["evaluate", "--prompts", "p.txt", "--out", "x", *given, "--distillation", "vsd"])
    assert args.distillation == "vsd"
    assert (args.preset, args.epochs, args.seed, args.hf_key, args.fp16) == ("high", 3, 4, "some/model", True)
    assert (args.prompts, args.out, args.pictures) == ("p.txt", "x", None)


def test_a_front_ends_options_mean_what_the_command_line_means():
    options = {"epochs": 2, "preset": "draft", "fp16": True, "vram_O": False, "hf_key": None, "negative": "-x --seed 5"}
    args = build_parser().parse_args(generate_argv("--a prompt", "/some where", options))
    config = make_config(args)
    assert (config.prompt, config.negative, config.seed) == ("--a prompt", "-x --seed 5", 0)
    assert (config.training.epochs, config.guidance.fp16, config.guidance.vram_O) == (2, True, False)
    assert args.workspace == "/some where"
