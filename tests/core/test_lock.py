import subprocess
import sys

import pytest

from core.errors import InputError
from core.lock import exclusive, is_locked

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


def test_looking_makes_no_folder(tmp_path):
    assert not is_locked(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
