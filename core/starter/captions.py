"""The sentences the starter model learns: what a prompt may look like."""

from __future__ import annotations

import random
import re

from core.prompt import VIEW_WORDS
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Concept

TEMPLATES = ("a {}", "a {}", "{}", "the {}", "a 3d model of a {}", "a picture of a {}", "a render of a {}")


def caption(concept: Concept, color: str | None, view: str | None, rng: random.Random) -> str:
    """A sentence that names the concept, perhaps its main colour and the view (one of VIEW_WORDS)."""
    sentence = rng.choice(TEMPLATES).format(concept.name_with(color) if color else concept.noun)
    return with_articles(f"{sentence}, {view}" if view else sentence)


def with_articles(sentence: str) -> str:
    """The sentence with "an" for "a" before a vowel."""
    return re.sub(r"\ba (?=[aeiou])", "an ", sentence)


def words() -> list[str]:
    """Every word a caption can hold, sorted."""
    nouns = [word for concept in CONCEPTS for word in (concept.noun, concept.phrase)]
    sentences = [*TEMPLATES, *COLORS, *VIEW_WORDS, "an", *nouns]
    plain = " ".join(sentences).replace("{color}", "").replace("{noun}", "").replace("{}", "")
    return sorted(set(plain.split()))
