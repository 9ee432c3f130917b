import threading
import time

import pytest

from core.control import Control
from core.errors import Cancelled


def test_check_returns_at_once_while_nothing_is_asked():
    control = Control()
    assert not control.checked
    control.check()
    assert control.checked
    assert not control.cancelled


def test_the_first_reason_to_cancel_counts():
    control = Control()
    control.cancel("one")
    control.cancel("two")
    for _ in range(2):
        with pytest.raises(Cancelled, match=r"^one$"):
            control.check()


def test_a_pause_lasts_until_go_on_and_is_announced():
    control, heard = Control(), []
    control.on_pause = heard.append
    control.pause()
    threading.Timer(0.3, control.go_on).start()
    start = time.monotonic()
    control.check()
    assert time.monotonic() - start > 0.25
    assert heard == [True, False]


def test_cancel_ends_a_pause():
    control = Control()
    control.pause()
    threading.Timer(0.2, control.cancel, ("enough",)).start()
    with pytest.raises(Cancelled, match="enough"):
        control.check()
