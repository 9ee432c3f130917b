"""Programs that hear Ctrl-C and the like, even where the tests run in the background and ignore them."""

import signal
import subprocess
import sys


def in_foreground(command, **options):
    """Start a program as a terminal does: what nohup or a background job ignores is heard again."""
    if sys.platform != "win32":
        options["preexec_fn"] = _hear
    return subprocess.Popen(command, **options)


def _hear():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
