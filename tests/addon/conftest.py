"""A list of jobs with stand-ins for the trainer."""

import pytest

from blender_dreamfusion.job_queue import JobQueue
from blender_dreamfusion.trainer_job import TrainerJob
from tests.addon.doubles import double_python


@pytest.fixture
def queue(tmp_path):
    """A queue whose trainer's Python is `queue.python`; closed at the end."""
    made = JobQueue(lambda order: TrainerJob(made.python, order))
    made.python = double_python(tmp_path / "bin", "--steps", "4")
    made.folder = tmp_path / "jobs"
    yield made
    made.close()
