"""What the trainer's sender leaves out."""

from core.link import _newest
from core.protocol import Done, Log, Preview, Progress, Sketch


def test_the_newest_of_each_kind_is_sent_and_all_else_in_its_order():
    early, late = (Progress("training", step, 9, step / 9, 1.0) for step in (1, 2))
    done = Done("/", "/mesh.npz", "", 1.0)
    waiting = [
        Log("a"),
        early,
        Preview("/p"),
        Sketch("/s"),
        late,
        Log("a"),
        Preview("/q"),
        Log("b"),
        Sketch("/t"),
        done,
        None,
    ]
    assert _newest(waiting) == [Log("a"), late, Log("a"), Preview("/q"), Log("b"), Sketch("/t"), done]
    assert _newest([None]) == []
