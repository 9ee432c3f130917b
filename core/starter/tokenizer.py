"""A CLIP tokenizer whose byte-pair merges were written down rather than learnt: every catalogue word is one token."""

from __future__ import annotations

import itertools
from typing import Any

from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 24  # tokens of a prompt, with start and end
WORD_END = "</w>"  # marks a word's last piece


def byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for bytes in GPT-2's and CLIP's vocabularies, by byte."""
    plain = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def word_merges(words: list[str]) -> list[tuple[str, str]]:
    """Merges, highest rank first, after which each word is one token.

    A word's own merges join what the merges before it leave of that word; coming last, they change no earlier word.
    """
    merges: list[tuple[str, str]] = []
    for word in words:
        pieces = _split(word, {pair: rank for rank, pair in enumerate(merges)})
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces[:2] = [pieces[0] + pieces[1]]
    return merges


def _split(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Byte-pair encoding: join the neighbours of the lowest rank until no rank is left."""
    pieces = [*word[:-1], word[-1] + WORD_END]
    while True:
        known = [(ranks[pair], at) for at, pair in enumerate(itertools.pairwise(pieces)) if pair in ranks]
        if not known:
            return pieces
        at = min(known)[1]
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]


def make_tokenizer(words: list[str]) -> Any:
    """A CLIPTokenizer that knows single bytes and these words; anything else falls apart into letters."""
    letters = byte_alphabet()
    merges = word_merges(words)
    ends = [letter + WORD_END for letter in letters]
    tokens = [*letters, *ends, *dict.fromkeys(left + right for left, right in merges), START, END]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)}, merges=merges, model_max_length=MAX_LENGTH
    )
