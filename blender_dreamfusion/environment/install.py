"""From nothing, or from what an earlier set-up left, to an environment that was seen to compute."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..language import say
from . import packages, pythons
from .backends import BackEnd
from .child import Runner, working_folder
from .events import Event, Log, Progress, SetupError
from .folder import Environment, Record, State, fingerprint, folder_size

_GB = 10**9


@dataclass(frozen=True)
class Order:
    """What to make: `root` holds core/ and requirements.txt; `wheels` is a folder, or None to download."""

    folder: Path
    python: pythons.Python
    back_end: BackEnd
    root: Path
    wheels: Path | None = None

    @property
    def requirements(self) -> str:
        """The contents of requirements.txt. Raises SetupError."""
        try:
            return (self.root / "requirements.txt").read_text(encoding="utf-8")
        except OSError as error:
            text = say("The add-on's requirements.txt is missing: install the whole zip again.")
            raise SetupError("other", text) from error


class Installation:
    """One set-up, step by step; `emit` gets its events."""

    def __init__(self, order: Order, runner: Runner, emit: Callable[[Event], None]) -> None:
        """Touches nothing."""
        self._order = order
        self._runner = runner
        self._emit = emit
        self._environment = Environment(order.folder)
        self._temporary = self._environment.cache / "tmp"
        self._fetched = 0  # bytes, by all of pip's runs so far

    def run(self) -> str:
        """Do it; returns a line on what is there now. Raises SetupError."""
        self._check()
        with self._environment.locked():
            try:
                return self._make()
            except OSError as error:
                raise explain_os_error(error) from error

    def _check(self) -> None:
        """Whatever can be known to fail before anything is written."""
        if self._order.python.problem:
            raise SetupError("python", self._order.python.problem)
        if self._order.wheels is not None:
            packages.check_wheels(self._order.wheels)
        self._environment.sweep()
        check_space(self._order.folder, self._needed())

    def _needed(self) -> int:
        """Bytes that the set-up takes at most: what it unpacks, and the downloads twice while pip stores them."""
        downloads = 0 if self._order.wheels else 2 * self._order.back_end.download
        return max(0, self._unpacked() + downloads - folder_size(self._order.folder))

    def _unpacked(self) -> int:
        """Bytes of all packages once they are installed, about; the wheels may be for another back end."""
        wheels = self._order.wheels
        return max(self._order.back_end.disk, packages.unpacked_size(wheels) if wheels is not None else 0)

    def _make(self) -> str:
        order, environment = self._order, self._environment
        keep = self._can_update()
        record = Record(False, fingerprint(order.requirements), order.back_end.name, order.python.version_text)
        environment.write(record)
        environment.log.write_bytes(b"")
        shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed pip left
        self._temporary.mkdir(parents=True)
        if not keep:
            self._make_venv()
        self._install()
        device = self._test()
        shutil.rmtree(environment.cache, ignore_errors=True)
        size = folder_size(environment.folder)
        environment.write(dataclasses.replace(record, complete=True, device=device, size=size))
        return f"Ready on {device}: {size / _GB:.1f} GB in {environment.folder}"

    def _can_update(self) -> bool:
        """Whether a whole environment of the same kind is there; half of one is not trusted and made anew."""
        record = self._environment.read()
        if record is None or self._environment.state(fingerprint(self._order.requirements)) is not State.OUTDATED:
            return False
        same = (self._order.back_end.name, self._order.python.version_text)
        return (record.back_end, record.python_version) == same

    def _make_venv(self) -> None:
        self._emit(Progress("environment"))
        shutil.rmtree(self._environment.venv, ignore_errors=True)
        log = _Lines(self._log)
        program = self._order.python.program
        if self._run([program, "-I", "-m", "venv", str(self._environment.venv)], log):
            sentence = "{program} makes no environment ({reason}): choose another Python."
            raise SetupError("python", say(sentence, program=program, reason=log.last))

    def _install(self) -> None:
        order = self._order
        requirements = ["-r", str(order.root / "requirements.txt")]
        if order.wheels is not None:
            self._emit(Progress("install"))
            self._pip(packages.offline_arguments(requirements, order.wheels))
            return
        self._emit(Progress("packages"))
        self._pip([*packages.ITSELF], bytes_count=False)
        self._emit(Progress("download"))
        torch = packages.torch_requirement(order.requirements, order.back_end)
        cache = self._environment.cache
        self._pip(packages.online_arguments([torch], order.back_end.index_url(), cache))  # no index but PyPI for others
        self._pip(packages.online_arguments(requirements, "", cache))

    def _pip(self, arguments: list[str], bytes_count: bool = True) -> None:
        """Run ``pip install``, and tell its bytes where they count. Raises SetupError where it fails."""
        output = packages.PipOutput(self._fetched)
        download, unpacked = self._order.back_end.download, self._unpacked()

        def on_line(line: str) -> None:
            if output.feed(line):
                self._log(line)
            elif not output.installing and bytes_count:
                self._emit(Progress("download", output.fetched, max(download, output.fetched)))

        def on_idle() -> None:
            if output.installing and bytes_count:
                done = folder_size(self._environment.venv)
                self._emit(Progress("install", done, max(unpacked, done)))

        command = [str(self._environment.python), "-I", "-m", "pip", "install", *arguments]
        code = self._run(command, on_line, on_idle)
        self._fetched = output.fetched
        if code:
            raise packages.explain(output.lines)

    def _test(self) -> str:
        """Let the trainer compute on the device; returns the device. Raises SetupError where it cannot."""
        self._emit(Progress("test"))
        log = _Lines(self._log)
        command = [str(self._environment.python), "-X", "utf8", "-m", "core", "doctor"]
        code = self._run(command, log, folder=self._order.root)
        if code:
            reason = log.last.removeprefix("error: ") or say("exit code {code}", code=code)
            raise SetupError("test", say("The trainer does not run: {reason}", reason=reason))
        device = next((line.split(None, 1)[1] for line in log.lines if line.startswith("device ")), "")
        back_end = self._order.back_end
        if back_end.device != "cpu" and not device.startswith(back_end.device):
            sentence = "PyTorch sees no GPU that works with {back_end}: set up for the CPU."
            raise SetupError("test", say(sentence, back_end=back_end.label))
        return device

    def _run(
        self,
        command: list[str],
        on_line: Callable[[str], None],
        on_idle: Callable[[], None] = lambda: None,
        folder: Path | None = None,
    ) -> int:
        """Run it with its temporary files on the environment's own disk; returns the exit code."""
        variables = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._temporary))
        return self._runner.run(command, folder or working_folder(), variables, on_line, on_idle)

    def _log(self, line: str) -> None:
        with self._environment.log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._emit(Log(packages.plain(line)))


class _Lines:
    """Keeps the lines that a program prints, and passes them on."""

    def __init__(self, pass_on: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self._pass_on = pass_on

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._pass_on(line)

    @property
    def last(self) -> str:
        """The last line that is not blank, or an empty string."""
        return next((line.strip() for line in reversed(self.lines) if line.strip()), "")


def check_space(folder: Path, needed: int) -> None:
    """Raise SetupError where the disk of the folder, which may not exist yet, has fewer bytes free."""
    free = free_space(folder)
    if free < needed:
        sentence = (
            "The set-up needs {needed:.1f} GB, and {free:.1f} GB are free: free some space, or choose a folder on "
            "another disk."
        )
        raise SetupError("disk", say(sentence, needed=needed / _GB, free=free / _GB))


def free_space(folder: Path) -> int:
    """Bytes free on the disk of a folder that may not exist yet."""
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), Path(folder.anchor or "."))
    return shutil.disk_usage(there).free


def explain_os_error(error: OSError) -> SetupError:
    """A full disk or a folder that cannot be written, in one sentence."""
    if packages.is_full(str(error)):
        return packages.disk_full()
    sentence = "Cannot write {path} ({reason}): choose another folder."
    return SetupError("folder", say(sentence, path=error.filename, reason=error.strerror))
