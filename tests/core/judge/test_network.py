import pytest
import torch

from core.errors import InputError
from core.judge import network
from core.judge.network import INPUT_SIZE, JudgeNetwork, load_network, save_network
from core.judge.subject import COLOR_NAMES, NOUNS


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return JudgeNetwork().eval()


def test_it_is_small(untrained):
    assert sum(weights.numel() for weights in untrained.parameters()) < 1_100_000


def test_answers_are_probabilities_for_any_size_of_picture(untrained):
    for size in (INPUT_SIZE, 2 * INPUT_SIZE):
        guesses = untrained.guess(torch.rand(3, 3, size, size), textureless=False)
        sizes = (len(NOUNS),), (len(COLOR_NAMES),), (len(NOUNS), 3)
        for answer, shape in zip((guesses.concept, guesses.color, guesses.side), sizes, strict=True):
            assert answer.shape == (3, *shape)
            assert torch.allclose(answer.exp().sum(-1), torch.ones(answer.shape[:-1]), atol=1e-5)


def test_it_knows_whether_colours_were_taken_away(untrained):
    pictures = torch.rand(2, 3, 64, 64)
    with_colors, without = (untrained.guess(pictures, bare).concept for bare in (False, True))
    assert not torch.allclose(with_colors, without)


def test_left_is_not_right(untrained):
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., :20] = 1
    assert not torch.allclose(untrained.guess(picture, False).side, untrained.guess(picture.flip(-1), False).side)


def test_saved_weights_answer_alike(untrained, tmp_path):
    path = tmp_path / "new" / "judge.safetensors"
    save_network(untrained, path, {"textured": 0.99})
    assert path.stat().st_size < 2_200_000
    pictures = torch.rand(4, 3, 64, 64)
    one, other = (which.guess(pictures, True).concept for which in (untrained, load_network(path)))
    assert (one - other).abs().max() < 0.02


def test_weights_of_another_catalogue_are_refused(untrained, tmp_path, monkeypatch):
    monkeypatch.setitem(network._KNOWN, "concepts", ["zeppelin"])
    save_network(untrained, tmp_path / "judge.safetensors", {})
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"another catalogue.*core\.judge\.training"):
        load_network(tmp_path / "judge.safetensors")


def test_weights_of_another_network_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "WIDTHS", (8, 16))
    save_network(JudgeNetwork(), tmp_path / "judge.safetensors", {})
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"another network.*core\.judge\.training"):
        load_network(tmp_path / "judge.safetensors")


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_missing_or_damaged_weights_are_one_clear_line(tmp_path, content):
    if content is not None:
        (tmp_path / "judge.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"core\.judge\.training") as caught:
        load_network(tmp_path / "judge.safetensors")
    assert "\n" not in str(caught.value)
