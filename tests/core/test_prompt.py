"""View-dependent prompts with an encoder whose embeddings name the text they came from."""

from __future__ import annotations

import pytest
import torch

from core.camera import Views
from core.config import clean_prompt
from core.errors import InputError
from core.guidance.conditioning import Conditioning
from core.prompt import VIEW_WORDS, ViewPrompts, fit_prompt, view_index


class WordEncoder:
    """One token a word; the embedding of the n-th text it ever saw is n everywhere."""

    def __init__(self, max_tokens: int = 20) -> None:
        self.max_tokens = max_tokens
        self.texts: list[str] = []
        self.calls = 0

    def count_tokens(self, text: str) -> int:
        return len(text.replace(",", " ,").split()) + 2

    def get_text_embeds(self, prompt):
        self.calls += 1
        start = len(self.texts)
        self.texts += prompt
        numbers = torch.arange(start, len(self.texts), dtype=torch.float32)
        return Conditioning(numbers[:, None, None].expand(-1, 3, 2))


def views(azimuth: list[float], elevation: list[float]) -> Views:
    count = len(azimuth)
    return Views(torch.tensor(azimuth), torch.tensor(elevation), torch.full((count,), 3.0), torch.full((count,), 40.0))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [
        (0, 0, "front view"),
        (44, 30, "front view"),
        (-44, 30, "front view"),
        (316, 30, "front view"),
        (360, 0, "front view"),
        (46, 0, "side view"),
        (90, 59, "side view"),
        (-90, 0, "side view"),
        (270, 0, "side view"),
        (134, -10, "side view"),
        (136, 0, "back view"),
        (180, 0, "back view"),
        (-180, 0, "back view"),
        (224, 0, "back view"),
        (0, 61, "overhead view"),
        (180, 89, "overhead view"),
    ],
)
def test_view_words(azimuth, elevation, expected):
    index = view_index(views([float(azimuth)], [float(elevation)]))
    assert VIEW_WORDS[index.item()] == expected


def test_each_text_is_encoded_once_and_handed_out_by_view():
    encoder = WordEncoder()
    prompts = ViewPrompts(encoder, " a  red\nmug ", "blurry  thing")
    assert encoder.texts == ["blurry thing", *(f"a red mug, {words}" for words in VIEW_WORDS)]
    pair = prompts.guided_pair(views([90.0, 0.0, 10.0], [0.0, 0.0, 80.0]))
    assert pair.embeddings.shape == (6, 3, 2)
    assert pair.embeddings[:, 0, 0].tolist() == [0, 0, 0, 2, 1, 4]
    assert encoder.calls == 1


@pytest.mark.parametrize("prompt", ["", "  ", "\n\t"])
def test_a_blank_prompt_is_refused(prompt):
    with pytest.raises(InputError, match=r"prompt is empty.*hamburger"):
        ViewPrompts(WordEncoder(), prompt)
    with pytest.raises(InputError, match="prompt is empty"):
        clean_prompt(prompt)


def test_a_long_prompt_is_cut_so_that_the_view_words_survive():
    said: list[str] = []
    encoder = WordEncoder(max_tokens=10)
    ViewPrompts(encoder, " ".join(f"w{i}" for i in range(50)), say=said.append)
    assert encoder.texts[1:] == [f"w0 w1 w2 w3 w4, {words}" for words in VIEW_WORDS]
    assert said == ["The prompt is too long for this model (10 tokens): it reads only 'w0 w1 w2 w3 w4'."]


def test_a_prompt_that_just_fits_is_left_alone():
    said: list[str] = []
    assert fit_prompt(WordEncoder(max_tokens=5), "one two three", said.append) == "one two three"
    assert fit_prompt(WordEncoder(max_tokens=4), "one two three", said.append) == "one two"
    assert len(said) == 1


def test_a_long_prompt_warns_where_nobody_listens():
    with pytest.warns(UserWarning, match="too long"):
        fit_prompt(WordEncoder(max_tokens=4), "one two three")


def test_one_word_beyond_the_limit_is_left_to_the_tokenizer():
    said: list[str] = []
    assert fit_prompt(WordEncoder(max_tokens=2), "word", said.append) == "word"
    assert len(said) == 1
