"""What CI runs: ``nox`` does all of it, ``nox -s lint`` and so on a part. One environment serves all sessions."""

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests", "slow", "blender"]
nox.options.stop_on_first_error = True

ENVIRONMENT = str(Path(__file__).parent / ".nox" / "shared")
APT_PROGRAMS = {"blender": "blender", "Xvfb": "xvfb", "xdotool": "xdotool", "import": "imagemagick"}


def shared(function):
    """A session in the one environment that holds the trainer and the test tools."""

    def session_body(session: nox.Session) -> None:
        session.install("--quiet", "--editable", ".[test]")
        function(session)

    return nox.session(name=function.__name__, venv_location=ENVIRONMENT, reuse_venv=True)(session_body)


@shared
def lint(session):
    """Style and layout."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@shared
def types(session):
    """The trainer strictly, the add-on against Blender's API."""
    session.run("mypy")


@shared
def tests(session):
    """The fast suite: no Blender, no long training."""
    session.run("pytest", *session.posargs)


@shared
def slow(session):
    """Real runs of the starter model."""
    session.run("pytest", "-m", "slow", *session.posargs)


@shared
def blender(session):
    """The built zip in real Blenders: Debian's own and the wheels that the rig installs."""
    missing = [package for program, package in APT_PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        session.error(f"Install what the Blender tests need: apt-get install {' '.join(missing)}")
    session.run("pytest", "-m", "blender", *session.posargs)
