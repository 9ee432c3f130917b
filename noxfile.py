"""What CI runs: ``nox`` does all of it, ``nox -s lint`` and so on a part, each in the environment that nox is in."""

import shutil
import sys

import nox

nox.options.sessions = ["lint", "types", "tests", "slow", "blender"]
nox.options.stop_on_first_error = True

APT_PROGRAMS = {"blender": "blender", "Xvfb": "xvfb", "xdotool": "xdotool", "import": "imagemagick"}


def run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a module of this environment."""
    session.run(sys.executable, "-m", module, *arguments)


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
    """The fast suite: no Blender, no long training."""
    run(session, "pytest", *session.posargs)


@nox.session(python=False)
def slow(session: nox.Session) -> None:
    """Real runs of the starter model."""
    run(session, "pytest", "-m", "slow", *session.posargs)


@nox.session(python=False)
def blender(session: nox.Session) -> None:
    """The built zip in real Blenders: Debian's own and the wheels that the rig installs."""
    missing = [package for program, package in APT_PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        session.error(f"Install what the Blender tests need: apt-get install {' '.join(missing)}")
    run(session, "pytest", "-m", "blender", *session.posargs)
