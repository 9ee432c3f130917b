import subprocess
import sys

import pytest

from core import lock
from core.errors import InputError
from core.lock import exclusive
from core.lockfile import is_locked

HOLD = (
    "import sys, time\nfrom core.lock import exclusive\n"
    "with exclusive(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(60)"
)


def test_one_holder_at_a_time(tmp_path):
    assert not is_locked(tmp_path)
    with exclusive(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(InputError, match="Another trainer"), exclusive(tmp_path):
            pass
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_a_killed_holder_lets_go(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        with pytest.raises(InputError, match="Another trainer"), exclusive(tmp_path):
            pass
        child.kill()
        child.wait()
    with exclusive(tmp_path):
        pass


def test_a_refused_folder_is_left_as_it_was(tmp_path):
    with exclusive(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_is_deleted_under_us_is_made_anew(tmp_path, monkeypatch):
    """Its holder deletes it between our opening and our locking it: two holders would have a file each."""
    real, opened = lock._open_lock, []

    def open_and_lose(folder):
        opened.append(real(folder))
        if len(opened) == 1:
            (tmp_path / "job.lock").unlink()
        return opened[-1]

    monkeypatch.setattr(lock, "_open_lock", open_and_lose)
    with exclusive(tmp_path):
        assert len(opened) == 2
        assert is_locked(tmp_path)
