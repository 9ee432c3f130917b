import re
from pathlib import Path

import tomllib

from core import packages

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_every_package_that_the_project_needs_is_looked_for():
    listed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    assert [re.split("[=<>]", line)[0] for line in listed] == list(packages.PACKAGES)


def test_the_installed_add_on_names_its_own_list(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "__file__", str(tmp_path / "core" / "packages.py"))
    assert packages.install_command().endswith(f"-m pip install {tmp_path}")
    (tmp_path / "requirements.txt").write_text("torch")
    assert packages.install_command().endswith(f"-m pip install -r {tmp_path / 'requirements.txt'}")
