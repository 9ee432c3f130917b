"""What CI runs: ``nox`` does all of it, ``nox -s lint`` and so on a part, each in the environment that nox is in."""

import os
import shutil
import sys

import nox

nox.options.sessions = ["lint", "types", "tests", "slow", "blender"]
nox.options.stop_on_first_error = True

APT_PROGRAMS = {"blender": "blender", "Xvfb": "xvfb", "xdotool": "xdotool", "import": "imagemagick"}

BLENDER_TESTS = ("-m", "blender", "--numprocesses", "2", "--dist", "worksteal")  # a window waits more than it works


def run(session: nox.Session, module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Run a module of this environment."""
    session.run(sys.executable, "-m", module, *arguments, env=env)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Style and layout."""
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """The trainer strictly, the add-on against Blender's API."""
    run(session, "mypy")


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """The fast suite: no Blender, no long training; a thread a process, since torch's threads wait by spinning."""
    run(session, "pytest", "--numprocesses", "2", *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session(python=False)
def slow(session: nox.Session) -> None:
    """Real runs of the starter model."""
    run(session, "pytest", "-m", "slow", *session.posargs)


@nox.session(python=False)
def blender(session: nox.Session) -> None:
    """The built zip in real Blenders: Debian's own and the wheels that the rig installs."""
    check_programs(session)
    run(session, "pytest", *BLENDER_TESTS, *session.posargs)


@nox.session(python=False)
def matrix(session: nox.Session) -> None:
    """The same in the Blenders between and after those; installed, with Python 3.13 there, where they are missing."""
    check_programs(session)
    versions = os.environ.get("DREAMFUSION_BLENDER_VERSIONS", "others")
    run(session, "pytest", *BLENDER_TESTS, *session.posargs, env={"DREAMFUSION_BLENDER_VERSIONS": versions})


def check_programs(session: nox.Session) -> None:
    """End with what to install where a program that drives Blender's window is missing."""
    missing = [package for program, package in APT_PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        session.error(f"Install what the Blender tests need: apt-get install {' '.join(missing)}")
