"""What the starter model can make of a text: the things that it names, and the words that nobody taught the model.

A caption of its training (core.starter.captions) names one thing of the catalogue. Anything else a user types is still
drawn, somehow; the remarks here say so beforehand, with the known words that come nearest.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.starter.captions import frame_words, look_words, names, phrase_words, plural, with_articles
from core.starter.catalogue import CONCEPTS
from core.starter.concept import Concept
from core.starter.similar import similar_words

LIKENESS = 0.8  # share of letters in common from which a word counts as a known one misspelt
SHORTEST_START = 3  # letters of a word that may begin a noun, such as "tea" for "teapot"
SHORTEST_TYPO = 4  # letters of a word that may be misspelt: of shorter ones too many are alike
MOST = 6  # words that are quoted at once


@dataclass(frozen=True)
class Reading:
    """A text as the model knows it: the catalogue's nouns for what it names, and the words that are left over."""

    things: list[str]
    unknown: list[str]
    unseen: list[str]  # known words for looks that the thing never had in training, where it is but one


def remarks(prompt: str, negative: str = "") -> list[str]:
    """What to tell the user before the model draws: a line for each of the two texts that is outside its world."""
    return [line for line in (_on_prompt(read(prompt)), _on_negative(read(negative))) if line]


def read(text: str) -> Reading:
    """Find the things and the unknown words of a text.

    A noun is named where all its words are there, in whatever order ("a slice of pizza"). A word of a noun that is not
    whole is unknown (the "box" of "gift box"), and so is what belongs to another thing (the "pot" of the cactus).
    """
    words = list(dict.fromkeys(re.findall(r"[^\W_]+(?:['\u2019][^\W_]+)*", text.lower())))
    named = [(noun, concept) for noun, concept in _nouns() if noun.issubset(words)]
    named.sort(key=lambda pair: min(map(words.index, pair[0])))
    parts = {word for _, concept in named for word in phrase_words(concept)}  # a snowman's hat is no second thing
    things = {concept.noun: concept for noun, concept in named if noun.isdisjoint(parts)}
    known = frame_words().union(parts, *(noun for noun, _ in named))
    unknown = [word for word in words if word not in known]
    unseen = look_words() - look_words(*things.values()) if len(things) == 1 else set()
    return Reading(list(things), unknown, [word for word in words if word in unseen - parts])


@functools.cache
def _nouns() -> list[tuple[frozenset[str], Concept]]:
    """The words of every noun, in the singular and in the plural."""
    forms = [(form, concept) for concept in CONCEPTS for noun in names(concept) for form in (noun, plural(noun))]
    return [(frozenset(form.split()), concept) for form, concept in forms]


def _on_prompt(found: Reading) -> str:
    if not found.things:
        return _on_nothing(found)
    sentences = []
    if found.unknown:
        sentences.append(f"The starter model does not know {_quoted(found.unknown)} and goes by the rest.")
    it = "It" if found.unknown else "The starter model"
    if len(found.things) > 1:
        sentences.append(f"{it} makes one thing at a time: {_quoted(found.things)} may become a mix.")
    if found.unseen:
        sentences.append(
            with_articles(f"{it} never saw {_quoted(found.unseen)} on a {found.things[0]} and may ignore that.")
        )
    return " ".join([*sentences, *_nearest_known(found.unknown)])


def _on_nothing(found: Reading) -> str:
    """On a prompt that names no thing; it is told everything there is, unless something comes near."""
    lack = f"does not know {_quoted(found.unknown)}" if found.unknown else "finds no thing in the prompt"
    sentences = [f"The starter model {lack}, so the result will be nonsense.", *_nearest_known(found.unknown)]
    if not any(read(word).things for word in nearest(found.unknown)):
        sentences.append(f"It knows {', '.join(concept.noun for concept in CONCEPTS)}.")
    return " ".join([*sentences, "Stable Diffusion (--model sd) knows more."])


def _on_negative(found: Reading) -> str:
    if not found.unknown:
        return ""
    start = f"The starter model does not know {_quoted(found.unknown)} in the negative prompt: leave that out."
    return " ".join([start, *_nearest_known(found.unknown)])


def _nearest_known(words: Sequence[str]) -> list[str]:
    """A sentence, or none."""
    near = nearest(words)
    return [f"Nearest known: {_quoted(near)}."] if near else []


def nearest(words: Sequence[str]) -> list[str]:
    """The known words that come nearest to unknown ones: of the same kind, begun by them, or spelt alike."""
    return list(dict.fromkeys(near for word in words for near in _near(word)))


def _near(word: str) -> list[str]:
    if word in similar_words():
        return similar_words()[word]
    nouns = [noun for concept in CONCEPTS for noun in names(concept)]
    begun = [noun for noun in nouns if any(part.startswith(word) for part in noun.split())]
    if begun and len(word) >= SHORTEST_START:
        return begun[:2]
    choices = [*nouns, *sorted(frame_words())] if len(word) >= SHORTEST_TYPO else []
    return difflib.get_close_matches(word, choices, 2, LIKENESS)


def _quoted(words: Sequence[str], longest: int = 30) -> str:
    shown = [f'"{word[:longest]}"' for word in words[:MOST]]
    return ", ".join([*shown, "..."] if len(words) > MOST else shown)
