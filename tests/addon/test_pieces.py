"""The small bpy-free pieces: colours, mesh file, texts, job folders, the module of messages, prompt files."""

import sys

import numpy as np
import pytest

import blender_dreamfusion
import core.config
import core.lock
import core.protocol
from blender_dreamfusion import core_files, mesh_file, prompts, texts, workspaces
from blender_dreamfusion.colors import srgb_to_linear
from tests.addon.job_folders import make_job

TRIANGLE = {
    "vertices": np.array([[0, 0, 1], [2, 0, 1], [0, 4, 3]], np.float32),
    "faces": np.array([[0, 1, 2]], np.int32),
    "uv": np.zeros((1, 3, 2), np.float32),
    "colors": np.full((3, 3), 0.5, np.float32),
}


def test_srgb_to_linear_at_known_values():
    srgb = np.array([0.0, 0.04045, 0.5, 1.0], np.float32)
    expected = [0.0, 0.04045 / 12.92, 0.21404114, 1.0]
    np.testing.assert_allclose(srgb_to_linear(srgb), expected, atol=1e-6)


def test_a_blender_without_numpy_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match="apt install python3-numpy"):
        blender_dreamfusion.register()


def test_protocol_is_the_trainers_file():
    assert core_files.protocol.__file__ == core.protocol.__file__
    message = core_files.protocol.Generate("a mug", "/tmp/job", {"seed": 1})
    line = core_files.protocol.encode(message)
    assert core.protocol.decode(line) == core.protocol.Generate("a mug", "/tmp/job", {"seed": 1})


def test_a_mesh_is_read_and_put_on_the_ground(tmp_path):
    np.savez(tmp_path / "mesh.npz", **TRIANGLE)
    mesh = mesh_file.read_mesh(tmp_path / "mesh.npz")
    np.testing.assert_array_equal(mesh.standing().vertices, [[-1, -2, 0], [1, -2, 0], [-1, 2, 2]])
    np.testing.assert_array_equal(mesh.standing(0.5).vertices, [[-0.25, -0.5, 0], [0.25, -0.5, 0], [-0.25, 0.5, 0.5]])
    np.testing.assert_array_equal(mesh.standing(0.5).faces, TRIANGLE["faces"])


def test_a_mesh_takes_the_place_of_another(tmp_path):
    np.savez(tmp_path / "mesh.npz", **TRIANGLE)
    mesh = mesh_file.read_mesh(tmp_path / "mesh.npz").standing(0.5, (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(mesh.vertices, [[0.75, 1.5, 3], [1.25, 1.5, 3], [0.75, 2.5, 3.5]])


SKETCH = {
    **{name: TRIANGLE[name] for name in ("vertices", "faces", "colors")},
    "palette": np.float32([[0, 0, 0], [1, 0, 0]]),
    "slots": np.uint8([1]),
}


def test_a_sketch_is_read(tmp_path):
    np.savez(tmp_path / "sketch.npz", **SKETCH)
    sketch = mesh_file.read_sketch(tmp_path / "sketch.npz")
    for name, array in SKETCH.items():
        np.testing.assert_array_equal(getattr(sketch, name), array)


@pytest.mark.parametrize(
    "change",
    [
        {"slots": np.uint8([2])},
        {"slots": np.uint8([0, 1])},
        {"palette": np.zeros((0, 3), np.float32)},
        {"palette": np.float32([0, 1])},
        {"colors": np.zeros((2, 3), np.float32)},
        {"faces": np.int32([[0, 1, 3]])},
        {"faces": np.int32([[0, 1, 1]])},
    ],
)
def test_an_unusable_sketch_is_refused(tmp_path, change):
    np.savez(tmp_path / "sketch.npz", **{**SKETCH, **change})
    with pytest.raises(mesh_file.MeshFileError):
        mesh_file.read_sketch(tmp_path / "sketch.npz")


def test_a_flat_mesh_has_no_height_to_scale(tmp_path):
    flat = TRIANGLE["vertices"] * np.float32([1, 1, 0])
    np.savez(tmp_path / "mesh.npz", **{**TRIANGLE, "vertices": flat})
    mesh = mesh_file.read_mesh(tmp_path / "mesh.npz").standing(3.0)
    np.testing.assert_array_equal(mesh.vertices, [[-1, -2, 0], [1, -2, 0], [-1, 2, 0]])


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red mug with red dots", ["red", "mug", "dots"]),
        ("A Snowman, on the X-mas tree!", ["snowman", "x-mas", "tree"]),
        ("ein süßes Haus", ["ein", "süßes", "haus"]),
        ("햄버거 하나", ["햄버거", "하나"]),
        ("the", []),
    ],
)
def test_tags_are_the_words_that_tell_something(prompt, words):
    assert texts.tags(prompt) == words


@pytest.mark.parametrize(
    "change",
    [
        {"faces": np.array([[0, 1, 3]], np.int32)},
        {"faces": np.array([[0, 1, -1]], np.int32)},
        {"faces": np.zeros((0, 3), np.int32), "uv": np.zeros((0, 3, 2), np.float32)},
        {"uv": np.zeros((3, 2), np.float32)},
        {"vertices": np.full((3, 3), np.nan, np.float32)},
        {"colors": np.array([{}], object)},
    ],
)
def test_an_unusable_mesh_is_refused(tmp_path, change):
    np.savez(tmp_path / "mesh.npz", **{**TRIANGLE, **change})
    with pytest.raises(mesh_file.MeshFileError, match="generate again"):
        mesh_file.read_mesh(tmp_path / "mesh.npz")


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 torn", b"no zip at all"])
def test_a_missing_or_torn_mesh_file_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "mesh.npz").write_bytes(content)
    with pytest.raises(mesh_file.MeshFileError, match="generate again"):
        mesh_file.read_mesh(tmp_path / "mesh.npz")


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (187, "3:07"), (3723, "1:02:03")])
def test_clock(seconds, text):
    assert texts.clock(seconds) == text


def test_sizes():
    assert texts.bytes_on_disk(4_265_000_000) == "4.3 GB"
    assert texts.bytes_on_disk(12_300_000) == "12 MB"


def test_what_a_model_needs():
    assert texts.needs({"model": "starter"}, {}) == "Runs on any computer."
    assert "download of about 4.3 GB" in texts.needs({"model": "sd", "sd_version": "1.5"}, {"2.1": "/models/mine"})
    assert set(texts.DOWNLOADS) == set(core.config.SD_VERSIONS)
    assert "download" not in texts.needs({"model": "sd", "hf_key": "/models/toys"}, {})
    changed = texts.needs({"model": "sd", "sd_version": "1.5"}, {"1.5": "/models/mine"})
    assert changed.endswith("Your models.json makes it /models/mine.")
    assert "download" not in changed


@pytest.mark.parametrize("width_px", [150, 220, 400])
@pytest.mark.parametrize("text", ["The trainer at /a/very/long/path/without/any/space is gone.", "모델이 없다면 " * 9])
def test_lines_fit_and_lose_nothing(text, width_px):
    lines = texts.wrap(text, width_px, 1.0)
    assert "".join("".join(lines).split()) == "".join(text.split())
    room = max(16.0, (width_px - 75) / 6.7)
    assert all(sum(1.65 if letter >= "가" else 1 for letter in line) <= room for line in lines)
    assert len(lines) == 1 or all(line.strip() == line for line in lines)


def test_short_lines_are_not_cut():
    assert texts.wrap("one two", 400, 1.0) == ["one two"]
    assert texts.wrap("", 400, 1.0) == []


def test_time_left_is_silent_while_unknown():
    assert texts.time_left(core_files.protocol.Progress("training", 1, 10, 0.1, -1.0)) == ""
    assert texts.time_left(core_files.protocol.Progress("training", 1, 10, 0.1, 80.0)) == "1:20 left"


def test_wrapped_lines_fit_and_lose_nothing():
    text = "The trainer's Python lacks torch: install the add-on's requirements.txt there, or set another."
    lines = texts.wrap(text, 220, 1.0)
    assert " ".join(lines) == text
    assert max(map(len, lines)) <= 21
    assert texts.wrap(text, 440, 2.0) == lines


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A red mug!", "a_red_mug"),
        ("Café au lait", "cafe_au_lait"),
        ("汉堡", "object"),
        ("../../etc/passwd", "etc_passwd"),
    ],
)
def test_slug(prompt, name):
    assert workspaces.slug(prompt) == name


def test_a_new_workspace_is_new_and_short(tmp_path):
    first = workspaces.new_workspace(tmp_path, "a very long prompt about a hamburger with everything")
    first.mkdir()
    second = workspaces.new_workspace(tmp_path, "a very long prompt about a hamburger with everything")
    assert first != second
    assert len(first.name) <= 40


def test_the_details_of_a_job(tmp_path):
    job = make_job(tmp_path / "job", "cancelled")
    assert workspaces.read_details(job) == workspaces.Details("a mug", 4, "starter", "cancelled", "0.9")
    assert workspaces.is_interrupted(job)
    assert not workspaces.is_done(job)
    with core.lock.exclusive(job):
        assert not workspaces.is_interrupted(job)
    early = make_job(tmp_path / "early", "failed", checkpoint=False)
    assert not workspaces.is_interrupted(early)


def test_a_job_that_is_done_has_a_mesh(tmp_path):
    assert not workspaces.is_done(make_job(tmp_path / "lost", "done"))
    done = make_job(tmp_path / "done", "done", mesh=True)
    assert workspaces.is_done(done)
    assert not workspaces.is_interrupted(done)


@pytest.mark.parametrize("content", ["", '{"config": ', "[]", "{}"])
def test_a_torn_job_has_no_details(tmp_path, content):
    (tmp_path / "job.json").write_text(content)
    assert workspaces.read_details(tmp_path) is None


def test_a_mesh_file_with_torn_data_is_refused(tmp_path):
    path = tmp_path / "mesh.npz"
    np.savez_compressed(path, **TRIANGLE)
    data = bytearray(path.read_bytes())
    data[70:100] = b"\xff" * 30
    path.write_bytes(data)
    with pytest.raises(mesh_file.MeshFileError, match="generate again"):
        mesh_file.read_mesh(path)


def test_a_prompt_file_is_read_without_blanks_and_remarks(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_bytes("\ufeff# two\r\na mug\r\n\r\n  Café \n".encode())
    assert prompts.read_prompts(path) == ["a mug", "Café"]
    assert prompts.unique_names(["a mug", "A mug!", "Café", "a mug 2"]) == ["a_mug", "a_mug_2", "cafe", "a_mug_2_2"]


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot read"), (b"caf\xe9", "not UTF-8"), (b"# a mug\n\n", "no prompt")]
)
def test_a_prompt_file_that_is_of_no_use(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "prompts.txt").write_bytes(content)
    with pytest.raises(prompts.UsageError, match=complaint):
        prompts.read_prompts(tmp_path / "prompts.txt")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (
            "It is full: start again with --vram_O and --fp16.",
            'It is full: start again with "Save Memory" and "Precision: Half".',
        ),
        ("Try --preset draft or --device cpu.", 'Try "Quality: Draft" or "Device: CPU".'),
        ("give --sd_version 2.1 or 2.1-v", 'give "Version" 2.1 or 2.1-v'),
        ("add --sd_version mvdream.", 'add "Version: MVDream".'),
        ("nothing to replace: --fp16x", "nothing to replace: --fp16x"),
    ],
)
def test_the_panel_names_its_fields_and_not_options(sentence, shown):
    assert texts.in_fields(sentence) == shown
