"""The Blenders, the built zip and the programs that stand in for the trainer's Python."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / "rig"), str(Path(__file__).parents[1] / "addon")]

from blenders import VERSIONS, blender_program  # noqa: E402

import build_addon  # noqa: E402


@pytest.fixture(scope="session", params=VERSIONS)
def blender(request):
    """The Blender program of each version in turn."""
    return blender_program(request.param)


@pytest.fixture(scope="session")
def addon_zip(tmp_path_factory):
    """The zip that users get."""
    return build_addon.build(tmp_path_factory.mktemp("dist"))
