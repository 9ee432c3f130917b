"""Writes CLIP's vocabulary for core/guidance/configs/clip from OpenAI's list of byte-pair merges.

    PYTHONPATH=. python docs/make_clip_vocabulary.py bpe_simple_vocab_16e6.txt.gz core/guidance/configs/clip

The list is part of OpenAI's CLIP and of the package open_clip_torch (open_clip/bpe_simple_vocab_16e6.txt.gz), both
under the MIT licence. CLIP uses the first 48,894 merges; its tokens are the 256 bytes, the 256 bytes at a word's end,
the merged pairs, and the marks of start and end: 49,408 in all (Radford et al., arXiv 2103.00020).
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from core.starter.tokenizer import byte_alphabet

TOKENS = 49_408


def main(source: str, target: str) -> None:
    """Write vocab.json and merges.txt into the folder `target`."""
    lines = gzip.decompress(Path(source).read_bytes()).decode().split("\n")[1:]  # the first names a version
    alphabet = sorted(byte_alphabet())  # bytes that have a printable letter come first
    merges = lines[: TOKENS - 2 * len(alphabet) - 2]
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), *("".join(pair.split()) for pair in merges)]
    vocabulary = {token: index for index, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    folder = Path(target)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, separators=(",", ":")), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
