"""The zip: the same bytes for the same tree, everything in it that is needed, one version."""

import ast
import contextlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

import build_addon
import core
import core.config
from blender_dreamfusion.core_files import SHARED
from core.options import build_parser, generate_argv, make_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    with zipfile.ZipFile(build_addon.build(tmp_path_factory.mktemp("dist"))) as archive:
        return archive.namelist()


def test_the_same_tree_gives_the_same_bytes(tmp_path):
    first = build_addon.build(tmp_path / "a").read_bytes()
    os.utime(ROOT / "LICENSE")
    assert build_addon.build(tmp_path / "b").read_bytes() == first


def test_one_folder_with_add_on_trainer_weights_and_licence(names):
    assert {name.split("/")[0] for name in names} == {"blender_dreamfusion"}
    for needed in (
        "__init__.py",
        "blender_manifest.toml",
        "headless.py",
        "core/worker.py",
        "core/starter/weights/unet/diffusion_pytorch_model.safetensors",
        "core/guidance/families/sdxl.py",
        "core/guidance/configs/clip/vocab.json",
        "core/guidance/configs/clip/merges.txt",
        "core/guidance/configs/clip/LICENSE.txt",
        "core/guidance/configs/sdxl/text_encoder_2/config.json",
        "LICENSE",
        "requirements.txt",
    ):
        assert f"blender_dreamfusion/{needed}" in names
    assert not [name for name in names if "__pycache__" in name or "/." in name or "test" in name]
    assert not [name for name in names if "/core/judge/" in name]


def test_the_trainer_starts_from_the_unpacked_zip(tmp_path):
    with zipfile.ZipFile(build_addon.build(tmp_path)) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "blender_dreamfusion"
    done = subprocess.run(
        [sys.executable, "-m", "core.worker"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: DREAMFUSION_PORT")


def test_requirements_are_the_dependencies():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = build_addon.requirements().splitlines()
    assert len(lines) == len(project["dependencies"])
    assert "torch==2.13.0" in lines
    assert all(re.fullmatch(r"[a-z0-9-]+[=<>]=?[^ ]+", line) for line in lines)


def test_one_version_everywhere():
    assert build_addon.read_version() == core.__version__


def test_a_version_that_differs_is_refused(tmp_path, monkeypatch, capsys):
    for name in ("core/__init__.py", "blender_dreamfusion/__init__.py", "blender_dreamfusion/blender_manifest.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text().replace('__version__ = "', '__version__ = "9.'))
    monkeypatch.setattr(build_addon, "ROOT", tmp_path)
    with pytest.raises(build_addon.BuildError, match="different versions"):
        build_addon.read_version()
    (tmp_path / "LICENSE").write_text("")
    assert build_addon.main(["--out", str(tmp_path / "dist")]) == 1
    assert "build_addon.py: core/starter/weights holds no model" in capsys.readouterr().err


def constants(module):
    """The literal values at the top of a module that needs Blender."""
    tree = ast.parse((ROOT / "blender_dreamfusion" / f"{module}.py").read_text())
    found = {}
    for node in tree.body:
        with contextlib.suppress(ValueError, AttributeError):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def test_the_panel_offers_what_the_trainer_knows():
    offered = constants("properties")
    for name in ("PRESETS", "SD_VERSIONS", "METHODS", "DEVICES"):
        assert {item[0] for item in offered[name]} == set(getattr(core.config, name))


def test_the_object_can_be_what_the_trainer_makes():
    offered = constants("object_settings")
    assert offered["FACES"] == core.config.FACES
    for size in offered["_SIZES"]:
        args = build_parser().parse_args(generate_argv("a mug", "x", {"texture_size": int(size)}))
        assert make_config(args).mesh.texture_size == int(size)


def test_the_add_on_imports_the_standard_library_blender_and_numpy_alone():
    allowed = {*sys.stdlib_module_names, "bpy", "bl_operators", "bl_ui", "numpy"}
    shared = [ROOT / "core" / f"{name}.py" for name in SHARED]
    for path in [*(ROOT / "blender_dreamfusion").rglob("*.py"), *shared]:
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 10))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            foreign = {name.split(".")[0] for name in names} - allowed
            assert not foreign or path.name == "core_files.py", f"{path.name} imports {foreign}"
