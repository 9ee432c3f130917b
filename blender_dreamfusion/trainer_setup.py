"""The set-up of the trainer's environment as the preferences show it: what runs, how far it is, its end. No bpy."""

from __future__ import annotations

import collections
from pathlib import Path

from .environment import backends
from .environment.events import Event, Failed, Log, Progress, Surveyed
from .environment.folder import Environment, State, fingerprint
from .environment.packages import unpacked_size
from .language import say
from .setup_process import SetupProcess

_LOG_LINES = 4
_END_SECONDS = 5.0
_GB = 10**9
_STAGES = {
    "environment": "Making the environment",
    "packages": "Preparing pip",
    "download": "Downloading",
    "install": "Installing",
    "test": "Testing the device",
    "remove": "Removing",
}
_DEVICES = {"cpu": "CPU", "mps": "Metal (MPS)"}  # of core.device; one of CUDA tells its name
_STATES = {
    State.MISSING: "The trainer, which makes the objects, is not set up yet.",
    State.INCOMPLETE: "The set-up was not finished.",
    State.OUTDATED: "This version of the add-on needs other packages.",
    State.BROKEN: "The Python that the trainer rests on is gone.",
}
_BUTTONS = {
    State.MISSING: "Set Up Trainer",
    State.INCOMPLETE: "Resume Set-Up",
    State.OUTDATED: "Update Trainer",
    State.BROKEN: "Repair Trainer",
    State.READY: "Set Up Again",
}


class TrainerSetup:
    """One survey, installation or removal at a time.

    Attributes: `survey` (what this computer has, or None until it was looked at); `action` (what runs, or "");
    `progress` (the newest, or None); `log` (the newest lines); `failed` (how the last one failed, or None).
    """

    def __init__(self) -> None:
        """Nothing runs."""
        self.survey: Surveyed | None = None
        self.action = ""
        self.progress: Progress | None = None
        self.log: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self.failed: Failed | None = None
        self._process: SetupProcess | None = None

    @property
    def running(self) -> bool:
        """Whether an environment is being made or removed."""
        return self.action in ("install", "remove")

    @property
    def fraction(self) -> float:
        """How far the stage at hand is, from 0 to 1."""
        return min(1.0, self.progress.done / self.progress.total) if self.progress and self.progress.total else 0.0

    def start(self, action: str, arguments: list[str]) -> None:
        """Start ``environment`` with an action and its arguments, in the place of what runs.

        Where that fails, `failed` says why.
        """
        self.close()
        self.progress = self.failed = None
        self.log.clear()
        try:
            self._process = SetupProcess([action, *arguments])
        except OSError as error:
            sentence = "Cannot run Blender's Python ({error}): install Python and choose it here."
            self.failed = Failed("python", say(sentence, error=error))
            return
        self.action = action

    def look(self) -> None:
        """See what this computer has, unless that is known or something runs."""
        if not self.action and self.survey is None and self.failed is None:
            self.start("survey", [])

    def cancel(self) -> None:
        """Ask what runs to end; what was downloaded is kept."""
        if self._process is not None:
            self._process.cancel()

    def pump(self) -> bool:
        """Handle what has arrived; returns whether anything changed."""
        events = self._process.receive() if self.action and self._process is not None else []
        for event in events:
            self._handle(event)
        return bool(events)

    def close(self) -> None:
        """End what runs, and wait for that; a survey has nothing to leave in order."""
        if self._process is not None:
            self._process.close(_END_SECONDS if self.running else 0.0)
        self.action = ""

    def _handle(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Log):
            self.log.append(event.text)
        else:
            self.action = ""
            self.survey = event if isinstance(event, Surveyed) else self.survey
            self.failed = event if isinstance(event, Failed) else None


SETUP = TrainerSetup()


def install_arguments(folder: Path, python: str, back_end: str, wheels: str) -> list[str]:
    """For ``environment install``; empty texts leave the choice to it."""
    named = {"--python": python, "--back-end": back_end, "--wheels": wheels}
    return ["--folder", str(folder), *(part for name, value in named.items() if value for part in (name, value))]


def environment_state(environment: Environment, root: Path) -> State:
    """The environment's state for the add-on whose requirements.txt lies in `root`."""
    try:
        requirements = (root / "requirements.txt").read_text(encoding="utf-8")
    except OSError:
        requirements = ""
    return environment.state(fingerprint(requirements))


def state_text(state: State, environment: Environment) -> str:
    """A state in words."""
    record = environment.read()
    if state is State.READY and record is not None:
        device = _DEVICES.get(record.device, record.device)
        sentence = "Ready: {device}, Python {version}, {size}"
        return say(sentence, device=device, version=record.python_version, size=size_text(record.size))
    return say(_STATES[state]) if state in _STATES else ""


def button_text(state: State) -> str:
    """What the button does about a state."""
    return say(_BUTTONS[state])


def remedy(failed: Failed, back_end: str) -> str:
    """What mends a failure, beside trying again: "python" to get one, "cpu" to do without the GPU, or nothing else.

    `back_end` is the one that the user chose, or empty.
    """
    without_gpu = backends.CPU in backends.offered() and back_end != backends.CPU.name
    return {"python": "python", "test": "cpu" if without_gpu else ""}.get(failed.kind, "")


def progress_text(progress: Progress | None) -> str:
    """A stage in words, with how many bytes are done."""
    if progress is None:
        return say("Starting")
    stage = say(_STAGES[progress.stage])
    if not progress.total:
        return stage
    done, total = size_text(progress.done), size_text(progress.total)
    return say("{stage}: {done} of about {total}", stage=stage, done=done, total=total)


def cost_text(back_end: str, folder: Path, free: int, wheels: str) -> str:
    """What the set-up of a back end for this computer downloads and takes, and where."""
    build = backends.BACK_ENDS[back_end]
    disk = build.disk
    if wheels:
        disk = max(disk, unpacked_size(Path(wheels)))
        sentence = "For {back_end}: downloads nothing and takes {disk} of {free} free in {folder}"
    else:
        sentence = "For {back_end}: downloads about {download} and takes {disk} of {free} free in {folder}"
    download, there = size_text(build.download), size_text(free)
    return say(sentence, back_end=build.label, download=download, disk=size_text(disk), free=there, folder=folder)


def size_text(size: int) -> str:
    """Bytes as 0.4 GB, or 12 MB where there are less."""
    return f"{size / _GB:.1f} GB" if size >= _GB / 10 else f"{size / 10**6:.0f} MB"
