import pytest
import torch

from core.finite import step_if_finite


def descend(loss, gradient):
    """A weight after one step of length 1, and whether there was one."""
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    weight.grad = torch.tensor(gradient)
    stepped = step_if_finite(torch.optim.SGD([weight], lr=1.0), torch.tensor(loss))
    return weight.tolist(), stepped


def test_a_finite_step_is_taken():
    assert descend(3.0, [0.5, -1.0]) == ([0.5, 3.0], True)


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [(float("nan"), [0.5, 1.0]), (float("inf"), [0.5, 1.0]), (1.0, [0.5, float("nan")]), (1.0, [-float("inf"), 1.0])],
)
def test_any_other_changes_nothing(loss, gradient):
    assert descend(loss, gradient) == ([1.0, 2.0], False)
