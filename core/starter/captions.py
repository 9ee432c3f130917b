"""The sentences the starter model learns: what a prompt may look like."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.prompt import VIEW_WORDS
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Concept
from core.starter.patterns import MATERIALS, PATTERNS

SINGULAR: tuple[str, ...] = (
    *("a {}", "a {}", "a {}", "a {}", "{}", "{}", "the {}", "one {}"),
    *("a picture of a {}", "a photo of a {}", "a dslr photo of a {}", "a render of a {}", "a 3d render of a {}"),
    *("a model of a {}", "a 3d model of a {}", "a rendering of a {}"),
)
PLURAL = ("{}", "{}", "the {}", "some {}", "a picture of {}")
ADJECTIVES = ("small", "little", "big", "large", "cute", "nice", "simple", "new", "old", "beautiful")
SPELLINGS = {"grey": ("grey", "gray"), "dots": ("dots", "dots", "polka dots", "spots")}
IRREGULAR_PLURALS = {"snowman": "snowmen", "fish": "fish", "cactus": "cacti"}

MORE_THAN_ONE = 0.05  # share of captions in the plural, though one object is shown
OTHER_NOUN = 0.3  # share of captions with another noun, where a concept has some
WITH_ADJECTIVE = 0.15  # share of captions with a word that changes nothing
TURNED_ROUND = 0.15  # share of captions that name colour or material after the noun


@dataclass(frozen=True)
class Look:
    """What a caption says of a surface: a named main colour, and a pattern in a second one, or else a material."""

    color: str | None = None  # of COLORS
    finish: str = ""  # of PATTERNS or MATERIALS
    second: str | None = None  # of COLORS, with a pattern


def caption(concept: Concept, look: Look, view: str | None, rng: random.Random) -> str:
    """A sentence that names the concept, how it looks, and perhaps the view (one of VIEW_WORDS)."""
    noun, frames = concept.noun, SINGULAR
    if concept.other_nouns and rng.random() < OTHER_NOUN:
        noun = rng.choice(concept.other_nouns)
    if rng.random() < MORE_THAN_ONE:
        noun, frames = plural(noun), PLURAL
    subject = _describe(noun, concept.phrase, look, rng)
    if rng.random() < WITH_ADJECTIVE:
        subject = f"{rng.choice(ADJECTIVES)} {subject}"
    sentence = rng.choice(frames).format(subject)
    return with_articles(f"{sentence}, {view}" if view else sentence)


def _describe(noun: str, phrase: str, look: Look, rng: random.Random) -> str:
    """The noun with everything that the look says of it."""
    subject, swapped = noun, rng.random() < TURNED_ROUND
    if look.finish in MATERIALS:
        subject = f"{noun} made of {MATERIALS[look.finish].noun}" if swapped else f"{look.finish} {noun}"
    elif look.color:
        color = _spell(look.color, rng)
        after = swapped and phrase == Concept.phrase and not look.second
        subject = f"{noun} {rng.choice(('that is', 'in'))} {color}" if after else phrase.format(color=color, noun=noun)
    if look.second:
        subject = f"{subject} with {_spell(look.second, rng)} {_spell(look.finish, rng)}"
    return subject


def _spell(word: str, rng: random.Random) -> str:
    return rng.choice(SPELLINGS.get(word, (word,)))


def plural(noun: str) -> str:
    """ "mugs", "buses", "snowmen"."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def with_articles(sentence: str) -> str:
    """The sentence with "an" for "a" before a vowel."""
    return re.sub(r"\ba (?=[aeiou])", "an ", sentence)


def words() -> list[str]:
    """Every word a caption can hold, sorted."""
    nouns = [noun for concept in CONCEPTS for noun in names(concept)]
    phrases = [concept.phrase for concept in CONCEPTS]
    return sorted(_words_in([*nouns, *map(plural, nouns), *phrases]) | frame_words())


def names(concept: Concept) -> tuple[str, ...]:
    """What captions call a concept, in the singular."""
    return (concept.noun, *concept.other_nouns)


def frame_words() -> set[str]:
    """The words that stand around the nouns: of looks, of views and of the sentence itself."""
    rest = _words_in([*SINGULAR, *PLURAL, *ADJECTIVES, *VIEW_WORDS, "an", "with", "made of", "that is", "in"])
    return rest | look_words()


def look_words(concept: Concept | None = None) -> set[str]:
    """The words for colours, patterns and materials: all, or those that captions of one concept can hold."""
    colors = COLORS if concept is None or concept.takes_color else ()
    finishes = [*PATTERNS, *MATERIALS] if concept is None else [*concept.patterns, *concept.materials]
    nouns = [MATERIALS[finish].noun for finish in finishes if finish in MATERIALS]
    return _words_in(form for word in (*colors, *finishes) for form in SPELLINGS.get(word, (word,))) | set(nouns)


def phrase_words(concept: Concept) -> set[str]:
    """The words that name a concept's main colour, without the colour: "with a hat" of the snowman."""
    return _words_in([concept.phrase])


def _words_in(texts: Iterable[str]) -> set[str]:
    return set(re.sub(r"\{\w*\}", "", " ".join(texts)).split())
