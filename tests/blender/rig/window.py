"""Runs a scenario in a real Blender window on a private virtual screen (see gui_driver.py for what a scenario is).

Starts Xvfb on a free display and Blender with factory settings and a throwaway home, installs the zip as a user does,
and leaves in the output folder: screenshots, results.json, blender.log, xvfb.log.
"""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

_SIZE = (1280, 960)
_DRIVER = Path(__file__).with_name("gui_driver.py")
_NEEDED = ("Xvfb", "xdotool", "import")


def run_scenario(blender, scenario, out, addon, arguments, limit=600):
    """Run the scenario file; fails where Blender crashes, hangs or a check fails.

    `arguments` reach the scenario as gui.arguments; `limit` is in seconds.
    """
    with running_blender(blender, scenario, out, addon, arguments) as process:
        code = process.wait(limit)
    results = out / "results.json"
    assert results.exists(), f"Blender ended with {code} and no results:\n{(out / 'blender.log').read_text()[-3000:]}"
    report = json.loads(results.read_text())
    failed = [check["text"] for check in report["checks"] if not check["ok"]]
    assert not failed, f"{failed}\n{report['error']}"
    assert not report["error"], report["error"]
    assert report["checks"], "the scenario checked nothing"


@contextlib.contextmanager
def running_blender(blender, scenario, out, addon, arguments):
    """Blender's window with the driver in it, as a process; killed at the end."""
    for program in _NEEDED:
        assert shutil.which(program), f"{program} is missing: apt-get install -y xvfb xdotool imagemagick"
    command = [blender, "--factory-startup", "--window-geometry", "0", "0", *map(str, _SIZE)]
    command += ["--python-exit-code", "3", "--python", str(_DRIVER), "--", *map(str, arguments)]
    env = isolated_environment(out / "home")
    with _screen(out) as display, (out / "blender.log").open("w") as log:
        env |= {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "OMP_NUM_THREADS": "1"}
        env |= {"GUI_OUT": str(out), "GUI_SCENARIO": str(scenario), "GUI_ADDON": str(addon)}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        except subprocess.TimeoutExpired:
            subprocess.run(["import", "-display", display, "-window", "root", out / "timeout.png"], check=False)
            raise
        finally:
            process.kill()
            process.wait()


def isolated_environment(home):
    """An environment in which Blender finds and leaves nothing of the user's."""
    for name in ("config", "scripts", "datafiles", "extensions", "tmp", "run"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "run").chmod(0o700)
    kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "BLENDER_USER_CONFIG": str(home / "config"),
        "BLENDER_USER_SCRIPTS": str(home / "scripts"),
        "BLENDER_USER_DATAFILES": str(home / "datafiles"),
        "BLENDER_USER_EXTENSIONS": str(home / "extensions"),
    }


@contextlib.contextmanager
def _screen(out):
    """A virtual screen; gives its display name. Xvfb picks a free one and tells it once it is ready."""
    receive, send = os.pipe()
    command = ["Xvfb", "-displayfd", str(send), "-screen", "0", f"{_SIZE[0]}x{_SIZE[1]}x24"]
    with (out / "xvfb.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "-nolisten", "tcp", "-noreset"], pass_fds=[send], stdout=log, stderr=subprocess.STDOUT
        )
    os.close(send)
    try:
        with os.fdopen(receive) as pipe:
            number = pipe.readline().strip()
        assert number, f"Xvfb did not start: {(out / 'xvfb.log').read_text()}"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
